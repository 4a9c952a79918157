//! Many producers and consumers on one topic, each a task.

use std::ops::Range;
use std::sync::Arc;

use perf_budget::{Failed, Run};
use streamer::{Error, Topic};
use tokio::task::JoinSet;

use crate::PAYLOAD;

/// Messages of one operation: 2000 from each of 32 producers.
const MESSAGES: usize = 64_000;
/// Room for all of them in one partition: nobody falls behind.
const ROOM: usize = 16 << 20;

/// So many `producers` publish, a message at a time, on all partitions in turn; every partition is read to its
/// end, by one of the `consumers` or, where there are more of them, by several.
pub(crate) fn exchange(run: &mut Run) -> Result<(), Failed> {
    let (producers, consumers): (usize, usize) = (run.param("producers")?, run.param("consumers")?);
    let partitions: usize = run.param("partitions")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let topic = Arc::new(Topic::new(partitions, ROOM));
    let mut published = 0;
    run.on(runtime.handle()).ops(MESSAGES as u64).try_iter_async(async || {
        let mut tasks = JoinSet::new();
        for _ in 0..producers {
            tasks.spawn(produce(Arc::clone(&topic), MESSAGES / producers, partitions));
        }
        let offsets = published..published + (MESSAGES / partitions) as u64;
        published = offsets.end;
        for consumer in 0..consumers {
            for partition in (consumer % partitions..partitions).step_by(consumers) {
                tasks.spawn(read(Arc::clone(&topic), partition, offsets.clone()));
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })
}

async fn produce(topic: Arc<Topic>, messages: usize, partitions: usize) -> Result<(), Error> {
    for message in 0..messages {
        topic.publish(message % partitions, PAYLOAD)?;
        if message % 100 == 99 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Reads a partition from one offset to another.
async fn read(topic: Arc<Topic>, partition: usize, offsets: Range<u64>) -> Result<(), Error> {
    let mut consumer = topic.consumer(partition, offsets.start)?;
    let mut left = (offsets.end - offsets.start) as usize;
    let mut messages = Vec::with_capacity(1000);
    while left > 0 {
        messages.clear();
        match consumer.poll(&mut messages, 1000.min(left))? {
            0 => tokio::task::yield_now().await,
            read => left -= read,
        }
    }
    Ok(())
}
