//! Tests in Chromium, where it is installed: how the page of a report behaves, and `cargo budget open`.
//!
//! This is a target of its own, which the everyday loop leaves out: `cargo test -p cargo-budget --test browser`

#[path = "../report/command.rs"]
mod command;
mod open;
#[path = "../history/project.rs"]
#[expect(dead_code, reason = "the tests of the history use more of it")]
mod project;
#[path = "../schemas/mod.rs"]
mod schemas;
mod site;

use std::path::Path;
use std::process::Command;

use crate::command::{Scratch, file, run, skipped};

/// Returns the page of a record as the browser has it after its script ran; `None` without a browser.
///
/// `actions` is a script that does what a reader would do. The content security policy would not allow it, so the
/// page then comes without the policy. Without `actions` the page is unchanged.
fn dom(scratch: &Scratch, input: &str, actions: &str) -> Option<String> {
    let browser = browser()?;
    let page = scratch.path("page.html");
    let made = run(&["report", "--format", "html", "--quiet", "--input", input, "--output", &page]);
    assert_eq!(made.code, 1, "a limit of the record is broken: {}{}", made.out, made.err);
    if !actions.is_empty() {
        let whole = std::fs::read_to_string(&page).unwrap();
        let (before, after) = whole.split_once("<meta http-equiv").unwrap();
        let (_, after) = after.split_once('>').unwrap();
        let after = after.replace("</body>", &format!("<script>{actions}</script></body>"));
        std::fs::write(&page, format!("{before}{after}")).unwrap();
    }
    let size = if actions.is_empty() { "1280,900" } else { "390,844" };
    let dom = visit(browser, &scratch.path("profile"), &page, size);
    assert!(Path::new(&page).is_file());
    Some(dom)
}

/// Returns the name of the browser; `None`, with a message, where there is none.
fn browser() -> Option<&'static str> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let found = known.into_iter().find(|name| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|directory| directory.join(name).is_file())
    });
    if found.is_none() {
        skipped("there is no Chromium to look with");
    }
    found
}

/// Opens a file in a window of this size, and returns the page as the browser has it after its scripts ran.
fn visit(browser: &str, profile: &str, page: &str, size: &str) -> String {
    let done = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        // The window is as narrow as the browser allows: some versions have a minimum of 500.
        .arg(format!("--window-size={size}"))
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={profile}"))
        .arg(format!("file://{page}"))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{log}");
    // The console reports a violated policy, a script that failed, and a resource that was not found.
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_script_runs_under_the_policy() {
    let scratch = Scratch::new("browser");
    let Some(dom) = dom(&scratch, &file("outcomes.jsonl"), "") else { return };
    // The script shows its controls, which are hidden without it.
    assert!(dom.contains(
        "<form class=\"controls\" id=\"controls\" role=\"search\" aria-label=\"Filter budgets\">"
    ));
    assert!(dom.contains("<button id=\"theme\" type=\"button\">"));
    assert_eq!(dom.matches("<details class=\"budget").count(), 6);
    assert_eq!(dom.matches("<details class=\"budget fail\" open=\"\"").count(), 2);
}

#[test]
fn the_calls_of_an_operation_are_drawn_under_the_policy() {
    let scratch = Scratch::new("browser-flame");
    let Some(dom) = dom(&scratch, &file("blamed.jsonl"), "") else { return };
    // The allocator and what frees: each grew by more than half of the greatest growth.
    assert_eq!(dom.matches("<svg class=\"grew much\"").count(), 2);
    assert_eq!(dom.matches("<svg class=\"shrank\"").count(), 1);
    assert_eq!(dom.matches("<img").count(), 0);
}

#[test]
fn names_have_no_effect() {
    let scratch = Scratch::new("browser-hostile");
    let Some(dom) = dom(&scratch, &file("hostile.jsonl"), "") else { return };
    assert_eq!(dom.matches("<script").count(), 1);
    assert_eq!(dom.matches("<img").count(), 0);
    assert_eq!(dom.matches("data-verdict=").count(), 13);
    assert!(dom.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(dom.contains("\\u{202e}gnp.exe"));
}

/// Types into the filter, deselects a verdict, opens the remaining rows, and switches the theme.
#[test]
fn rows_are_filtered_and_the_theme_is_switched() {
    let scratch = Scratch::new("browser-actions");
    let actions = r#"
        const found = [];
        const note = () => found.push(document.querySelectorAll("details.budget:not([hidden])").length
            + " of " + document.querySelectorAll("main section:not([hidden])").length
            + " [" + document.getElementById("shown").textContent + "]");
        const find = document.getElementById("find");
        const type = (text) => { find.value = text; find.dispatchEvent(new Event("input")); note(); };
        note();
        type("WASM");
        type("wasm gzip");
        type("no such thing");
        type("");
        document.querySelector("input[value=pass]").click(); note();
        document.getElementById("open").click();
        found.push(document.querySelectorAll("details.budget[open]:not([hidden])").length + " open");
        found.push(document.getElementById("open").textContent);
        const theme = document.getElementById("theme");
        const first = theme.textContent; theme.click();
        found.push(first + ", " + document.documentElement.dataset.theme + ", " + theme.textContent);
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "/" }));
        found.push(document.activeElement.id);
        document.body.dataset.found = found.join("; ");
    "#;
    let Some(dom) = dom(&scratch, &file("outcomes.jsonl"), actions) else { return };
    let found = dom.split("data-found=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(
        found,
        Some(
            "6 of 3 []; 1 of 1 [1 of 6 budgets shown]; 1 of 1 [1 of 6 budgets shown]; \
             0 of 0 [0 of 6 budgets shown]; 6 of 3 []; 5 of 2 [5 of 6 budgets shown]; 5 open; Close all; \
             Dark theme, dark, Light theme; find"
        )
    );
}

