//! The log held to `budgets.toml`, beside Redis and NATS.

mod crowd;
mod nats;
mod redis;
mod server;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use perf_budget::{Failed, Harness, Heap, Run};
use streamer::{Access, Error, Faulty, Right, Topic};

use crate::crowd::exchange;
use crate::nats::Nats;
use crate::redis::Redis;

#[global_allocator]
static HEAP: Heap = Heap::system();

/// What every message carries.
const PAYLOAD: &[u8] = &[b'm'; 100];
/// What a batch has.
const BATCH: [&[u8]; 1000] = [PAYLOAD; 1000];
/// Bytes that a partition keeps.
const ROOM: usize = 16 << 20;
/// Longer than any wait.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    Harness::new()
        .workload("publish", |run| {
            let topic = full();
            run.try_iter(|| topic.publish(0, PAYLOAD))
        })
        .workload("publish_redis", |run| {
            let mut redis = Redis::start()?;
            run.try_iter(|| redis.add(&[PAYLOAD]))
        })
        .workload("publish_nats", |run| {
            let mut nats = Nats::start(false)?;
            run.try_iter(|| nats.publish(&[PAYLOAD]))
        })
        .workload("batch", |run| {
            let topic = full();
            run.ops(1000).try_iter(|| topic.publish_batch(0, BATCH))
        })
        .workload("batch_redis", |run| {
            let mut redis = Redis::start()?;
            run.ops(1000).try_iter(|| redis.add(&BATCH))
        })
        .workload("batch_nats", |run| {
            let mut nats = Nats::start(false)?;
            run.ops(1000).try_iter(|| nats.publish(&BATCH))
        })
        .workload("end_to_end", end_to_end)
        .workload("end_to_end_redis", |run| {
            let mut redis = Redis::start()?;
            run.try_iter(|| {
                redis.add(&[PAYLOAD])?;
                redis.next()
            })
        })
        .workload("end_to_end_nats", |run| {
            let mut nats = Nats::start(true)?;
            run.try_iter(|| nats.round(PAYLOAD))
        })
        .workload("consume", consume)
        .workload("exchange", exchange)
        .workload("echo", echo)
        .workload("paced", paced)
        .workload("authorize", |run| {
            let mut access = Access::default();
            for principal in 0..1000 {
                access.grant(principal, "orders", Right::Publish);
            }
            let mut principal = 0;
            run.iter(|| {
                principal = (principal + 7) % 2000;
                access.allows(principal, "orders", Right::Publish)
            })
        })
        .workload("faults", |run| {
            let faulty = Faulty::new(full(), run.param("share")?, 17);
            run.try_iter(|| faulty.publish(0, PAYLOAD))
        })
        .workload("sustained", |run| {
            let batches: usize = run.param("batches")?;
            run.ops(batches as u64 * 1000).try_iter(|| sustained(batches))
        })
        .main()
}

/// A topic of one partition that keeps as much as it can: publishing drops as many as it adds.
fn full() -> Topic {
    let topic = Topic::new(1, ROOM);
    for _ in 0..ROOM / PAYLOAD.len() {
        topic.publish(0, PAYLOAD).expect("the partition is there");
    }
    topic
}

/// One message from its producer into the hands of its consumer.
fn end_to_end(run: &mut Run) -> Result<(), Failed> {
    let topic = full();
    let mut consumer = topic.consumer(0, topic.end(0)?)?;
    let mut messages = Vec::with_capacity(1);
    run.try_iter(|| {
        messages.clear();
        topic.publish(0, PAYLOAD)?;
        consumer.poll(&mut messages, 1)
    })
}

/// Reading a thousand messages that are there.
fn consume(run: &mut Run) -> Result<(), Failed> {
    let topic = full();
    let begin = topic.end(0)? - 1000;
    let mut consumer = topic.consumer(0, begin)?;
    let mut messages = Vec::with_capacity(1000);
    run.ops(1000).try_iter(|| {
        messages.clear();
        consumer.seek(begin);
        consumer.poll(&mut messages, 1000)
    })
}

/// A message to a consumer that sleeps in another thread, and its echo back.
fn echo(run: &mut Run) -> Result<(), Failed> {
    let (there, back) = (Topic::new(1, ROOM), Topic::new(1, ROOM));
    std::thread::scope(|scope| {
        let echoing = scope.spawn(|| -> Result<(), Error> {
            let (mut consumer, mut messages) = (there.consumer(0, 0)?, Vec::with_capacity(1));
            loop {
                consumer.wait(&mut messages, 1, PATIENCE)?;
                // An empty message is the last.
                let Some(message) = messages.pop().filter(|message| !message.is_empty()) else {
                    return Ok(());
                };
                back.publish(0, &message)?;
            }
        });
        let (mut consumer, mut messages) = (back.consumer(0, 0)?, Vec::with_capacity(1));
        let measured = run.try_iter(|| {
            messages.clear();
            there.publish(0, PAYLOAD)?;
            consumer.wait(&mut messages, 1, PATIENCE)
        });
        there.publish(0, b"")?;
        echoing.join().map_err(|_| "the consumer panicked")??;
        measured
    })
}

/// Five thousand messages each millisecond, published and consumed: a stream of five million a second.
fn paced(run: &mut Run) -> Result<(), Failed> {
    const MESSAGES: usize = 5000;
    let topic = full();
    let mut consumer = topic.consumer(0, topic.end(0)?)?;
    let mut messages = Vec::with_capacity(MESSAGES);
    let mut due = Instant::now();
    run.ops(MESSAGES as u64).try_iter(|| {
        due += Duration::from_millis(1);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        messages.clear();
        for _ in 0..MESSAGES {
            topic.publish(0, PAYLOAD)?;
        }
        consumer.poll(&mut messages, MESSAGES)
    })
}

/// A topic that is made, sent batches to, read to the end, and dropped.
fn sustained(batches: usize) -> Result<(), Error> {
    let topic = Topic::new(1, ROOM);
    let mut consumer = topic.consumer(0, 0)?;
    let mut messages = Vec::with_capacity(1000);
    for _ in 0..batches {
        topic.publish_batch(0, BATCH)?;
        messages.clear();
        consumer.poll(&mut messages, 1000)?;
    }
    Ok(())
}
