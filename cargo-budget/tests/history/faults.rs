//! Tests of faults around the history: each gives its message and its exit code, and no data is lost.

use std::fs;
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};

use crate::on_file;
use crate::project::{Project, Ran, outcome};

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        on_file("a_file_that_is_no_database", no_database),
        on_file("a_place_that_cannot_be_made", no_place),
        on_file("the_default_place_is_kept_out_of_git", default_place),
        on_file("a_url_of_something_else", other_url),
        #[cfg(feature = "postgres")]
        on_file("no_server", no_server),
        #[cfg(feature = "postgres")]
        on_file("a_server_that_never_answers", never_answers),
        #[cfg(not(feature = "postgres"))]
        on_file("a_server_without_the_feature", no_feature),
        #[cfg(not(feature = "import"))]
        on_file("an_import_without_the_feature", no_import),
        Trial::ignorable_test("sqlite::a_file_that_may_not_be_written", read_only),
        Trial::ignorable_test("sqlite::a_full_disk", full_disk),
    ]
}

fn no_database(db: &str) {
    let project = Project::new("no-database", db);
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    let text =
        "This is no database, but somebody's notes, which shall stay as they are.\n".repeat(50);
    fs::write(project.dir.join("notes.txt"), &text).unwrap();
    for arguments in [vec!["history", "record"], vec!["history", "list"], vec!["trend", "merge"]] {
        let arguments = [arguments, vec!["--db", "notes.txt"]].concat();
        project.run(&arguments).says(3, "`notes.txt`: file is not a database; name another file");
    }
    assert_eq!(fs::read_to_string(project.dir.join("notes.txt")).unwrap(), text);
}

fn no_place(db: &str) {
    let project = Project::new("no-place", db);
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    let below_a_file = "budgets.toml/history.sqlite";
    project
        .run(&["history", "record", "--db", below_a_file])
        .says(3, "failed to record in `budgets.toml/history.sqlite` | Nothing is lost: | --run run --commit ");
    project.run(&["history", "list", "--db", "elsewhere.sqlite"]).says(3, "there is no history in");
    assert!(!project.dir.join("elsewhere.sqlite").exists());
}

fn default_place(_: &str) {
    let project = Project::new("default-place", "");
    project.history(&[1.0]);
    assert!(project.dir.join(".budgets/history.sqlite").is_file());
    assert_eq!(project.git(&["status", "--porcelain"], 0), "");
    fs::create_dir(project.dir.join("below")).unwrap();
    let mut list = project.command(&["history", "list"]);
    Ran::of(&list.current_dir(project.dir.join("below")).output().unwrap()).says(0, "(run-0)");
    let mut list = project.command(&["history", "list"]);
    let outside = std::env::temp_dir();
    Ran::of(&list.current_dir(outside).output().unwrap())
        .says(2, "name the history by `--db PATH`");
}

fn other_url(db: &str) {
    let project = Project::new("other-url", db);
    let list = |url: &str, parts: &str| {
        project.run(&["history", "list", "--db", url]).says(2, parts);
    };
    list("mysql://u:secret@h/d", "not `mysql://…`");
    if cfg!(not(feature = "postgres")) {
        return;
    }
    list("postgres://u:secret@h:port/d", "the URL of the history is not valid");
    list("postgres://u:secret@h/d?sslmode=perhaps", "the URL of the history is not valid");
    list("postgres:///d", "names no host");
}

#[cfg(feature = "postgres")]
fn no_server(db: &str) {
    let project = Project::new("nobody", db);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://u:secret@127.0.0.1:{port}/d");
    let shown = format!("`postgres://u@127.0.0.1:{port}/d`");
    let list = project.run(&["history", "list", "--db", &url]);
    list.says(3, &format!("failed to read {shown} | refused | start the server"));
}

