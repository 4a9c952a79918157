//! Tests that one more run costs the same however long the history is. They count the statements and the rows, so that no
//! clock is asked.

use perf_budget_core::outcome::Outcome;

use super::counting::{self, Counting, QueryCount};
use super::entry::{Entry, Measured};
use super::sqlite::Sqlite;
use super::store::{Store, series_at_once};

/// Returns the nth run, of two tests.
fn entry(nth: i64) -> Entry {
    counting::entry(nth, &["p50", "p99"].map(|name| ("merge".to_owned(), format!("merge::{name}"))))
}

#[test]
fn recording_one_more_run_reads_none_of_the_earlier_ones() {
    const LAST: u16 = 30;
    let place = tempfile::tempdir().unwrap();
    let (mut store, queries) = Counting::store(&place.path().join("history.sqlite"));
    let mut costs = Vec::new();
    for nth in 0..400 {
        queries.set(QueryCount::default());
        store.record(&entry(nth), &|| ()).unwrap();
        let recorded = queries.replace(QueryCount::default());
        // These are the queries of `trend` for one of its series.
        let series = store.series(Some("merge::p99")).unwrap();
        let points = store.points_of(&[series[0].key], LAST).unwrap().remove(0);
        assert_eq!(points.len(), usize::from(LAST).min(usize::try_from(nth).unwrap() + 1));
        assert_eq!(points.last().unwrap().commit, entry(nth).revision.commit);
        costs.push((recorded, queries.get()));
    }
    // Until then a series has fewer points than are read, and the first run has to make the series.
    let (recorded, read) = costs[usize::from(LAST)];
    assert_eq!(recorded.rows, 0, "nothing is read to record a run");
    assert_eq!(read.rows, usize::from(LAST) + 1, "the points, and the series itself");
    assert!(costs[usize::from(LAST)..].iter().all(|cost| *cost == (recorded, read)));
}

#[test]
fn outcomes_of_changed_trees_do_not_displace_others() {
    let place = tempfile::tempdir().unwrap();
    let database = Sqlite::create(&place.path().join("history.sqlite")).unwrap();
    let mut store = Store::new(Box::new(database)).unwrap();
    for nth in 0..60 {
        let mut entry = entry(nth);
        entry.revision.dirty = nth >= 10;
        store.record(&entry, &|| ()).unwrap();
    }
    let series = store.series(Some("merge::p99")).unwrap();
    let mut times = |last| -> Vec<i64> {
        let points = store.clean_points_of(&[series[0].key], last).unwrap().remove(0);
        assert!(points.iter().all(|point| !point.dirty));
        points.iter().map(|point| point.at).collect()
    };
    assert_eq!(times(40), (1000..1010).collect::<Vec<_>>());
    assert_eq!(times(3), [1007, 1008, 1009]);
}

/// On a slow network each statement takes a round trip, so an overview of many tests must not ask for each by itself.
#[test]
fn the_outcomes_of_many_tests_are_read_by_one_statement() {
    let place = tempfile::tempdir().unwrap();
    let (mut store, queries) = Counting::store(&place.path().join("history.sqlite"));
    for nth in 0..8 {
        let mut entry = entry(nth);
        // Each run has fewer tests than the one before, so that no two series are as long.
        entry.values = (nth..100)
            .map(|test| {
                let (test, value) = (format!("merge::metric_{test:02}"), Some(test as f64));
                let measured = Outcome { test, budget: "merge".to_owned(), ..Outcome::default() };
                Measured { value, ..Measured::from_outcome(&measured) }
            })
            .collect();
        store.record(&entry, &|| ()).unwrap();
    }
    let keys: Vec<i64> = store.series(None).unwrap().iter().map(|series| series.key).collect();
    assert_eq!(keys.len(), series_at_once(5));
    queries.set(QueryCount::default());
    let together = store.points_of(&keys, 5).unwrap();
    let statements = queries.get().statements;
    let alone: Vec<_> = keys.iter().flat_map(|&key| store.points_of(&[key], 5).unwrap()).collect();
    assert_eq!(together, alone);
    assert_eq!((statements, together[0].len(), together[99].len()), (1, 1, 5));
    assert_eq!(
        together[3].iter().map(|point| point.at).collect::<Vec<_>>(),
        [1000, 1001, 1002, 1003]
    );
    // Long histories are read in smaller parts, so that they fit into memory.
    assert_eq!((series_at_once(2000), series_at_once(u16::MAX)), (10, 1));
}

/// Runs of one commit have the same second. A query returns them in one order alone, whichever of them was recorded first, and
/// leaves out the same ones.
#[test]
fn outcomes_of_the_same_second_have_one_order() {
    let read = |order: &[i64]| {
        let place = tempfile::tempdir().unwrap();
        let database = Sqlite::create(&place.path().join("history.sqlite")).unwrap();
        let mut store = Store::new(Box::new(database)).unwrap();
        for &nth in order {
            let mut entry = entry(nth);
            entry.began = 1000;
            entry.revision.committed = Some(1000);
            store.record(&entry, &|| ()).unwrap();
        }
        let key = store.series(Some("merge::p99")).unwrap()[0].key;
        let mut values = |last| -> Vec<i64> {
            let points = store.points_of(&[key], last).unwrap().remove(0);
            points.iter().map(|point| point.value.unwrap() as i64).collect()
        };
        [values(30), values(5)]
    };
    let forwards: Vec<i64> = (0..12).collect();
    let backwards: Vec<i64> = (0..12).rev().collect();
    let mixed: Vec<i64> = (0..12).map(|nth| nth * 5 % 12).collect();
    let found = read(&forwards);
    assert_eq!((found[0].len(), found[1].len()), (12, 5));
    assert_eq!(found[0][7..], found[1]);
    assert_eq!(read(&backwards), found);
    assert_eq!(read(&mixed), found);
}
