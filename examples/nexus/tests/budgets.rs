//! The search held to `budgets.toml`.

mod image;

use std::alloc::{GlobalAlloc, System};
use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;

use mimalloc::MiMalloc;
use nexus::allocation::{burst, sizes};
use nexus::embedding::{Embeddings, code};
use nexus::reply::{Received, Reply};
use nexus::route::{CANDIDATES, COUNT, Route, Service};
use nexus::search::{Found, Index};
use nexus::simd::{self, Vector};
use nexus::{runtime, simd::Code};
use perf_budget::{Failed, Harness, Heap, Run};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::interval;

#[global_allocator]
static HEAP: Heap = Heap::system();

/// How many vectors are searched.
const VECTORS: usize = 10_000;

fn main() -> ExitCode {
    image::make();
    Harness::new()
        .workload("alloc_system", |run| allocate(run, &System))
        .workload("alloc_mimalloc", |run| allocate(run, &MiMalloc))
        .workload("dot_scalar", |run| multiply(run, simd::dot_scalar))
        .workload("dot_lanes", |run| multiply(run, simd::dot_lanes))
        .workload("dot_avx2", |run| {
            if !simd::is_supported() {
                return Err(
                    "this processor lacks AVX2, FMA or POPCNT: there is nothing to compare".into(),
                );
            }
            multiply(run, simd::dot)
        })
        .workload("access", |run| {
            let received = Received::new(reply(run)?.encoded()?)?;
            run.iter(|| received.reply().hits[0].score.to_native())
        })
        .workload("access_checked", |run| {
            let bytes = reply(run)?.encoded()?;
            run.try_iter(|| Received::check(&bytes).map(|reply| reply.hits[0].score.to_native()))
        })
        .workload("decode_json", |run| {
            let json = serde_json::to_vec(&reply(run)?)?;
            run.try_iter(|| serde_json::from_slice::<Reply>(&json))
        })
        .workload("encode", |run| {
            let reply = reply(run)?;
            run.try_iter(|| reply.encoded())
        })
        .workload("encode_json", |run| {
            let reply = reply(run)?;
            run.try_iter(|| serde_json::to_vec(&reply))
        })
        .workload("floats", |run| run.hold(|| Embeddings::generated(VECTORS).vectors))
        .workload("codes", |run| {
            let vectors = Embeddings::generated(VECTORS).vectors;
            run.hold(|| vectors.iter().map(code).collect::<Vec<Code>>())
        })
        .workload("recall", recall)
        .workload("ask", |run| {
            let route: Route = run.param::<String>("route")?.parse()?;
            let (runtime, service) = service()?;
            run.on(runtime.handle());
            run.try_iter_concurrent(async || service.ask(route, 7).await)
        })
        .workload("mix", |run| {
            let (runtime, service) = service()?;
            let next = Cell::new(0);
            run.on(runtime.handle());
            run.try_iter_concurrent(async || {
                let number = next.replace(next.get() + 1);
                service.ask(mixed(number), number % 50).await
            })
        })
        .workload("traffic", traffic)
        // Without one of its own, a workload has a runtime of one thread.
        .workload("spawn_one", spawn)
        .workload("spawn_default", |run| {
            let runtime = Runtime::new()?;
            spawn(run.on(runtime.handle()))
        })
        .workload("spawn_tuned", |run| {
            let runtime = runtime::tuned()?;
            spawn(run.on(runtime.handle()))
        })
        .main()
}

fn allocate(run: &mut Run, allocator: &impl GlobalAlloc) -> Result<(), Failed> {
    let sizes = sizes(run.param("blocks")?);
    let mut blocks = Vec::with_capacity(sizes.len());
    run.ops(sizes.len() as u64).iter(|| burst(allocator, &sizes, &mut blocks))
}

/// Multiplies one vector by eight others, which fit into the first-level cache. A wrong product is an error.
fn multiply(run: &mut Run, dot: fn(&Vector, &Vector) -> f32) -> Result<(), Failed> {
    let Embeddings { vectors, queries } = Embeddings::generated(8);
    for vector in &vectors {
        let (got, want) = (dot(&queries[0], vector), simd::dot_scalar(&queries[0], vector));
        if (got - want).abs() > 1e-5 {
            return Err(format!("the dot product is {got}, and {want} by the scalar way").into());
        }
    }
    run.ops(vectors.len() as u64)
        .iter(|| vectors.iter().map(|vector| dot(&queries[0], vector)).sum::<f32>())
}

fn reply(run: &Run) -> Result<Reply, Failed> {
    let found: Vec<Found> = (0..run.param("hits")?).map(|id| Found { id, score: 0.5 }).collect();
    Ok(Reply::from(found.as_slice()))
}

/// Records which share of the ten nearest vectors the search finds.
fn recall(run: &mut Run) -> Result<(), Failed> {
    let search = match run.param::<String>("search")?.as_str() {
        "by_code" => |index: &Index, query: &Vector| index.by_code(query, COUNT),
        "rescored" => |index: &Index, query: &Vector| index.rescored(query, COUNT, CANDIDATES),
        "escalated" => |index: &Index, query: &Vector| index.escalated(query, COUNT),
        other => return Err(format!("there is no search `{other}`").into()),
    };
    let Embeddings { vectors, queries } = Embeddings::generated(VECTORS);
    let index = Index::new(vectors);
    for query in &queries {
        let found = search(&index, query);
        let exact = index.exact(query, COUNT);
        let right = exact.iter().filter(|exact| found.iter().any(|found| found.id == exact.id));
        run.record("accuracy", right.count() as f64 / exact.len() as f64)?;
    }
    Ok(())
}

fn service() -> Result<(Runtime, Service), Failed> {
    let Embeddings { vectors, queries } = Embeddings::generated(VECTORS);
    let runtime = runtime::tuned()?;
    let service = Service::start(Index::new(vectors), queries, runtime.handle());
    Ok((runtime, service))
}

/// Of every 40 questions, 28 go to the cache, 10 to the smart route, and one to each of the others: 70, 25 and 5 %. A
/// step of 11 takes them in turns.
fn mixed(number: usize) -> Route {
    match number * 11 % 40 {
        0..28 => Route::CacheOnly,
        28..38 => Route::SmartRouting,
        38 => Route::FullPipeline,
        _ => Route::MaxIntelligence,
    }
}

/// 1000 users who ask once a second: one question each millisecond, for 50 of them.
fn traffic(run: &mut Run) -> Result<(), Failed> {
    let (runtime, service) = service()?;
    let service = std::sync::Arc::new(service);
    run.on(runtime.handle());
    run.try_iter_async(async || {
        let mut tick = interval(Duration::from_millis(1));
        let mut questions = JoinSet::new();
        for number in 0..50 {
            tick.tick().await;
            let service = std::sync::Arc::clone(&service);
            questions.spawn(async move { service.ask(mixed(number), number).await });
        }
        while let Some(answer) = questions.join_next().await {
            answer.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    })
}

/// Spawns and joins a thousand tasks, each of a number of additions that the compiler cannot replace by their sum.
fn spawn(run: &mut Run) -> Result<(), Failed> {
    let additions: u32 = run.param("additions")?;
    run.ops(1000).try_iter_async(async || {
        tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            for task in 0..1000 {
                tasks.spawn(
                    async move { (0..additions).fold(task as f32, |sum, n| sum + n as f32) },
                );
            }
            tasks.join_all().await.len()
        })
        .await
    })
}
