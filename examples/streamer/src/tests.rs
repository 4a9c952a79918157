//! Order, room, waiting, faults and rights of a topic.

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn read(topic: &Topic, offset: u64) -> Result<Vec<Bytes>, Error> {
    let mut messages = Vec::new();
    topic.consumer(0, offset)?.poll(&mut messages, usize::MAX)?;
    Ok(messages)
}

#[test]
fn messages_come_in_their_order_and_from_where_they_were_put() {
    let topic = Topic::new(2, 1 << 20);
    let long = vec![7; 2 * SEGMENT];
    assert_eq!(topic.publish(0, b"a"), Ok(1));
    assert_eq!(topic.publish_batch(0, [&b"b"[..], b"", &long]), Ok(4));
    let all = read(&topic, 0).unwrap();
    assert_eq!(all, [&b"a"[..], b"b", b"", &long]);
    assert_eq!(read(&topic, 1).unwrap()[0].as_ptr(), all[1].as_ptr());
    assert_eq!(read(&topic, 9), Ok(vec![]));
    assert_eq!(topic.end(1), Ok(0));
    assert_eq!(topic.publish(2, b"a"), Err(Error::NoPartition(2)));
}

#[test]
fn what_there_is_no_room_for_is_dropped_and_said() {
    let topic = Topic::new(1, 3 * cost(10));
    let mut consumer = topic.consumer(0, 0).unwrap();
    for n in 0..10 {
        topic.publish(0, &[n; 10]).unwrap();
    }
    let mut messages = Vec::new();
    assert_eq!(consumer.poll(&mut messages, 2), Err(Error::Behind { lost: 7 }));
    assert_eq!(consumer.poll(&mut messages, 2), Ok(2));
    assert_eq!(consumer.poll(&mut messages, 2), Ok(1));
    assert_eq!(consumer.poll(&mut messages, 2), Ok(0));
    assert_eq!(messages, [[7; 10], [8; 10], [9; 10]].map(|payload| payload.to_vec()));
}

#[test]
fn a_consumer_waits_for_what_is_published() {
    let topic = Topic::new(1, 1 << 20);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut messages = Vec::new();
            topic.consumer(0, 0).unwrap().wait(&mut messages, 1, PATIENCE).unwrap();
            messages
        });
        while topic.partitions[0].lock().waiting == 0 {
            std::thread::yield_now();
        }
        topic.publish(0, b"a").unwrap();
        assert_eq!(waiting.join().unwrap(), [&b"a"[..]]);
    });
    let mut consumer = topic.consumer(0, 1).unwrap();
    assert_eq!(consumer.wait(&mut Vec::new(), 1, Duration::ZERO), Ok(0));
}

#[test]
fn a_share_fails_and_is_not_in_the_topic() {
    let faulty = Faulty::new(Topic::new(1, 1 << 20), 0.1, 7);
    let failed = (0..10_000).filter(|_| faulty.publish(0, b"") == Err(Error::Injected)).count();
    assert!((900..1100).contains(&failed), "{failed}");
    assert_eq!(faulty.topic().end(0), Ok(10_000 - failed as u64));
}

#[test]
fn what_is_not_granted_is_denied() {
    let mut access = Access::default();
    access.grant(1, "orders", Right::Publish);
    assert!(access.allows(1, "orders", Right::Publish));
    assert!(!access.allows(1, "orders", Right::Consume));
    assert!(!access.allows(2, "orders", Right::Publish));
    assert!(!access.allows(1, "bills", Right::Publish));
}
