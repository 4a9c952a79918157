//! The parser of TOML text. It gives a tree with spans, and reports syntax errors.
//!
//! The tree is read even if the text has syntax errors, so that all mistakes are shown at once. To keep one
//! mistake from being shown as five, a section (from one `[table]` to the next) with a syntax error
//! shows its first syntax error and nothing else.

use std::ops::Range;

use toml::de::DeTable;

use super::collect::Mistakes;
use super::printable::quoted;
use super::problem::Problem;

/// The tree, and the sections with syntax errors, whose other problems are not shown.
pub(super) struct Syntax<'s> {
    pub tree: DeTable<'s>,
    broken: Vec<Range<usize>>,
}

/// Parses the text of `mistakes`, and reports syntax errors.
pub(super) fn parse<'s>(mistakes: &mut Mistakes<'s>) -> Syntax<'s> {
    let text = mistakes.source.text;
    let (tree, mut errors) = DeTable::parse_recoverable(text);
    let at = |e: &toml::de::Error| e.span().map_or(0, |span| span.start);
    errors.sort_by_cached_key(at);
    let mut broken: Vec<Range<usize>> = Vec::new();
    // An array or a table that is never closed includes everything that follows. Only its start is certain.
    let unclosed = errors.iter().any(|e| e.message().starts_with("unclosed"));
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        if broken.last().is_some_and(|section| span.start < section.end) {
            continue;
        }
        let problem = translate(mistakes, error.message(), &span);
        let is_harmless = matches!(problem.damage, Damage::None);
        mistakes.report(problem.problem);
        if !is_harmless {
            mistakes.is_malformed = true;
            let mut section = section(mistakes, span.start);
            if unclosed {
                section.end = usize::MAX;
            }
            broken.push(section);
        }
    }
    Syntax { tree: tree.into_inner(), broken }
}

impl Syntax<'_> {
    /// Removes the problems in sections with syntax errors, since these may be consequences of the syntax errors. Only the
    /// problems from index `from` on are looked at.
    pub(super) fn remove_consequences(&self, mistakes: &mut Mistakes<'_>, from: usize) {
        let is_independent = |p: &Problem| {
            let next = self.broken.partition_point(|section| section.end <= p.at.start);
            self.broken.get(next).is_none_or(|section| p.at.start < section.start)
        };
        let later = mistakes.problems.split_off(from);
        mistakes.problems.extend(later.into_iter().filter(is_independent));
    }
}

/// Whether something is missing in the tree because of a syntax error.
enum Damage {
    /// The value was read all the same.
    None,
    /// The rest of the section may be missing.
    Section,
}

/// A message of the parser in plainer words.
struct Translated {
    problem: Problem,
    damage: Damage,
}

/// Returns the section of a place: from the header above it to the next header.
fn section(mistakes: &Mistakes<'_>, at: usize) -> Range<usize> {
    let source = &mistakes.source;
    let is_header = |line: usize| source.text[source.line_span(line)].trim_start().starts_with('[');
    let here = source.line(at);
    let lines = source.line(source.text.len());
    let first = (0..=here).rev().find(|&line| is_header(line)).unwrap_or(0);
    let next = (here + 1..=lines).find(|&line| is_header(line));
    source.line_span(first).start..next.map_or(usize::MAX, |line| source.line_span(line).start)
}

/// Translates a message of the parser into plainer words, with a remedy.
fn translate(mistakes: &Mistakes<'_>, message: &str, span: &Range<usize>) -> Translated {
    let text = mistakes.source.text;
    let at = span.clone();
    let found = text.get(at.clone()).unwrap_or_default();
    let harmless = |problem| Translated { problem, damage: Damage::None };
    let harms = |problem| Translated { problem, damage: Damage::Section };
    if message.starts_with("duplicate key") {
        return harmless(duplicate(mistakes, span, found));
    }
    if message.starts_with("string values must be quoted") {
        if found.trim().is_empty() {
            return harms(Problem::new(at, "key has no value").help("write one after the `=`"));
        }
        let bare = super::printable::printable(found).replace(['"', '\\'], "");
        return harmless(
            Problem::new(at, format!("{} is not in quotes", quoted(found)))
                .help(format!("write \"{}\"", bare.trim())),
        );
    }
    if message.starts_with("invalid multi-line") {
        let quotes = if message.contains("literal") { "'''" } else { "\"\"\"" };
        let problem = Problem::new(at.clone(), format!("the text is not closed by {quotes}"))
            .help(format!("write {quotes} where it ends"));
        return harms(match text[..at.start].rfind(quotes) {
            Some(open) => problem.also(open..open + 3, "opened here"),
            None => problem,
        });
    }
    if message.starts_with("invalid basic string, expected `\"`")
        || message.starts_with("invalid literal string, expected `'`")
    {
        return harms(
            Problem::new(at, "the text is not closed on its line")
                .help("write the same quote at its end as at its start"),
        );
    }
    if message.starts_with("missing comma") || message.starts_with("unclosed") {
        return harms(Problem::new(at, message.to_owned()).help(
            "put a `,` between two elements, and after the last `]` or `}` for what is open",
        ));
    }
    if message.starts_with("key with no value") {
        return harms(
            Problem::new(at, "key has no value").help("write `key = value`, or `[table]`"),
        );
    }
    harms(Problem::new(at, message.to_owned()).help("the file has to be TOML: see https://toml.io"))
}

/// Makes the problem of two keys or tables with the same name, and finds the first of them.
fn duplicate(mistakes: &Mistakes<'_>, span: &Range<usize>, found: &str) -> Problem {
    let source = &mistakes.source;
    let here = source.line(span.start);
    let line = |i: usize| source.text[source.line_span(i)].trim();
    let problem = Problem::new(span.clone(), format!("{} is defined twice", quoted(found)))
        .help("keep one of the two");
    if !mistakes.is_shown() {
        return problem;
    }
    let header = line(here).starts_with('[');
    let first = if header {
        (0..here).find(|&i| line(i) == line(here))
    } else {
        let rest = (0..here).rev().take_while(|&i| !line(i).starts_with('['));
        rest.filter(|&i| {
            let after = line(i).strip_prefix(found).map(str::trim_start);
            after.is_some_and(|after| after.starts_with(['=', '.']))
        })
        .last()
    };
    match first {
        Some(first) => problem.also(source.line_span(first), "first here"),
        None => problem,
    }
}
