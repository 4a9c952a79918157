//! Records in memory: texts of their own against shared ones, lists on the heap against lists in place, objects one by
//! one against an arena, all read at once against read when they are asked for.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::OnceLock;

use bumpalo::Bump;
use local_first::{Error, Record, Records};
use smallvec::SmallVec;

/// Different owners that records have.
const OWNERS: u32 = 16;
/// Tags that a record has at the most.
const TAGS: u32 = 4;

/// One edit as a log keeps it.
#[derive(Debug)]
pub struct Edit {
    /// The clock of the peer.
    pub clock: u64,
    /// The peer.
    pub peer: u32,
    /// The field.
    pub field: u32,
    /// What it became.
    pub value: u64,
}

fn owner(record: u32) -> String {
    format!("peer {} of the household", record % OWNERS)
}

fn tags(record: u32) -> impl Iterator<Item = u32> {
    (0..=record % TAGS).map(move |tag| record.wrapping_add(tag))
}

fn edit(n: u32) -> Edit {
    Edit { clock: n.into(), peer: n % OWNERS, field: n % 100, value: u64::from(n) << 3 }
}

/// The owner of each record, in a text of its own.
pub fn own_texts(records: u32) -> Vec<String> {
    (0..records).map(owner).collect()
}

/// The owner of each record; equal ones share one text.
pub fn interned_texts(records: u32) -> Vec<Rc<str>> {
    let mut pool: HashSet<Rc<str>> = HashSet::new();
    let mut intern = |text: String| {
        if let Some(known) = pool.get(text.as_str()) {
            return known.clone();
        }
        let text: Rc<str> = text.into();
        pool.insert(text.clone());
        text
    };
    (0..records).map(|record| intern(owner(record))).collect()
}

/// The tags of each record, each list on the heap.
pub fn lists_on_the_heap(records: u32) -> Vec<Vec<u32>> {
    (0..records).map(|record| tags(record).collect()).collect()
}

/// The tags of each record, in place: none has more than fit.
pub fn lists_in_place(records: u32) -> Vec<SmallVec<[u32; TAGS as usize]>> {
    (0..records).map(|record| tags(record).collect()).collect()
}

/// A log whose edits are allocated one by one.
pub fn log_on_the_heap(edits: u32) -> Vec<Box<Edit>> {
    (0..edits).map(|n| Box::new(edit(n))).collect()
}

/// A log whose edits lie in an arena.
pub fn log_in_an_arena(arena: &Bump, edits: u32) -> Vec<&Edit> {
    (0..edits).map(|n| &*arena.alloc(edit(n))).collect()
}

/// Every record of a store, read.
///
/// # Errors
/// If one cannot be read.
pub fn read_at_once(store: &Records) -> Result<Vec<Option<Record>>, Error> {
    (0..store.len() as u32).map(|id| store.get(id)).collect()
}

/// A place for every record of a store, and every hundredth read: what a page shows.
///
/// # Errors
/// If one cannot be read.
pub fn read_when_asked(store: &Records) -> Result<Vec<OnceLock<Box<Record>>>, Error> {
    let places: Vec<_> = (0..store.len()).map(|_| OnceLock::new()).collect();
    for (id, place) in (0..).zip(&places).step_by(100) {
        if let Some(record) = store.get(id)? {
            place.get_or_init(|| Box::new(record));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_hold_the_same() {
        let (own, interned) = (own_texts(100), interned_texts(100));
        assert!(own.iter().zip(&interned).all(|(a, b)| **a == **b));
        assert!(Rc::ptr_eq(&interned[1], &interned[17]));
        let (heap, place) = (lists_on_the_heap(100), lists_in_place(100));
        assert!(heap.iter().zip(&place).all(|(a, b)| a[..] == b[..] && !b.spilled()));
        let arena = Bump::new();
        let (heap, arena) = (log_on_the_heap(100), log_in_an_arena(&arena, 100));
        assert!(heap.iter().zip(&arena).all(|(a, b)| (a.clock, a.value) == (b.clock, b.value)));
        let store = Records::load(250);
        let (all, some) = (read_at_once(&store).unwrap(), read_when_asked(&store).unwrap());
        assert_eq!(some.iter().filter(|place| place.get().is_some()).count(), 3);
        assert_eq!(some[200].get().map(|record| &**record), all[200].as_ref());
    }
}
