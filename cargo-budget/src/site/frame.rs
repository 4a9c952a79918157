//! The parts that all pages have in common: the head, the way back to the overview, and the foot.

use maud::{DOCTYPE, Markup, html};
use perf_budget_core::verdict::Verdict;

use super::state::Row;
use crate::history::NO_VERDICT;
use crate::report::html::escape::Text;
use crate::report::html::mark;

/// The files that all pages use, with their texts.
pub(super) const ASSETS: [(&str, &str); 2] = [
    ("assets/site.css", concat!(include_str!("../report/html/page.css"), include_str!("site.css"))),
    ("assets/site.js", include_str!("site.js")),
];

/// A page may use the style and the scripts beside it and nothing else. `file:` is for a site that is opened as files,
/// where a browser may not take `'self'` for the directory.
const POLICY: &str = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; base-uri 'none'; \
                      form-action 'none'";

/// The word in place of a verdict where a limit is no longer measured.
pub(super) const GONE: &str = "gone";

/// The title and the place of a page.
pub(super) struct Page<'t> {
    pub(super) project: &'t str,
    /// The title; empty on the overview.
    pub(super) title: &'t str,
    /// The way from the page to the directory of the site: `` or `../`.
    pub(super) up: &'static str,
}

/// Renders a page around its contents.
pub(super) fn page(page: &Page<'_>, contents: &Markup) -> String {
    let up = page.up;
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content="cargo budget site";
                title {
                    @if !page.title.is_empty() { (Text(page.title)) ": " }
                    (Text(page.project))
                }
                link rel="stylesheet" href=(format!("{up}assets/site.css"));
                script src=(format!("{up}assets/site.js")) defer {}
            }
            body.site data-up=(up) {
                a.skip href="#main" { "Skip to the contents" }
                header.top {
                    div.bar {
                        p.home {
                            @if page.title.is_empty() { span.project { (Text(page.project)) } }
                            @else { a.project href=(format!("{up}index.html")) { (Text(page.project)) } }
                            " " span.what { "performance over time" }
                        }
                        button #theme type="button" hidden { "Dark theme" }
                    }
                }
                main #main tabindex="-1" { (contents) }
                footer.foot { p { "Made by " code { "cargo budget site" } " from the recorded history. Times are UTC." } }
            }
        }
    };
    whole.into_string() + "\n"
}

/// Renders a verdict of the history: its sign and its word. Values of other tools have none.
pub(super) fn verdict(name: &str, is_red: bool) -> Markup {
    marked(verdict_from_history(name, is_red), word(name))
}

/// Renders the verdict of a test. A test that is no longer measured has none, whatever its last outcome was.
pub(super) fn verdict_of(row: &Row) -> Markup {
    if row.is_gone { marked(Verdict::Skipped, GONE) } else { verdict(&row.verdict, row.is_red) }
}

fn marked(verdict: Verdict, word: &str) -> Markup {
    html! { span.verdict.(verdict.name()) { (mark::verdict(verdict, 18)) span { (Text(word)) } } }
}

/// Returns the word for a verdict of the history.
pub(super) fn word(name: &str) -> &str {
    match name {
        NO_VERDICT => "not judged",
        "unsure" => "inconclusive",
        name => name,
    }
}

/// Returns the verdict of this name in the history. For a name that only another version knows, it returns a verdict of the
/// same colour.
pub(super) fn verdict_from_history(name: &str, is_red: bool) -> Verdict {
    let known = Verdict::ALL.into_iter().find(|verdict| verdict.name() == name);
    known.unwrap_or(match (name, is_red) {
        ("unsure", _) => Verdict::Inconclusive,
        (_, true) => Verdict::Unmeasured,
        (_, false) => Verdict::Skipped,
    })
}

/// Renders the links to the other parts of a page that has several.
pub(super) fn parts(names: &[String], current: usize) -> Markup {
    let file = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    html! {
        @if names.len() > 1 {
            nav.parts-of aria-label="Pages" {
                @for (i, name) in names.iter().enumerate() {
                    @if i == current { b aria-current="page" { (i + 1) } }
                    @else { a href=(file(name)) { (i + 1) } }
                }
            }
        }
    }
}

/// Returns an SVG path through points, `None` being a gap.
pub(super) fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    use std::fmt::Write as _;
    let (mut path, mut is_down) = (String::new(), false);
    for point in points {
        let Some((x, y)) = point else {
            is_down = false;
            continue;
        };
        let _ = write!(path, "{}{} {}", if is_down { 'L' } else { 'M' }, place(x), place(y));
        is_down = true;
    }
    path
}

/// Returns a coordinate with at most one decimal.
pub(super) fn place(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
