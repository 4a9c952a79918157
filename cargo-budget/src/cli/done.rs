//! The report of a command that writes files: line by line for people, and in one document at the end for programs.

use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::output::show;
use super::rendering::{Rendering, document};
use crate::edit;
use crate::exit::Exit;
use crate::failure::Failure;

/// The work that a command has done so far.
pub(super) struct Done {
    context: Context,
    format: Rendering,
    document: Document,
}

/// The document, as `cargo-budget/schema/edits.schema.json` describes it.
#[derive(Debug, Serialize)]
struct Document {
    version: u8,
    command: &'static str,
    is_dry: bool,
    files: Vec<Edited>,
    entries: Vec<Entry>,
    notes: Vec<String>,
}

/// A file and its change.
#[derive(Debug, Serialize)]
struct Edited {
    file: String,
    change: &'static str,
    difference: String,
}

/// The change of one thing, such as a limit.
#[derive(Debug, Serialize)]
struct Entry {
    what: &'static str,
    name: String,
    /// The value as it is in the file, where it is a new limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    sentence: String,
}

impl Done {
    /// Returns a report without entries. `is_dry` says that the command writes no file.
    pub(super) fn new(
        command: &'static str,
        is_dry: bool,
        format: Rendering,
        context: Context,
    ) -> Done {
        let (files, entries, notes) = (Vec::new(), Vec::new(), Vec::new());
        let document = Document { version: 1, command, is_dry, files, entries, notes };
        Done { context, format, document }
    }

    /// Adds the change of a file, and shows people the difference.
    pub(super) fn show_change(
        &mut self,
        before: Option<&str>,
        after: &str,
        name: &str,
    ) -> Result<(), Failure> {
        self.add_change(before, after, name);
        match self.format {
            Rendering::Text => show(&edit::difference(before, after, name)),
            Rendering::Json => Ok(()),
        }
    }

    /// Adds the change of a file, and returns the kind of the change: `none`, `wrote` or `edited`.
    pub(super) fn add_change(
        &mut self,
        before: Option<&str>,
        after: &str,
        name: &str,
    ) -> &'static str {
        let is_same = before.unwrap_or_default() == after;
        let change = match before {
            _ if is_same => "none",
            None => "wrote",
            Some(_) => "edited",
        };
        let difference =
            if is_same { String::new() } else { edit::difference(before, after, name) };
        let difference = anstream::adapter::strip_str(&difference).to_string();
        self.document.files.push(Edited { file: name.to_owned(), change, difference });
        change
    }

    /// Adds what was done with one thing.
    pub(super) fn entry(&mut self, what: &'static str, name: &str, sentence: &str) {
        self.context.tell(&line(what, name, sentence));
        self.add(what, name, None, sentence);
    }

    /// Adds a thing that was refused. People see it even with `--quiet`.
    pub(super) fn refusal(&mut self, what: &'static str, name: &str, sentence: &str) {
        self.context.warn_always(&line(what, name, sentence));
        self.add(what, name, None, sentence);
    }

    /// Adds a limit that was added to the file (`what` is `added`) or only suggested. People see suggestions elsewhere.
    pub(super) fn limit(&mut self, what: &'static str, name: &str, value: &str, basis: &str) {
        if what == "added" {
            self.context.tell(&line(what, name, &format!("{value}: {basis}")));
        }
        self.add(what, name, Some(value.to_owned()), basis);
    }

    fn add(&mut self, what: &'static str, name: &str, value: Option<String>, sentence: &str) {
        let (name, sentence) = (name.to_owned(), sentence.to_owned());
        self.document.entries.push(Entry { what, name, value, sentence });
    }

    /// Adds a note: what a reader has to know or to do.
    pub(super) fn note(&mut self, text: &str) {
        self.context.tell(&format!("note      {text}"));
        self.document.notes.push(text.to_owned());
    }

    /// Adds a remark on the whole command, such as that there was nothing to do.
    pub(super) fn remark(&mut self, text: &str) {
        self.context.tell(text);
        self.document.notes.push(text.to_owned());
    }

    /// Ends the command, and prints its document for programs.
    pub(super) fn end(self, exit: Exit) -> Result<Exit, Failure> {
        if self.format.is_json() {
            let mut json = json!(self.document);
            json["exit"] = exit.code().into();
            document(&json)?;
        }
        Ok(exit)
    }
}

fn line(what: &str, name: &str, sentence: &str) -> String {
    let colon = if sentence.is_empty() { "" } else { ": " };
    format!("{what:<9} {name}{colon}{sentence}")
}
