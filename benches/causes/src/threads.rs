//! Threads that work for the one that starts them.

use std::hint::black_box;

/// Looks words up in one thread while another one adds up.
pub fn answer(words: &[u64]) -> u64 {
    std::thread::scope(|scope| {
        let found = scope.spawn(|| (0..800).map(|n| look_up(words, n * 3)).sum::<u64>());
        let sum = scope.spawn(|| add_up(words));
        found.join().unwrap() ^ sum.join().unwrap()
    })
}

/// Looks for a word in an ordered list.
#[inline(never)]
fn look_up(words: &[u64], word: u64) -> u64 {
    if cfg!(feature = "thread_scan") {
        return words.iter().take_while(|&&each| black_box(each) < word).count() as u64;
    }
    words.partition_point(|&each| black_box(each) < word) as u64
}

/// Adds the words up.
#[inline(never)]
fn add_up(words: &[u64]) -> u64 {
    (0..4).map(|_| words.iter().map(|&word| black_box(word)).sum::<u64>()).sum()
}
