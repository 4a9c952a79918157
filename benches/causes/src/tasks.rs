//! Tasks of an asynchronous runtime.

use std::collections::hash_map::DefaultHasher;
use std::future::poll_fn;
use std::hash::Hasher;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::sync::mpsc;

/// Runs all of them as a server does: the caller waits while tasks work.
pub async fn serve() -> u64 {
    let shared = Arc::new(Mutex::new(0_u64));
    let updates = tokio::spawn(update(Arc::clone(&shared)));
    let more = tokio::spawn(update(Arc::clone(&shared)));
    let others = tokio::spawn(handle());
    let digest = tokio::spawn(async { digest(&[7; 4096]) });
    let sum = others.await.unwrap()
        ^ digest.await.unwrap()
        ^ updates.await.unwrap()
        ^ more.await.unwrap();
    sum ^ *shared.lock().unwrap()
}

async fn handle() -> u64 {
    outer().await ^ relay().await ^ stream().await ^ load().await
}

/// Gives way to other tasks again and again. What the runtime then does is in no function of this project.
async fn load() -> u64 {
    let rounds = if cfg!(feature = "yields") { 500 } else { 100 };
    let mut sum = 0_u64;
    for n in 0..rounds {
        sum = sum.wrapping_add(black_box(n));
        tokio::task::yield_now().await;
    }
    sum
}

/// Waits for another function, which computes.
async fn outer() -> u64 {
    steady(10_000) ^ inner().await
}

async fn inner() -> u64 {
    let rounds = if cfg!(feature = "inner_async") { 90_000 } else { 10_000 };
    let mut sum = 0_u64;
    for n in 0..rounds {
        sum = sum.wrapping_add(black_box(n));
        if n % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    sum
}

/// Changes a value that several tasks share.
async fn update(shared: Arc<Mutex<u64>>) -> u64 {
    let mut of = 0;
    for n in 0..20 {
        of = steady(500);
        counted(&shared, n);
        tokio::task::yield_now().await;
    }
    of
}

/// Changes the value once, behind its lock.
fn counted(shared: &Mutex<u64>, n: u64) {
    let mut guard = shared.lock().unwrap();
    *guard = guard.wrapping_add(n);
    if cfg!(feature = "held_lock") {
        *guard = guard.wrapping_add(rebuilt(4000));
    }
}

/// The work that is done while the lock is held.
#[inline(never)]
fn rebuilt(rounds: u64) -> u64 {
    (0..rounds).map(black_box).sum()
}

/// Hands numbers on.
async fn relay() -> u64 {
    let mut sum = 0_u64;
    for n in 0..1000_u64 {
        if cfg!(feature = "hop") {
            sum = sum.wrapping_add(hop(n).await);
        } else {
            sum = sum.wrapping_add(black_box(n));
        }
    }
    sum
}

/// Sends a number through a channel.
async fn hop(n: u64) -> u64 {
    let (send, mut receive) = mpsc::channel(1);
    send.send(n).await.unwrap();
    receive.recv().await.unwrap()
}

/// Makes a digest.
#[inline(never)]
fn digest(bytes: &[u8]) -> u64 {
    if cfg!(feature = "spawned_hash") {
        let mut hasher = DefaultHasher::new();
        for &byte in black_box(bytes) {
            hasher.write_u8(byte);
            hasher.write_u64(u64::from(byte));
        }
        return hasher.finish();
    }
    black_box(bytes)
        .iter()
        .fold(0, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Takes the items of a stream.
async fn stream() -> u64 {
    let item = vec![3_u8; 256];
    let mut left = 300;
    let mut sum = 0;
    while let Some(bytes) = poll_fn(|_| Poll::Ready(yielded(&mut left, &item))).await {
        sum += bytes;
    }
    sum
}

/// Yields the next item.
#[inline(never)]
fn yielded(left: &mut u32, item: &Vec<u8>) -> Option<u64> {
    *left = left.checked_sub(1)?;
    if cfg!(feature = "stream_clone") {
        let copies: Vec<Vec<u8>> = (0..8).map(|_| black_box(item.clone())).collect();
        return Some(copies.iter().map(|copy| u64::from(copy[0])).sum());
    }
    Some(8 * u64::from(black_box(item)[0]))
}

/// Takes equally long with every cause.
#[inline(never)]
fn steady(rounds: u64) -> u64 {
    (0..rounds).map(black_box).sum()
}
