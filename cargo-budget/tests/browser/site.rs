//! Tests of the site in Chromium, opened as files: it obeys its own policy, fits a phone, and can be used by the
//! keyboard.

use std::fs;
use std::path::Path;

use perf_budget_core::outcome::Outcome;

use crate::project::{Project, outcome};
use crate::{browser, visit};

/// Makes the site of a history with a step, and returns the project.
fn site(name: &str) -> Project {
    let project = Project::new(name, ".budgets/history.sqlite");
    let value = |n: usize| (if n < 12 { 1.0 } else { 2.2 }) + (n % 3) as f64 * 0.01;
    project.history(&(0..20).map(value).collect::<Vec<_>>());
    project.run(&["site", "--output", "out", "--title", "textkit"]).says(0, "20 commits");
    project
}

/// Returns the one page whose name begins so.
fn page(project: &Project, folder: &str) -> String {
    let entries = fs::read_dir(project.dir.join("out").join(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names[0].to_str().unwrap().to_owned()
}

/// Adds a script beside the page that does what a reader would do; the policy allows it, since it is a file of the site.
fn with_actions(page: &str, up: &str, actions: &str) -> String {
    let actions = format!(
        "addEventListener('load', () => {{ const found = []; {actions} document.body.dataset.found = found.join('; '); }});"
    );
    with_script(page, up, &actions)
}

/// Adds a script beside the page, which begins before the page is whole.
fn with_script(page: &str, up: &str, script: &str) -> String {
    let text = fs::read_to_string(page).unwrap();
    let directory = Path::new(page).parent().unwrap().join(up);
    fs::write(directory.join("assets/actions.js"), script).unwrap();
    let changed =
        text.replace("</head>", &format!("<script src=\"{up}assets/actions.js\"></script></head>"));
    let acted = page.replace(".html", "-acted.html");
    fs::write(&acted, changed).unwrap();
    acted
}

fn found(dom: &str) -> Option<&str> {
    dom.split("data-found=\"").nth(1)?.split('"').next()
}

#[test]
fn the_site_works_from_files_under_its_policy() {
    let Some(browser) = browser() else { return };
    let project = site("browser-site");
    let profile = project.dir.join("profile").to_str().unwrap().to_owned();
    let index = project.dir.join("out/index.html").to_str().unwrap().to_owned();
    for page in [index, page(&project, "budget"), page(&project, "commit")] {
        let dom = visit(browser, &profile, &page, "1280,900");
        // The script ran: it shows the button.
        assert!(dom.contains("<button id=\"theme\" type=\"button\">Dark theme"), "{page}");
    }
}

#[test]
fn the_chart_is_read_by_the_keyboard() {
    let Some(browser) = browser() else { return };
    let project = site("browser-site-keys");
    let profile = project.dir.join("profile").to_str().unwrap().to_owned();
    let actions = r#"
        const plot = document.querySelector(".plot");
        const said = () => found.push(document.querySelector(".said").textContent.replace(/^[0-9a-f]+, /, ""));
        const press = (key) => { plot.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); said(); };
        press("End"); press("ArrowLeft"); press("Home"); press("PageDown"); press("PageDown");
        press("Escape"); found.push(document.querySelector(".tip").hidden ? "hidden" : "shown");
    "#;
    let acted = with_actions(&page(&project, "budget"), "../", actions);
    let dom = visit(browser, &profile, &acted, "1280,900");
    let open = "Enter opens the commit";
    let red = "limit ≤ 2 ms, red";
    let step = "step +118.8 %";
    let found = found(&dom).unwrap();
    let said: Vec<&str> = found.split("; 2023-").collect();
    assert_eq!(said.len(), 6, "{found}");
    assert!(said[0].starts_with("2023-11-15 17:13; 2.21 ms") && said[0].contains(red), "{found}");
    assert!(said[1].contains("2.20 ms"), "{found}");
    assert!(said[2].contains("1 ms, limit ≤ 2 ms") && !said[2].contains("red"), "{found}");
    assert!(said[3].contains(step) && said[3].contains("11-15 10:13"), "{found}");
    assert!(
        said[4].contains(step) && said[4].contains(open) && found.ends_with("hidden"),
        "{found}"
    );
}

/// Nothing is wider than a phone, every picture has a description, and no level of headings is skipped.
#[test]
fn the_site_fits_a_phone_and_is_accessible() {
    let Some(browser) = browser() else { return };
    let project = site("browser-site-phone");
    let profile = project.dir.join("profile").to_str().unwrap().to_owned();
    let actions = r#"
        const root = document.documentElement;
        const wide = [...document.querySelectorAll("body *")].filter((e) => !e.closest("svg, .unseen, .skip")
            && e.getBoundingClientRect().right > root.clientWidth + 1);
        found.push(wide.length + (root.scrollWidth > root.clientWidth ? 1 : 0) + " too wide");
        if (root.clientWidth > 700) found.push("no phone");
        const undescribed = [...document.querySelectorAll("svg")].filter((e) => !e.closest("[aria-hidden], [aria-label]"));
        found.push(undescribed.length + " undescribed");
        const nameless = [...document.querySelectorAll("button, input, a")].filter((e) => !(e.textContent || e.labels?.length));
        found.push(nameless.length + " nameless");
        const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((e) => +e.tagName[1]);
        found.push(levels.filter((level, i) => i ? level > levels[i - 1] + 1 : level !== 1).length + " skipped");
        const crossed = [...document.querySelectorAll("text.by")].filter((text) => {
            const { left, right, top, bottom } = text.getBoundingClientRect();
            return [...document.querySelectorAll("line.step")].some((line) => {
                const box = line.getBoundingClientRect();
                return box.right > left && box.left < right && box.bottom > top && box.top < bottom;
            });
        });
        found.push(crossed.length + " of " + Math.min(document.querySelectorAll("text.by").length, 1) + " crossed");
        found.push(["header", "main", "footer"].filter((mark) => document.querySelectorAll(mark).length !== 1).length + " landmarks amiss");
    "#;
    let index = project.dir.join("out/index.html").to_str().unwrap().to_owned();
    let pages = [
        (index, "./", 0),
        (page(&project, "budget"), "../", 1),
        (page(&project, "commit"), "../", 0),
    ];
    for (page, up, texts) in pages {
        let dom = visit(browser, &profile, &with_actions(&page, up, actions), "390,844");
        let all = format!(
            "0 too wide; 0 undescribed; 0 nameless; 0 skipped; 0 of {texts} crossed; 0 landmarks amiss"
        );
        assert_eq!(found(&dom), Some(&*all), "{page}");
    }
}

/// `/` begins a search, a word finds what is on other pages of the overview, and each link leads to its limit.
#[test]
fn the_search_finds_limits_of_all_pages() {
    let Some(browser) = browser() else { return };
    let project = Project::new("browser-site-search", ".budgets/history.sqlite");
    project.history(&[1.0]);
    let many = |n: usize| Outcome {
        test: format!("many::n={n}::p99"),
        budget: "many".to_owned(),
        ..outcome("many", 0, 1e-3)
    };
    project.outcomes(&(0..410).map(many).collect::<Vec<_>>());
    project.run(&["history", "record", "--run", "many"]).says(0, "recorded 410 outcomes");
    project.run(&["site", "--output", "out"]).says(0, "411 limits of 2 budgets");
    let profile = project.dir.join("profile").to_str().unwrap().to_owned();
    let index = project.dir.join("out/index.html").to_str().unwrap().to_owned();
    // The index of the search, which the focus asks for, is there before the page is loaded.
    let script = r##"
        document.addEventListener("DOMContentLoaded", () =>
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "/", cancelable: true })));
        addEventListener("load", async () => {
            const [find, found] = [document.getElementById("find"), []];
            found.push(document.activeElement.id);
            const rows = () => document.querySelectorAll(".tests > .test:not([hidden])").length;
            const links = () => [...document.querySelectorAll("#elsewhere:not([hidden]) a")];
            for (const words of ["", "P99 N=409:", "merge", "many", "nothing"]) {
                find.value = words;
                find.dispatchEvent(new Event("input"));
                for (let i = 0; i < 9; i += 1) await null;
                found.push([rows(), links().length, document.getElementById("shown").textContent].join(", "));
                if (links().length === 1) found.push(links()[0].getAttribute("href"));
            }
            document.body.dataset.found = found.join("; ");
        });
    "##;
    let dom = visit(browser, &profile, &with_script(&index, "./", script), "1280,900");
    let said: Vec<&str> = found(&dom).unwrap().split("; ").collect();
    let expected = [
        "find",
        "200, 0, ",
        "0, 1, 1 found",
        "",
        "0, 1, 1 found",
        "",
        "200, 50, 410 found, the first 50 shown",
        "0, 0, 0 found",
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        if !expected.is_empty() {
            assert_eq!(*said, expected);
            continue;
        }
        let (path, anchor) = said.split_once('#').unwrap();
        let text = fs::read_to_string(project.dir.join("out").join(path)).unwrap();
        assert!(text.contains(&format!("<section class=\"test\" id=\"{anchor}\"")), "{said}");
    }
}
