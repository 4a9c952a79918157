//! Tests of `.github/site/publish.sh` as a runner calls it, with a repository beside it in the place of GitHub.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::on_file;
use crate::project::{Project, Ran, outcome};

pub(crate) fn rows() -> Vec<Trial> {
    vec![on_file("the_site_is_published_from_a_branch", published)]
}

/// Runs the script in the project.
fn publish(project: &Project) -> Ran {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = project.command(&[]);
    let built = PathBuf::from(env!("CARGO_BIN_EXE_cargo-budget"));
    let path = std::env::var_os("PATH").unwrap();
    let places = std::iter::once(built.parent().unwrap().to_owned());
    let places = places.chain(std::env::split_paths(&path));
    let mut script = Command::new("bash");
    script.arg(repository.join(".github/site/publish.sh")).current_dir(&project.dir);
    for (name, value) in command.env("BRANCH", "gh-pages").env("TITLE", "textkit").get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    Ran::of(&script.env("PATH", std::env::join_paths(places).unwrap()).output().unwrap())
}

fn published(db: &str) {
    let project = Project::new("publish", db);
    let origin = project.dir.join("results/origin.git");
    let origin = origin.to_str().unwrap();
    project.git(&["init", "--quiet", "--bare", origin], 0);
    project.git(&["remote", "add", "origin", origin], 0);
    let at =
        |name: &str| project.git(&["--git-dir", origin, "show", &format!("gh-pages:{name}")], 0);
    for n in 0..3 {
        project.commit(n);
        project.outcomes(&[outcome(&format!("run-{n}"), n, 1e-3)]);
        let commits = if n == 0 { "1 commit;".to_owned() } else { format!("{} commits;", n + 1) };
        publish(&project).says(0, &commits);
        // One commit, whatever is published.
        assert_eq!(project.git(&["--git-dir", origin, "rev-list", "--count", "gh-pages"], 0), "1");
        let index = at("index.html");
        assert!(index.contains("textkit") && index.contains("merge::p99"), "{index}");
    }
    let files = project.git(&["--git-dir", origin, "ls-tree", "-r", "--name-only", "gh-pages"], 0);
    assert!(files.contains("history.sqlite") && !files.contains("-wal"), "{files}");
    // The same run again changes nothing, and a remote that is gone is a failure.
    publish(&project).says(0, "was recorded already");
    std::fs::rename(origin, format!("{origin}.away")).unwrap();
    assert_ne!(publish(&project).code, Some(0));
}