/// The page says what is compared, in words and in numbers, and draws both sides and the parameter.
#[test]
fn a_comparison_is_read_at_a_glance() {
    let scratch = Scratch::new("browser-compared");
    let actions = r#"
        const texts = (what) => [...document.querySelectorAll(what)].map((e) => e.textContent.trim().replace(/\s+/g, " "));
        const found = [document.title];
        found.push(texts("dl.revision").join());
        found.push(texts("details.budget > .row").length + " rows");
        found.push(texts("details.budget > .row .change")[0]);
        found.push(document.querySelectorAll("svg.both").length + " both");
        found.push(document.querySelectorAll("svg.cases").length + " cases");
        found.push(document.querySelectorAll("figure.trend title").length > 8 ? "commits" : "no commits");
        const shown = document.body.innerText;
        found.push((shown.match(/`/g) ?? []).length + " backticks");
        // A limit of 0 has no bar.
        found.push([...document.querySelectorAll(".row .bound")].filter((e) => /[≤≥] 0 /.test(e.textContent) && e.querySelector("svg")).length + " bars of 0");
        document.body.dataset.found = found.join("; ");
    "#;
    let Some(dom) = dom(&scratch, &file("compared.jsonl"), actions) else { return };
    let found = dom.split("data-found=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(
        found,
        Some(
            "textkit: index n=10000 is 11 % slower than main, limit +5 %, and 4 more limits are broken; \
             branchfaster-indexcommit923a736994e3compared withorigin/main at 8a6a63ec24edmeasured2026-11-29 22:06 UTC; \
             9 rows; +11 % 90 % interval +10 .. +12 % to main; 6 both; 3 cases; commits; 0 backticks; 0 bars of 0"
        )
    );
}

/// Nothing is wider than a phone, every picture has a description, and no level of headings is skipped.
#[test]
fn the_page_fits_a_phone_and_is_accessible() {
    let scratch = Scratch::new("browser-found");
    let actions = r#"
        for (const row of document.querySelectorAll("details")) row.open = true;
        const root = document.documentElement, found = [];
        const wide = [...document.querySelectorAll("body *")].filter((e) => !e.closest("svg, .unseen, .skip")
            && e.getBoundingClientRect().right > root.clientWidth + 1);
        found.push(wide.length + (root.scrollWidth > root.clientWidth ? 1 : 0) + " too wide");
        if (root.clientWidth > 700) found.push("no phone");
        const undescribed = [...document.querySelectorAll("svg")].filter((e) => !e.closest("[aria-hidden], [aria-label]"));
        found.push(undescribed.length + " undescribed");
        const nameless = [...document.querySelectorAll("button, input")].filter((e) => !(e.textContent || e.labels?.length));
        found.push(nameless.length + " nameless");
        const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((e) => +e.tagName[1]);
        found.push(levels.filter((level, i) => i && level > levels[i - 1] + 1).length + " skipped");
        found.push(["header", "main", "footer", "[role=search]"].filter((mark) => document.querySelectorAll(mark).length !== 1).length + " landmarks amiss");
        document.body.dataset.found = found.join("; ");
    "#;
    for input in ["outcomes.jsonl", "hostile.jsonl", "compared.jsonl"] {
        let Some(dom) = dom(&scratch, &file(input), actions) else { return };
        let found = dom.split("data-found=\"").nth(1).and_then(|rest| rest.split('"').next());
        let all = "0 too wide; 0 undescribed; 0 nameless; 0 skipped; 0 landmarks amiss";
        assert_eq!(found, Some(all), "{input}");
    }
}
