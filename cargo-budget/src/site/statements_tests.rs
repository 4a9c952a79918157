//! Tests of how many statements a site takes. On a slow network each takes a round trip, so that their number must not grow with
//! the number of budgets, limits or commits, but with that of the pages that are read at once.

use super::*;
use crate::history::counting::{Counting, QueryCount, entry};

/// Returns the number of statements for a site of so many budgets with one limit each, measured at so many commits, and for the
/// same site once more after another run. Every second run was of a tree with uncommitted changes if `is_mixed`.
fn statements(budgets: usize, commits: i64, is_mixed: bool) -> [usize; 2] {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("history.sqlite");
    let tests: Vec<_> = (0..budgets).map(|i| (format!("b{i}"), format!("b{i}::p99"))).collect();
    let record = |store: &mut Store, nth: i64| {
        let mut run = entry(nth, &tests);
        run.revision.dirty = is_mixed && nth % 2 == 1;
        store.record(&run, &|| ()).unwrap();
    };
    let (mut store, _) = Counting::store(&file);
    for nth in 0..commits {
        record(&mut store, nth);
    }
    let directory = place.path().join("site");
    [commits, commits + 2].map(|nth| {
        record(&mut store, nth);
        let (counted, asked) = Counting::store(&file);
        asked.set(QueryCount::default());
        let settings = Settings {
            directory: &directory,
            branch: Some("main"),
            title: "counted",
            commit_url: None,
            last: 10,
            commits: 500,
        };
        let quiet = Progress::new(true);
        let site = made(counted, &Place::File(file.clone()), None, &settings, quiet).unwrap();
        assert_eq!((site.budgets, site.limits), (budgets, budgets));
        assert!(site.written > budgets, "{site:?}");
        asked.get().statements
    })
}

#[test]
fn a_site_of_many_budgets_and_commits_takes_few_statements() {
    let few = statements(3, 4, false);
    // The series, the commits, what is recent, what is new, the outcomes of the series, and those of the runs.
    assert_eq!(few, [6, 6]);
    assert_eq!(statements(20, 12, false), few);
    // One more for the series that are beyond a hundred.
    assert_eq!(statements(105, 2, false), [7, 7]);
    // And one more for those of which a tree with uncommitted changes was measured.
    assert_eq!(statements(20, 12, true), [7, 7]);
}

#[test]
fn a_part_has_at_most_what_it_may_have_or_one_item() {
    let parts = pages::parts(vec![3, 4, 2, 9, 30, 1, 9, 1], 10, |&size| size);
    assert_eq!(parts, [vec![3, 4, 2], vec![9], vec![30], vec![1, 9], vec![1]]);
}
