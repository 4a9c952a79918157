//! Tests with thousands of broken files: each is read or refused with a line, and none makes the reader panic.

use super::{fixture, parse};

/// Reads a text. If it is refused, the message must have a problem with its place.
#[track_caller]
fn check(text: &str) {
    if let Err(error) = parse(text) {
        let shown = error.to_string();
        assert!(error.is_config());
        assert!(shown.starts_with("error: "), "{shown}\nof\n{text}");
        let lines = text.split('\n').count();
        let at = shown.split("budgets.toml:").nth(1).and_then(|rest| rest.split(':').next());
        let line: usize = at.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{shown}"));
        assert!((1..=lines).contains(&line), "line {line} of {lines}:\n{shown}\nof\n{text}");
    }
}

/// Marsaglia's xorshift64: the same sequence everywhere.
struct SeededRandom(u64);

impl SeededRandom {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn cut_off_anywhere() {
    for text in [fixture("full.toml"), fixture("design.toml").replace('\n', "\r\n")] {
        text.char_indices().for_each(|(end, _)| check(&text[..end]));
    }
}

#[test]
fn without_any_one_character() {
    let text = fixture("full.toml");
    for (i, c) in text.char_indices() {
        check(&format!("{}{}", &text[..i], &text[i + c.len_utf8()..]));
    }
}

/// Every value is replaced by values of other types, at every place where a value can be.
#[test]
fn with_a_value_of_another_type() {
    let values = [
        "3",
        "-1",
        "0.5",
        "nan",
        "true",
        "\"\"",
        "\"text\"",
        "'1 ms'",
        "[]",
        "[[]]",
        "{}",
        "{ a = 1 }",
        "1979-05-27T07:32:00Z",
        "[1, 'a', {}]",
        "0x",
        "99999999999999999999",
        "'1 x base'",
        "'1 x '",
    ];
    let text = fixture("full.toml");
    for (i, _) in text.match_indices("= ") {
        let start = i + 2;
        let rest = &text[start..];
        let ends = rest.find('\n').into_iter().chain(rest.find([',', '}', ']']));
        for end in ends {
            for value in values {
                check(&format!("{}{value}{}", &text[..start], &rest[end..]));
            }
        }
    }
}

#[test]
fn with_random_changes() {
    let alphabet: Vec<char> =
        "[]{}=.,\"'#\\\n\r\t x-:%1eµ日\u{0}\u{1b}\u{feff}\u{202e}\u{10ffff}".chars().collect();
    let text: Vec<char> = (fixture("design.toml") + &fixture("full.toml")).chars().collect();
    let mut random = SeededRandom(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let from = random.below(text.len());
        let mut piece = text[from..(from + 400).min(text.len())].to_vec();
        for _ in 0..=random.below(6) {
            let at = random.below(piece.len());
            match random.below(4) {
                0 => drop(piece.remove(at)),
                1 => piece[at] = alphabet[random.below(alphabet.len())],
                2 => piece.insert(at, alphabet[random.below(alphabet.len())]),
                _ => piece.rotate_left(at),
            }
            if piece.is_empty() {
                piece.push('x');
            }
        }
        check(&piece.into_iter().collect::<String>());
    }
}

/// The reading of such a file must end, and the message must not be too long.
#[test]
fn very_long_or_deeply_nested() {
    for text in [
        "[".repeat(5000),
        "a.".repeat(5000),
        "{a=".repeat(5000),
        "x=1,".repeat(20_000),
        "\n".repeat(20_000) + "x",
        "[budget.a]\n".repeat(2000),
        format!("[budget.a]\nworkload = 'w'\nmax = {{ p99 = \"{}\" }}", "9".repeat(20_000)),
        format!("[budget.{}]", "é".repeat(20_000)),
    ] {
        check(&text);
        let shown = parse(&text).unwrap_err().to_string();
        assert!(shown.len() < 60_000, "{} bytes shown", shown.len());
    }
}
