//! A history that counts what it is asked, for tests of how many statements a command needs.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use perf_budget_core::outcome::Outcome;

use super::database::{Database, Fault, Row, Value};
use super::entry::{Entry, HARNESS, Measured};
use super::revision::Revision;
use super::sqlite::Sqlite;
use super::store::Store;

/// The number of statements that a connection was asked, and of the rows that it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct QueryCount {
    pub(crate) statements: usize,
    pub(crate) rows: usize,
}

/// A database that counts.
pub(crate) struct Counting(Sqlite, Rc<Cell<QueryCount>>);

impl Counting {
    /// Makes a history in a file, and returns it with the count of what it is asked.
    pub(crate) fn store(file: &Path) -> (Store, Rc<Cell<QueryCount>>) {
        let count = Rc::new(Cell::new(QueryCount::default()));
        let database = Counting(Sqlite::create(file).unwrap(), Rc::clone(&count));
        (Store::new(Box::new(database)).unwrap(), count)
    }

    fn add(&self, rows: usize) {
        let QueryCount { statements, rows: before } = self.1.get();
        self.1.set(QueryCount { statements: statements + 1, rows: before + rows });
    }
}

impl Database for Counting {
    fn place(&self) -> &str {
        self.0.place()
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, Fault> {
        self.add(0);
        self.0.run(sql, values)
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let rows = self.0.rows(sql, values)?;
        self.add(rows.len());
        Ok(rows)
    }

    fn script(&mut self, sql: &str) -> Result<(), Fault> {
        self.add(0);
        self.0.script(sql)
    }

    fn has_table(&mut self, name: &str) -> Result<bool, Fault> {
        self.0.has_table(name)
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.add(0);
        self.0.begin()
    }

    fn lock_schema(&mut self) -> Result<(), Fault> {
        self.0.lock_schema()
    }
}

/// Returns the nth run of these tests, each as its budget and its name, with its number as the value.
pub(crate) fn entry(nth: i64, tests: &[(String, String)]) -> Entry {
    let value = |(budget, test): &(String, String)| {
        let (test, budget) = (test.clone(), budget.clone());
        let outcome = Outcome { test, budget, metric: "p99".to_owned(), ..Outcome::default() };
        Measured { value: Some(nth as f64), ..Measured::from_outcome(&outcome) }
    };
    Entry {
        id: format!("run-{nth}"),
        began: 1000 + nth,
        revision: Revision {
            commit: Some(format!("{nth:040x}")),
            committed: Some(1000 + nth),
            dirty: false,
            branch: Some("main".to_owned()),
        },
        environment: "a machine".to_owned(),
        version: String::new(),
        source: HARNESS.to_owned(),
        values: tests.iter().map(value).collect(),
    }
}
