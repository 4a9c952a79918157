//! `cargo budget site`.

use std::path::PathBuf;

use super::context::Context;
use super::db::{Db, project};
use super::rendering::Rendering;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::Place;
use crate::project::Project;
use crate::site::{self, Settings, SiteSummary};
use crate::text::counted;

/// Write the history as a static site: an overview, a page for each budget, a page for each commit
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget site --output site && xdg-open site/index.html
  cargo budget site --output site --branch main --title 'textkit'
  cargo budget site --output site --db postgres://ci@db.example.org/budgets --format json

The pages are files that need no server, so the directory can be put anywhere; docs/site.md has a workflow for GitHub Pages.
If the directory has an earlier site, only what changed is written.")]
pub(super) struct Site {
    #[command(flatten)]
    db: Db,
    /// The directory to write the site into
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// The branch [default: the one that is checked out, else the one recorded last]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The title of all pages [default: the name of the project's directory]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The address of a commit, with {commit} for its hash [default: that of the repository a workflow runs for]
    #[arg(long, value_name = "URL")]
    commit_url: Option<String>,
    /// Show this many of the newest outcomes of each test in its chart
    #[arg(long, value_name = "N", default_value = "300", value_parser = clap::value_parser!(u16).range(1..=2000))]
    last: u16,
    /// Write a page for each of this many of the newest commits
    #[arg(long, value_name = "N", default_value = "500", value_parser = clap::value_parser!(u16).range(1..=5000))]
    commits: u16,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Site {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = project();
        let place = Place::choose(self.db.db.as_deref(), project.as_ref())?;
        let title = self.title.clone().unwrap_or_else(|| title(project.as_ref()));
        let commit_url = self.commit_url.clone().or_else(commit_url_of_workflow);
        check_commit_url(commit_url.as_deref())?;
        let settings = Settings {
            directory: &self.output,
            branch: self.branch.as_deref(),
            title: &title,
            commit_url: commit_url.as_deref(),
            last: self.last,
            commits: self.commits,
        };
        let made = site::make(&place, project.as_ref(), &settings, context.progress)?;
        for note in &made.notes {
            context.tell(&format!("note: {note}"));
        }
        self.format.put(|| summary(&made), || serde_json::json!(made))?;
        Ok(Exit::Holds)
    }
}

/// Returns the sentence that says what was done.
fn summary(made: &SiteSummary) -> String {
    let removed =
        if made.removed > 0 { format!(", {} removed", made.removed) } else { String::new() };
    format!(
        "{}: {} of {}, {}; {} of {} files written{removed}\n",
        made.index,
        counted(made.limits, "limit"),
        counted(made.budgets, "budget"),
        counted(made.commits, "commit"),
        made.written,
        made.files + 1
    )
}

fn title(project: Option<&Project>) -> String {
    let name =
        project.and_then(|project| Some(project.root.file_name()?.to_string_lossy().into_owned()));
    name.unwrap_or_else(|| "Performance budgets".to_owned())
}

/// Returns the address of a commit at the host whose repository a workflow of GitHub runs for.
fn commit_url_of_workflow() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
    Some(format!("{server}/{repository}/commit/{{commit}}"))
}

/// Checks that the address of a commit leads to a page, and not to a script.
fn check_commit_url(url: Option<&str>) -> Result<(), Failure> {
    let is_page = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    match url {
        Some(url) if !is_page(url) || !url.contains("{commit}") => Err(Failure::usage(format!(
            "`{url}` is not an address of commits; it looks like `https://example.org/project/commit/{{commit}}`"
        ))),
        _ => Ok(()),
    }
}
