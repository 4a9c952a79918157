//! Four routes from a question to an answer, each with a channel of its own.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::search::{Found, Index};
use crate::simd::Vector;

/// How many are found.
pub const COUNT: usize = 10;

/// How many candidates the full pipeline scores.
pub const CANDIDATES: usize = 100;

/// How many questions may wait on a route: 1000 users, and some.
const ROOM: usize = 1024;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// From the answers that are known, through a queue without locks.
    CacheOnly,
    /// By codes alone, through a channel.
    SmartRouting,
    /// By codes, and the vectors of the best, in batches.
    FullPipeline,
    /// With as many candidates as it takes, in batches.
    MaxIntelligence,
}

impl FromStr for Route {
    type Err = Unanswered;

    fn from_str(name: &str) -> Result<Route, Unanswered> {
        match name {
            "cache_only" => Ok(Route::CacheOnly),
            "smart_routing" => Ok(Route::SmartRouting),
            "full_pipeline" => Ok(Route::FullPipeline),
            "max_intelligence" => Ok(Route::MaxIntelligence),
            _ => Err(Unanswered("there is no such route")),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered(&'static str);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Unanswered {}

/// Which are nearest, the best first; shared with the cache.
pub type Answer = Arc<[Found]>;

/// A question that waits for its answer.
struct Question {
    number: usize,
    answer: oneshot::Sender<Result<Answer, Unanswered>>,
}

/// What the workers know.
struct Known {
    index: Index,
    queries: Vec<Vector>,
    cache: HashMap<usize, Answer>,
}

/// Workers, and the channels to them. They end when it is dropped.
pub struct Service {
    cached: Arc<(ArrayQueue<Question>, Notify)>,
    smart: mpsc::Sender<Question>,
    full: mpsc::Sender<Question>,
    most: mpsc::Sender<Question>,
    /// Dropped with the service, which ends the worker of the queue.
    _alive: oneshot::Sender<()>,
}

impl Service {
    /// Starts the workers on a runtime. Questions are asked by their number among `queries`; those of the first half
    /// are in the cache.
    pub fn start(index: Index, queries: Vec<Vector>, runtime: &Handle) -> Service {
        let cache = queries.iter().take(queries.len() / 2).enumerate();
        let cache =
            cache.map(|(n, query)| (n, index.rescored(query, COUNT, CANDIDATES).into())).collect();
        let known = Arc::new(Known { index, queries, cache });
        let cached = Arc::new((ArrayQueue::new(ROOM), Notify::new()));
        let (alive, ended) = oneshot::channel();
        runtime.spawn(look_up(Arc::clone(&known), Arc::clone(&cached), ended));
        let (smart, questions) = mpsc::channel(ROOM);
        runtime.spawn(one_by_one(Arc::clone(&known), questions));
        let (full, questions) = mpsc::channel(ROOM);
        runtime.spawn(in_batches(Arc::clone(&known), questions, |known, query| {
            known.index.rescored(query, COUNT, CANDIDATES)
        }));
        let (most, questions) = mpsc::channel(ROOM);
        runtime.spawn(in_batches(known, questions, |known, query| {
            known.index.escalated(query, COUNT)
        }));
        Service { cached, smart, full, most, _alive: alive }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// If the queue is full, the cache does not know, or there is no such question.
    pub async fn ask(&self, route: Route, number: usize) -> Result<Answer, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let question = Question { number, answer };
        let channel = match route {
            Route::CacheOnly => {
                let (queue, came) = &*self.cached;
                queue.push(question).map_err(|_| Unanswered("the queue is full"))?;
                came.notify_one();
                return answered.await.map_err(|_| Unanswered("the service has ended"))?;
            }
            Route::SmartRouting => &self.smart,
            Route::FullPipeline => &self.full,
            Route::MaxIntelligence => &self.most,
        };
        channel.send(question).await.map_err(|_| Unanswered("the service has ended"))?;
        answered.await.map_err(|_| Unanswered("the service has ended"))?
    }
}

impl Known {
    fn query(&self, number: usize) -> Result<&Vector, Unanswered> {
        self.queries.get(number).ok_or(Unanswered("there is no such question"))
    }
}

/// Answers from the cache, as long as the service is alive.
async fn look_up(
    known: Arc<Known>,
    cached: Arc<(ArrayQueue<Question>, Notify)>,
    mut ended: oneshot::Receiver<()>,
) {
    let (queue, came) = &*cached;
    loop {
        while let Some(question) = queue.pop() {
            let answer = known.cache.get(&question.number).cloned();
            // The receiver may be gone, if its client has closed the connection.
            let _ = question.answer.send(answer.ok_or(Unanswered("the cache does not know")));
        }
        tokio::select! {
            () = came.notified() => {}
            _ = &mut ended => return,
        }
    }
}

/// Answers by codes alone.
async fn one_by_one(known: Arc<Known>, mut questions: mpsc::Receiver<Question>) {
    while let Some(question) = questions.recv().await {
        let query = known.query(question.number);
        let _ = question.answer.send(query.map(|query| known.index.by_code(query, COUNT).into()));
    }
}

/// Answers in batches, on a thread that may block. A batch that was full makes the next one up to twice as large, one
/// that was not half as large: alone, nobody waits for others; in a crowd, threads are changed seldom.
async fn in_batches(
    known: Arc<Known>,
    mut questions: mpsc::Receiver<Question>,
    search: fn(&Known, &Vector) -> Vec<Found>,
) {
    let mut size = 1;
    loop {
        let mut batch = Vec::with_capacity(size);
        let taken = questions.recv_many(&mut batch, size).await;
        if taken == 0 {
            return;
        }
        size = if taken == size { (2 * size).min(64) } else { size.div_ceil(2) };
        let known = Arc::clone(&known);
        let answered = spawn_blocking(move || {
            for question in batch {
                let query = known.query(question.number);
                let _ = question.answer.send(query.map(|query| search(&known, query).into()));
            }
        });
        // One that panicked has dropped its questions, and who asked them knows.
        let _ = answered.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Embeddings;

    #[test]
    fn every_route_answers_and_says_what_it_cannot() {
        let Embeddings { vectors, .. } = Embeddings::generated(500);
        // Nearest to a vector is the vector itself.
        let queries = vectors[..100].to_vec();
        let exact = Index::new(vectors.clone()).exact(&queries[7], COUNT);
        let runtime = crate::runtime::tuned().unwrap();
        let service = Service::start(Index::new(vectors), queries, runtime.handle());
        let ask = |route: &str, number| runtime.block_on(service.ask(route.parse()?, number));
        for route in ["cache_only", "smart_routing", "full_pipeline", "max_intelligence"] {
            assert_eq!(ask(route, 7).unwrap()[0].id, 7, "{route}");
            assert!(ask(route, 1000).is_err(), "{route}");
        }
        assert_eq!(*ask("max_intelligence", 7).unwrap(), *exact);
        assert_eq!(ask("cache_only", 99), Err(Unanswered("the cache does not know")));
        assert_eq!(ask("magic", 7), Err(Unanswered("there is no such route")));
    }
}
