//! The texts in a file that may be paths: the string literals of a source, and the words in them.
//!
//! A part of a path that is known only when the program runs, such as `{name}`, `%s` or `*`, may be anything.

use std::collections::HashSet;

use super::literals::literals;

/// The macros that compile a file into the program.
const INCLUDE: [&str; 3] = ["include!", "include_bytes!", "include_str!"];
/// The characters that separate words in a text, besides white space. An option and its value are two words.
const BETWEEN: &str = "\"'`,;:=@|()<>[]&!\0";

/// The keys of conditions by which the compiler leaves out code. Their values are names of features and platforms.
const CONDITIONS: [&str; 10] = [
    "feature",
    "panic",
    "target_abi",
    "target_arch",
    "target_env",
    "target_family",
    "target_feature",
    "target_has_atomic",
    "target_os",
    "target_vendor",
];

/// The methods whose argument is a text in which a dot is no path.
pub(super) const OF_TEXTS: [&str; 14] = [
    "split",
    "rsplit",
    "splitn",
    "rsplitn",
    "split_once",
    "rsplit_once",
    "contains",
    "starts_with",
    "ends_with",
    "find",
    "rfind",
    "replace",
    "strip_prefix",
    "strip_suffix",
];

/// A text that may be a path, or the end of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Word {
    /// The parts of the path in lower case, without `.` and `..`. What may be anything is a `*`. The case is left out because a
    /// program may change it in a name, and some systems ignore it.
    pub(super) parts: Vec<String>,
    /// Whether the word may mean a directory. It may if it is the whole text, and not a word in it; or if a separator or a part
    /// that may be anything follows.
    pub(super) is_whole: bool,
    /// Whether what stands before the first part may be any directory.
    pub(super) is_anywhere: bool,
    /// Whether it is the argument of a macro that compiles the file into the program.
    pub(super) is_included: bool,
}

/// Returns the words of a source's string literals.
pub(super) fn of_source(code: &str) -> HashSet<Word> {
    let runs_shell = ["\"sh\"", "\"bash\"", "/sh\"", "/bash\"", "sh -c", "\"cmd\""]
        .iter()
        .any(|shell| code.contains(shell));
    let mut words = HashSet::new();
    for (start, text) in literals(code) {
        let before = code[..start].trim_end();
        if is_condition(before, &text) {
            continue;
        }
        let called = before.strip_suffix('(').map(str::trim_end).unwrap_or_default();
        let name = called.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!')).next();
        let name = name.unwrap_or_default();
        if name.ends_with("_extension") {
            add(&format!("*.{text}"), &mut words, (false, false));
        }
        // `text.ends_with(".md")` only asks for an ending. Elsewhere a program may append the ending to a path.
        let is_ending = text.starts_with('.') && !text.contains('/');
        if is_ending && !OF_TEXTS.contains(&name) && text.len() > 1 {
            add(&format!("*{text}"), &mut words, (false, false));
        }
        add(&text, &mut words, (INCLUDE.contains(&name), runs_shell));
    }
    words
}

/// Whether a literal is the name of a feature or of a platform, as in `#[cfg(target_os = "windows")]`, and no path. `before` is
/// what is before it.
fn is_condition(before: &str, text: &str) -> bool {
    let before = before.strip_suffix('=').map_or("", str::trim_end);
    let mut conditions = CONDITIONS.iter().filter_map(|key| before.strip_suffix(key));
    let is_in_list = conditions.any(|before| before.trim_end().ends_with(['(', ',']));
    is_in_list && !text.contains(['/', '.'])
}

/// Returns the words of any other file that is read, such as a list of cases.
pub(super) fn of_text(text: &str) -> HashSet<Word> {
    let mut words = HashSet::new();
    for line in text.lines() {
        add(line.trim(), &mut words, (false, false));
        // A value or an entry may be a path as a whole, such as `docs` in `src = 'docs'`, `docs_dir: docs` and `- docs`.
        let values = line.split(['"', '\'']).chain(line.split([':', '=']).skip(1));
        for value in values.chain(line.trim_start().strip_prefix("- ")) {
            add(value, &mut words, (false, false));
        }
    }
    words
}

/// Adds a text, which may be a path as a whole, and the words in it.
fn add(text: &str, words: &mut HashSet<Word>, (is_included, is_command): (bool, bool)) {
    let text = with_wildcards(text);
    let whole = text.trim();
    let add = |part: &str, is_whole: bool, words: &mut HashSet<Word>| {
        if let Some(word) = word(part) {
            words.insert(Word { is_whole: is_whole || word.is_whole, is_included, ..word });
        }
    };
    if !whole.contains("://") && !whole.contains('\n') {
        add(whole, true, words);
    }
    // An address on the network is no file.
    let pieces = whole.split(|c: char| c.is_whitespace() || "\"'`()<>".contains(c));
    for piece in
        pieces.filter(|piece| !piece.starts_with("http://") && !piece.starts_with("https://"))
    {
        for part in piece.split(|c: char| BETWEEN.contains(c)) {
            if part != whole {
                add(part.trim_end_matches('.'), is_command, words);
            }
        }
    }
}

