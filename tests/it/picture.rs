//! The picture in the README: a red that was really measured, as the terminal shows it today. It is drawn from the recorded
//! outcome, so that it never shows words which the product does not say. `UPDATE_SNAPSHOTS=1` draws it again.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use perf_budget_core::record;
use perf_budget_core::report::terminal;

/// The outcome, as the harness recorded it.
const OUTCOME: &str = "docs/images/red.jsonl";
/// The drawing of it.
const PICTURE: &str = "docs/images/red.svg";

/// The longest line that a narrow page still shows in letters that can be read.
const WIDTH: usize = 104;
/// The size of a letter, and the distance of two lines, in pixels.
const LETTER: (f64, usize) = (7.83, 19);
/// The margin around the text, in pixels.
const MARGIN: usize = 18;

#[test]
fn the_picture_shows_what_the_terminal_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outcomes = record::read(&root.join(OUTCOME)).unwrap().outcomes;
    let outcome = outcomes.first().expect("a recorded outcome");
    assert!(
        outcome.is_red(),
        "the picture shows a red, and this outcome is {}",
        outcome.verdict.name()
    );
    let drawn = draw(&format!("---- {} ----\n{}", outcome.test, terminal::explain(outcome)));
    let path = root.join(PICTURE);
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let picture = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == picture,
        "{PICTURE} is not what the terminal shows; draw it again with UPDATE_SNAPSHOTS=1"
    );
}

/// Draws a text as a terminal shows it, with the names of its rows in another colour.
fn draw(text: &str) -> String {
    let lines: Vec<String> = text.lines().flat_map(wrap).collect();
    let width = (WIDTH as f64 * LETTER.0).ceil() as usize + 2 * MARGIN;
    let height = lines.len() * LETTER.1 + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"a red limit on the terminal\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>\n\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"13\" fill=\"#c9d1d9\">\n"
    );
    for (nth, line) in lines.iter().enumerate() {
        let y = MARGIN + nth * LETTER.1 + LETTER.1 * 3 / 4;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", coloured(line, nth));
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Breaks a line that is too long between two words, and indents the rest like the text of its row.
fn wrap(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last + word.trim_end().chars().count() > WIDTH {
            lines.push(" ".repeat(13));
        }
        lines.last_mut().expect("one at least").push_str(word);
    }
    lines
}

/// Colours the sentence of the verdict and the name of a row.
fn coloured(line: &str, nth: usize) -> String {
    let span =
        |colour: &str, text: &str| format!("<tspan fill=\"{colour}\">{}</tspan>", escape(text));
    match line.strip_prefix("  ").and_then(|row| row.split_once("  ")) {
        _ if nth == 0 => span("#8b949e", line),
        _ if nth == 1 => span("#ff7b72", line),
        Some((name, _)) if !name.is_empty() && !name.starts_with(' ') => {
            let (name, rest) = line.split_at(2 + name.len());
            format!("{}{}", span("#79c0ff", name), escape(rest))
        }
        _ => escape(line),
    }
}

/// Writes a text as XML. Its blanks are kept, as not every browser honours `xml:space`.
fn escape(text: &str) -> String {
    text.replace(' ', "\u{a0}").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[test]
fn a_long_line_is_broken_between_words() {
    let line = format!("  note       {}", "word ".repeat(30));
    let broken = wrap(line.trim_end());
    assert_eq!(broken.len(), 2);
    assert!(broken.iter().all(|line| line.trim_end().chars().count() <= WIDTH), "{broken:?}");
    assert!(broken[1].starts_with("             word"));
}
