//! The string literals of a source.

/// Returns the string literals of a source, each with the place where it begins. Text within a comment is no literal.
pub(super) fn literals(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let (length, text) = token(code, at);
        found.extend(text.map(|text| (at, text)));
        at += length;
    }
    found
}

/// Returns the length of the token that begins at a place: a comment, a literal, or else one character. The second part is
/// the text of a string literal.
fn token(code: &str, at: usize) -> (usize, Option<String>) {
    let rest = &code[at..];
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (comment(rest), None);
    }
    if let Some(hashes) = raw_quote(code, at) {
        let text = &rest[hashes + 2..];
        let close = format!("\"{}", "#".repeat(hashes));
        let end = text.find(&close).unwrap_or(text.len());
        let length = (hashes + 2 + end + close.len()).min(rest.len());
        return (length, Some(text[..end].to_owned()));
    }
    match rest.chars().next() {
        Some('"') => {
            let (text, length) = quoted(rest);
            (length, Some(text))
        }
        Some('\'') => (character(rest), None),
        other => (other.map_or(1, char::len_utf8), None),
    }
}

/// Returns a source without the modules that are compiled for its own tests alone.
pub(super) fn without_tests(code: &str) -> String {
    let mut left = String::with_capacity(code.len());
    let mut at = 0;
    while at < code.len() {
        let length = module_of_tests(&code[at..]).map_or_else(
            || {
                let (length, _) = token(code, at);
                left.push_str(&code[at..at + length]);
                length
            },
            |start| start + block(&code[at + start..]),
        );
        at += length;
    }
    left
}

/// Returns the length of the beginning of a module of tests, up to its brace; `None` if none begins here.
fn module_of_tests(rest: &str) -> Option<usize> {
    let after =
        ["#[cfg(test)]", "#[cfg(all(test,"].iter().find_map(|start| rest.strip_prefix(start))?;
    // The condition ends with its line, and other attributes may follow on lines of their own. Anything else on the line of an
    // attribute is the item that the condition applies to.
    let (line, mut module) = after.split_once('\n')?;
    let ends = |line: &str| line.trim_end().ends_with(']');
    if !(line.trim().is_empty() || ends(line)) {
        return None;
    }
    while module.trim_start().starts_with("#[") {
        let (line, rest) = module.trim_start().split_once('\n')?;
        if !ends(line) {
            return None;
        }
        module = rest;
    }
    let name = module.trim_start().strip_prefix("mod ")?;
    let open = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ' '))?;
    name[open..].starts_with('{').then(|| rest.len() - name.len() + open)
}

/// Returns the length of a block, which begins with its brace.
fn block(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest.as_bytes()[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        at += token(rest, at).0;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the number of `#` of a raw string that begins here; `None` where none begins.
fn raw_quote(code: &str, at: usize) -> Option<usize> {
    let rest = code[at..].strip_prefix('r')?;
    let before = code[..at].trim_end_matches(['b', 'c']);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    (rest[hashes..].starts_with('"') && !before.ends_with(is_name)).then_some(hashes)
}

/// Returns the length of a comment between `/*` and `*/`, which may have others in it.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let remaining = &rest.as_bytes()[at..];
        if remaining.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if remaining.starts_with(b"*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Returns the text of a literal that begins with a quotation mark, and its length in the source.
fn quoted(rest: &str) -> (String, usize) {
    let mut text = String::new();
    let mut all = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = all.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match all.next() {
                Some((_, 'n' | 't' | 'r')) => text.push('\n'),
                Some((_, '0')) => text.push('\0'),
                Some((at, 'x')) => {
                    let (digits, length) = (rest.get(at + 1..at + 3).unwrap_or_default(), 2);
                    push_code(digits, &mut text);
                    all.by_ref().take(length).for_each(drop);
                }
                Some((at, 'u')) if rest[at + 1..].starts_with('{') => {
                    let digits = rest[at + 2..].split('}').next().unwrap_or_default();
                    push_code(&digits.replace('_', ""), &mut text);
                    all.by_ref().take(digits.chars().count() + 2).for_each(drop);
                }
                // The line goes on at the first character of the next one.
                Some((_, '\n')) => while all.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, rest.len())
}

/// Adds the character that has this number, in hexadecimal digits.
fn push_code(digits: &str, text: &mut String) {
    text.extend(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
}

/// Returns the length of a character such as `'"'`, or of the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut all = rest.char_indices().skip(1);
    match (all.next(), all.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            rest[from..].find('\'').map_or(1, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_are_read_whatever_is_around_them() {
        let code = "let a = 'x'; let q = '\"'; f::<'a>(\"one\"); // \"no\"\n/* \"no /* \"no\" */ */ r#\"two \" three\"# br\"four\" \
                    \"fi\\\n   ve\\\\six\" b'\\'' '\\u{41}' \"\"";
        let texts: Vec<String> = literals(code).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["one", "two \" three", "four", "five\\six", ""]);
    }

    #[test]
    fn a_module_of_tests_is_left_out() {
        let check = |code: &str, want: &str| assert_eq!(without_tests(code), want, "{code}");
        let tests =
            "#[cfg(test)]\nmod tests {\n    fn a() { b('}', \"}\", r\"}\"); /* } */ } // }\n}";
        check(&format!("one(\"é\");\n{tests}\ntwo();"), "one(\"é\");\n\ntwo();");
        check(&tests.replace("(test)", "(all(test, unix))"), "");
        check(&tests.replace("mod", "#[allow(x)]\nmod"), "");
        // Everything else stays: items for tests that are no modules, and text that only looks like a module of tests.
        for unchanged in [
            "#[cfg(test)]\nmod tests;\nfn a() {}",
            "#[cfg(test)]\nfn a() {}",
            "#[cfg(not(test))]\nmod a {\n}",
            "#[cfg(any(test, unix))]\nmod a {\n}",
            "let text = \"#[cfg(test)]\nmod a {\n}\";",
            "// #[cfg(test)]\nmod a {\n}",
            "#[cfg(test)] mod tests;\nmod a {\n}",
            "#[cfg(test)] use x;\nmod a {\n}",
            "#[cfg(test)]\n#[allow(x)] fn a() {}\nmod b {\n}",
        ] {
            check(unchanged, unchanged);
        }
    }

    #[test]
    fn characters_that_are_written_by_their_number_are_read() {
        let check = |code: &str, want: &str| assert_eq!(literals(code)[0].1, want, "{code}");
        check(r#"read("\x6eotes.md")"#, "notes.md");
        check(r#"read(b"a\x2Emd")"#, "a.md");
        check(r#"read("\u{6e}o\u{00_74}es.md\n")"#, "notes.md\n");
        check(r#"read("\u{1F600}.md")"#, "\u{1F600}.md");
        // The search also ends in code that the compiler refuses.
        check(r#"read("\x"#, "");
        check(r#"read("\u{6e"#, "n");
    }
}
