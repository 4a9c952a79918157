//! How the text of `budgets.toml` and of `budgets.lock` becomes values, or a list of every mistake in it.
//!
//! `syntax` makes a tree of the text. `file` and `lock` are the readers of a whole file, and call the reader of each
//! table and key. A reader adds what is wrong as a `problem` to the `collect`ed ones, and `source` draws each with its
//! line and a caret. `key` has the names of all keys, from which the JSON schema is made too.

mod budget_table;
mod build;
mod by_case;
mod case;
mod collect;
mod declared;
mod environment;
pub(super) mod file;
mod key;
mod limit;
mod load;
pub(super) mod lock;
mod metric_name;
mod name;
mod printable;
mod problem;
mod read;
mod reference;
mod scaling;
#[cfg(test)]
mod schema;
mod settings;
mod source;
mod subject;
mod syntax;
mod target;
mod unit;
mod waiver;

#[cfg(test)]
mod tests;