/// Connects to a server that accepts everybody and then says nothing. The command gives up, whether the connection is
/// encrypted or not.
#[cfg(feature = "postgres")]
fn never_answers(db: &str) {
    let project = Project::new("never", db);
    project.commit(0);
    project.outcomes(&[outcome("run", 0, 1e-3)]);
    // The system accepts the connections, but nobody reads from them.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for mode in ["disable", "prefer", "require"] {
        let url =
            format!("postgres://u:secret@127.0.0.1:{port}/d?connect_timeout=1&sslmode={mode}");
        let since = std::time::Instant::now();
        let record = project.run(&["history", "record", "--db", &url]);
        let words =
            "failed to record in | the server has not answered within 1 s | Nothing is lost";
        record.says(3, words);
        assert!(since.elapsed().as_secs() < 60, "{mode}: {:?}", since.elapsed());
    }
    drop(listener);
}

#[cfg(not(feature = "postgres"))]
fn no_feature(db: &str) {
    let project = Project::new("no-feature", db);
    let list = project.run(&["history", "list", "--db", "postgres://u:secret@h/d"]);
    list.says(2, "built without its cargo feature `postgres` | --features postgres");
}

#[cfg(not(feature = "import"))]
fn no_import(db: &str) {
    let project = Project::new("no-import", db);
    for arguments in [&["results.json"][..], &["--format", "k6", "a.json", "--dry-run"], &[]] {
        let import = project.run(&[&["history", "import"], arguments].concat());
        import.says(2, "built without its cargo feature `import` | --features import");
    }
}

/// Runs the command as a user who is not root, on a file that only root may write.
fn read_only() -> Result<Completion, Failed> {
    let project = Project::new("read-only", ".budgets/history.sqlite");
    project.history(&[1.0]);
    project.outcomes(&[outcome("more", 0, 1e-3)]);
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !is_root {
        let set = |mode: &str| {
            let mut chmod = Command::new("chmod");
            chmod.args(["-R", mode, ".budgets"]).current_dir(&project.dir);
            assert!(chmod.status().unwrap().success());
        };
        set("a-w");
        let (read, write) = (project.run(&["trend", "merge"]), project.run(&["history", "record"]));
        set("u+w");
        read.says(0, "1 commit");
        write.says(3, "make it and its directory writable | Nothing is lost");
        return Ok(Completion::Completed);
    }
    let as_nobody = |arguments: &[&str]| {
        let command = project.command(arguments);
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        nobody.arg(command.get_program()).args(command.get_args()).current_dir(&project.dir);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => nobody.env(name, value),
                None => nobody.env_remove(name),
            };
        }
        nobody.output()
    };
    match as_nobody(&["--help"]) {
        Ok(help) if help.status.success() => {}
        _ => return Ok(Completion::ignored_with("nobody else may run the command here")),
    }
    Ran::of(&as_nobody(&["trend", "merge", "--branch", "main"])?).says(0, "1 commit");
    Ran::of(&as_nobody(&["history", "record"])?)
        .says(3, "make it and its directory writable | Nothing is lost");
    Ok(Completion::Completed)
}

/// Runs the command on a file system of 300 KB, which only this test sees.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a test that may be ignored")]
fn full_disk() -> Result<Completion, Failed> {
    let project = Project::new("full-disk", "disk/history.sqlite");
    project.commit(0);
    project.outcomes(&[outcome("first", 0, 1e-3)]);
    let of = |n: u64| perf_budget_core::outcome::Outcome {
        test: format!("merge::metric_{n}"),
        ..outcome("long", 1, 1e-3)
    };
    project.outcomes(&(0..4000).map(of).collect::<Vec<_>>());
    fs::create_dir(project.dir.join("disk")).unwrap();
    let script = "mount -t tmpfs -o size=300k tmpfs disk || exit 99
        \"$0\" budget history record --run first || exit 98
        \"$0\" budget history record --run long; code=$?
        \"$0\" budget history list || exit 97
        exit $code";
    let command = project.command(&[]);
    let mut isolated = Command::new("unshare");
    isolated
        .args(["--mount", "sh", "-c", script])
        .arg(command.get_program())
        .current_dir(&project.dir);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => isolated.env(name, value),
            None => isolated.env_remove(name),
        };
    }
    let ran = match isolated.output() {
        Ok(ran) if ran.status.code() != Some(99) && ran.status.code() != Some(1) => Ran::of(&ran),
        _ => return Ok(Completion::ignored_with("mounting is not allowed here")),
    };
    let ran = ran.says(3, "database or disk is full; make room | Nothing is lost");
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    ran.says(3, "(first)");
    Ok(Completion::Completed)
}
