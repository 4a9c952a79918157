//! The reader of the whole file: it reads, parses and checks it, and returns [`Budgets`] or all mistakes.

use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::printable::quoted;
use super::problem::Problem;
use super::source::Source;
use super::{budget_table, environment, key, read, reference, settings, syntax};
use crate::budget::environment::EnvironmentFacts;
use crate::budget::{Budgets, Settings, spelling};
use crate::error::Error;

/// The most bytes of a file that is read. A budget takes about a hundred bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads and checks a `budgets.toml`.
///
/// # Errors
/// If the file cannot be read or has mistakes. The error shows all mistakes, each with its line, a caret and what to
/// write instead.
pub fn load(path: &Path) -> Result<Budgets, Error> {
    load_in(path, &EnvironmentFacts::here())
}

/// Reads and checks a `budgets.toml`, for the environment that these facts mean.
///
/// # Errors
/// The errors are those of [`load`].
pub fn load_in(path: &Path, facts: &EnvironmentFacts) -> Result<Budgets, Error> {
    parse_in(&text(path, LARGEST, "write one with `[budget.NAME]` in it")?, path, facts)
}

/// Returns the names of the budgets in a file, even if the budgets are not valid, as may be in another revision. `None` if
/// the file cannot be read or is not TOML, or if it has no budget in the form of this version.
pub fn names(path: &Path) -> Option<Vec<String>> {
    let text = text(path, LARGEST, "").ok()?;
    let (tree, errors) = DeTable::parse_recoverable(text.trim_start_matches('\u{feff}'));
    let tree = Some(tree.into_inner()).filter(|_| errors.is_empty())?;
    let DeValue::Table(budgets) = tree.get("budget")?.get_ref() else { return None };
    let names: Vec<String> = budgets.keys().map(|name| name.get_ref().to_string()).collect();
    Some(names).filter(|names| !names.is_empty())
}

/// Returns the text of a file. `remedy` says what to do if the file is missing.
pub(super) fn text(path: &Path, largest: u64, remedy: &str) -> Result<String, Error> {
    let shown = path.display();
    let fault = |text: String| Err(Error::config(format!("error: {text}\n"), 1));
    if path.is_dir() {
        return fault(format!("failed to read `{shown}`: it is a directory; name the file in it"));
    }
    if path.metadata().is_ok_and(|data| !data.is_file()) {
        return fault(format!(
            "failed to read `{shown}`: it is a pipe, socket or device, and to read it might never end; name a file"
        ));
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return fault(format!("failed to read `{shown}`: there is no such file; {remedy}"));
        }
        Err(e) => return Err(Error::io("read", path, e)),
    };
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > largest {
        return fault(format!(
            "failed to read `{shown}`: it is larger than {} MiB, which no file of budgets is; name the right file",
            largest >> 20
        ));
    }
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) if is_utf16 => {
            fault(format!("failed to read `{shown}`: it is UTF-16; save it as UTF-8"))
        }
        Err(e) => {
            let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = good.split(|&byte| byte == b'\n').count();
            fault(format!(
                "failed to read `{shown}`: line {line} is not UTF-8; save the file as UTF-8"
            ))
        }
    }
}

/// Checks the text of a `budgets.toml`. Messages name the file `path`, and relative paths start from its directory.
/// Nothing is read from the disk.
///
/// # Errors
/// The errors are those of [`load`], without those of reading a file.
pub fn parse(text: &str, path: &Path) -> Result<Budgets, Error> {
    parse_in(text, path, &EnvironmentFacts::here())
}

/// Checks the text of a `budgets.toml`, for the environment that these facts mean.
///
/// # Errors
/// The errors are those of [`parse`].
pub fn parse_in(text: &str, path: &Path, facts: &EnvironmentFacts) -> Result<Budgets, Error> {
    let mut mistakes = Mistakes::new(Source::new(path, text.trim_start_matches('\u{feff}')));
    let budgets = check(&mut mistakes, path, facts);
    match budgets {
        Some(budgets) if mistakes.problems.is_empty() => Ok(budgets),
        _ => Err(Error::config(mistakes.render(), mistakes.problems.len())),
    }
}

/// Reads everything in `mistakes` that can be read, and adds the problems to `mistakes`. `None` if there is no budget.
pub(super) fn check(
    mistakes: &mut Mistakes<'_>,
    path: &Path,
    facts: &EnvironmentFacts,
) -> Option<Budgets> {
    let syntax = syntax::parse(mistakes);
    let problems_before = mistakes.problems.len();
    let of_file = read::entry(&syntax.tree, "settings");
    let mut settings = match &of_file {
        Some(entry) => settings::read(entry, mistakes),
        None => Settings::default(),
    };
    check_tables(&syntax.tree, mistakes);
    let budgets = read::entry(&syntax.tree, "budget");
    let mut read = match &budgets {
        Some(entry) => budget_table::read(entry, mistakes),
        None => budget_table::BudgetTables::default(),
    };
    if read.names.is_empty() && mistakes.problems.is_empty() {
        mistakes.report_absence(Problem::new(0..0, "the file holds no budget").help(EXAMPLE));
    }
    reference::check(&read, mistakes);
    let environments = environment::read(&syntax.tree, mistakes);
    let chosen = environment::chosen(&environments, facts, mistakes);
    for (index, environment) in environments.iter().enumerate() {
        let own_settings = environment.settings(of_file.as_ref(), mistakes);
        let own = match budgets.as_ref().map(|entry| entry.value.get_ref()) {
            Some(DeValue::Table(table)) => environment.budgets(table, &read, mistakes),
            _ => Vec::new(),
        };
        if chosen == Some(index) {
            settings = own_settings.unwrap_or(settings);
            for (budget, draft) in own {
                read.budgets[budget] = draft;
            }
        }
    }
    syntax.remove_consequences(mistakes, problems_before);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let root = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let budgets: Vec<_> = read.budgets.into_iter().map(|draft| draft.budget).collect();
    let notes = mistakes.render_notes();
    let environments: Vec<_> = environments.iter().map(|one| one.declared(mistakes)).collect();
    (!budgets.is_empty()).then(|| Budgets {
        path: path.to_owned(),
        root,
        settings,
        budgets,
        environment: chosen.map(|index| environments[index].name.clone()),
        environments,
        notes,
    })
}

const EXAMPLE: &str =
    "write one, for example\n\n[budget.merge]\nworkload = \"merge\"\nmax = { p99 = \"10 ms\" }";

/// Reports keys at the top level that do not belong there. The message about a budget whose name lacks `budget.` says so.
fn check_tables(tree: &DeTable<'_>, mistakes: &mut Mistakes<'_>) {
    for entry in read::entries(tree) {
        if key::FILE.iter().any(|key| key.name == entry.key) {
            continue;
        }
        let title = format!("unknown key {} at the top of the file", quoted(entry.key));
        let near = spelling::nearest(entry.key, key::FILE.iter().map(|key| key.name));
        let is_budget = entry
            .value
            .get_ref()
            .as_table()
            .is_some_and(|table| key::BUDGET.iter().any(|key| table.contains_key(key.name)));
        let label = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if is_budget => format!("did you mean `[budget.{}]`?", entry.key),
            None => String::new(),
        };
        mistakes.report(
            Problem::new(entry.at, title)
                .label(label)
                .help("the file has [settings], [budget.NAME] and [env.NAME]"),
        );
    }
}