/// Makes a word of a text without white space; `None` where it names nothing.
fn word(text: &str) -> Option<Word> {
    let mut parts: Vec<&str> =
        text.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let mut is_directory = text.ends_with('/');
    if let Some(at) = parts.iter().position(|part| *part == "**") {
        // `**` stands for everything below the directory before it. Without such a directory, only the last part is known.
        let last = parts.pop();
        if at > 0 {
            parts.truncate(at);
            is_directory = true;
        } else {
            parts = last.into_iter().collect();
        }
    }
    while parts.last().is_some_and(|part| is_anything(part)) {
        parts.pop();
        is_directory = true;
    }
    let known = parts.iter().take_while(|part| is_anything(part)).count();
    let is_anywhere = known > 0;
    let parts: Vec<String> = parts[known..].iter().map(|part| part.to_lowercase()).collect();
    (!parts.is_empty()).then_some(Word {
        parts,
        is_whole: is_directory,
        is_anywhere,
        is_included: false,
    })
}

/// Whether nothing of a part is known.
fn is_anything(part: &str) -> bool {
    !part.chars().any(|c| c.is_alphanumeric() || c == '_')
}

impl Word {
    /// Whether the word names a file in the directory of these parts. All are in small letters.
    pub(super) fn names_file(&self, file: &str, above: &[&str]) -> bool {
        let last = self.last();
        if last == file {
            return true;
        }
        let before = self.parts.len().checked_sub(2).map(|at| self.parts[at].as_str());
        let is_beside = || match (before, above.last()) {
            (Some(before), Some(directory)) => matches(before, directory),
            _ => false,
        };
        if last.contains('*') {
            // `*.md` is a file of the directory that is named before it; `doc_*.md` is a file of any directory.
            return matches(last, file)
                && match before {
                    Some(_) if last.starts_with('*') => is_beside(),
                    _ => self.says_enough(),
                };
        }
        // A text that another one is appended to: `"LICENSE-"`, `"corpus/a"`.
        let is_begun = file.strip_prefix(last).is_some_and(|rest| !rest.is_empty());
        is_begun && (self.ends_open() || (!last.contains('.') && is_beside()))
    }

    /// Whether the last part may be the beginning of a longer name.
    pub(super) fn may_begin(&self) -> bool {
        self.ends_open() || (!self.last().contains('.') && self.parts.len() > 1)
    }

    fn ends_open(&self) -> bool {
        self.last().len() > 2 && self.last().ends_with(['-', '_', '.'])
    }

    /// Whether the word names the directory of these parts, which are in small letters. `can_start` says whether a program may
    /// begin with the directory that it is in.
    pub(super) fn names_directory(&self, path: &[&str], can_start: &dyn Fn() -> bool) -> bool {
        let Some((directory, above)) = path.split_last() else { return false };
        if !matches(self.last(), directory) || !self.says_enough() {
            return false;
        }
        let before = self.parts.len().checked_sub(2).map(|at| self.parts[at].as_str());
        let is_below =
            before.zip(above.last()).is_some_and(|(before, above)| matches(before, above));
        let is_path = self.is_whole || before.is_some() || self.is_anywhere;
        is_below || (is_path && (self.is_anywhere || can_start()))
    }

    /// Whether enough of the last part is known to take it for a name, although a part of it may be anything.
    fn says_enough(&self) -> bool {
        let last = self.last();
        let known = last.chars().filter(|c| c.is_alphanumeric()).count();
        let has_ending = last
            .rsplit_once('.')
            .is_some_and(|(_, ending)| !ending.is_empty() && !ending.contains('*'));
        !last.contains('*') || has_ending || known > 2
    }

    pub(super) fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }
}

/// Whether a name matches a text in which each `*` may be anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

/// Whether a text contains a name that is not a part of a longer one.
pub(super) fn says(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + name.len()..].starts_with(is_part)
    })
}

/// Replaces what a program fills in by `*`: `{name}`, `%s`, `$name`, `?`. Separators become `/`.
fn with_wildcards(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let end = match first {
            '{' => after.find('}').filter(|at| is_placeholder(&after[..*at])).map(|at| at + 1),
            '%' => after
                .find(|c: char| !(c.is_ascii_digit() || "-+.".contains(c)))
                .filter(|at| after[*at..].starts_with(|c: char| c.is_ascii_alphabetic()))
                .map(|at| at + 1),
            '$' => {
                let name = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                (name.len() < after.len()).then_some(after.len() - name.len())
            }
            '?' => Some(0),
            _ => None,
        };
        match (end, first) {
            (Some(end), _) => {
                plain.push('*');
                rest = &after[end..];
                continue;
            }
            (None, '\\') => plain.push('/'),
            (None, '{' | '}') => plain.push(' '),
            (None, other) => plain.push(other),
        }
        rest = after;
    }
    plain
}

/// Whether the text between braces is a placeholder. Otherwise the braces belong to a text such as JSON.
fn is_placeholder(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || "_.:?#$*<>^+-,".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_fills_in_may_be_anything() {
        let check = |text: &str, want: &str| assert_eq!(with_wildcards(text), want, "{text}");
        check("a/doc_{n:>3}.md", "a/doc_*.md");
        check("%s/%02d.md is 5 %", "*/*.md is 5 %");
        check("${dir}/$name.md", "$*/*.md");
        check("{\"file\":\"a.md\"}", " \"file\":\"a.md\" ");
        check("a\\b?.md", "a/b*.md");
        assert!(
            matches("doc_*.md", "doc_1.md") && matches("*a*b*", "xaxbx") && !matches("a*a", "a")
        );
        assert!(!matches("*.md", "a.mdx") && !matches("x*", "y") && matches("a", "a"));
    }
}
