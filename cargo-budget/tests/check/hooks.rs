//! Tests of `cargo budget check --base` in git's hooks: it must leave the user's repository as it was.
//!
//! Git is the real one. Cargo is replaced by a script that builds nothing and records its arguments and its environment, so
//! that the tests are fast.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::made;

/// The script in place of cargo: it records its directory, arguments and environment, names itself as the test binary
/// that it built, and sets no variables for a test.
const CARGO: &str = r#"#!/bin/sh
{ echo "ran $*"; echo "in $(pwd)"; env; } >>"$NOTES/cargo"
case "$*" in
*--no-run*) printf '{"reason":"compiler-artifact","target":{"name":"budgets","kind":["test"]},"executable":"%s"}\n' "$0" ;;
*--list*) echo '{"reason":"perf-budget-environment","variables":{}}' ;;
metadata*) exit 1 ;;
esac
"#;

/// The hook: it compares with `main`. If that changes a byte of the index, the hook fails and git stops.
const HOOK: &str = r#"#!/bin/sh
index="${GIT_INDEX_FILE:-$(git rev-parse --git-path index)}"
cp "$index" "$NOTES/index" || exit 1
(cd "$MEMBER" && "$CHECK" budget check --base main) >"$NOTES/said" 2>&1
cmp "$index" "$NOTES/index"
"#;

/// A repository with the branches `main` and `feature` and a member that has budgets, and a directory for what the scripts
/// record.
pub(crate) struct Repository {
    place: tempfile::TempDir,
}

impl Repository {
    pub(crate) fn new() -> Repository {
        let made = Repository {
            place: tempfile::Builder::new().prefix("budget-hooks-").tempdir().unwrap(),
        };
        fs::create_dir(made.path("notes")).unwrap();
        made.write("notes/cargo-stand-in", CARGO);
        made.write("notes/hook", HOOK);
        for script in ["notes/cargo-stand-in", "notes/hook"] {
            fs::set_permissions(made.path(script), fs::Permissions::from_mode(0o755)).unwrap();
        }
        made.write("repo/member/Cargo.toml", "[package]\nname = \"member\"\n");
        let budgets = "[budget.manifest]\nartifact = \"Cargo.toml\"\nmax = { size = [\"1 KB\", \"9 x base\"] }\n";
        made.write("repo/member/budgets.toml", budgets);
        made.write("repo/text", "of main\n");
        made.git("repo", &["init", "-q", "-b", "main"]);
        made.commit("repo", "one");
        made.git("repo", &["checkout", "-q", "-b", "feature"]);
        made.write("repo/text", "of feature\n");
        made.commit("repo", "two");
        made.git("repo", &["checkout", "-q", "main"]);
        made
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Prepares a command in a directory, with the script in place of cargo.
    pub(crate) fn command(&self, directory: &str, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        made::isolate(&mut command, &self.path("results"));
        command.current_dir(self.path(directory));
        command.env("PERF_BUDGET_CACHE", self.path("cache"));
        command.env("CARGO", self.path("notes/cargo-stand-in")).env_remove("RUSTUP_TOOLCHAIN");
        command.env("NOTES", self.path("notes")).env("MEMBER", "member");
        command.env("CHECK", env!("CARGO_BIN_EXE_cargo-budget"));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "n").env(format!("GIT_{role}_EMAIL"), "n@n");
        }
        command
    }

    #[track_caller]
    pub(crate) fn git(&self, directory: &str, arguments: &[&str]) -> String {
        let output = self.command(directory, "git").args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, directory: &str, message: &str) {
        self.git(directory, &["add", "-A"]);
        self.git(directory, &["commit", "-q", "-m", message]);
    }

    /// Returns everything in a repository that only its user may change.
    fn state(&self, directory: &str) -> Vec<String> {
        let dir = self.git(directory, &["rev-parse", "--absolute-git-dir"]);
        let common = self.git(directory, &["rev-parse", "--git-common-dir"]);
        let common = self.path(directory).join(common);
        let mut state: Vec<String> = ["index", "HEAD"]
            .iter()
            .map(|name| format!("{:?}", fs::read(Path::new(&dir).join(name)).unwrap()))
            .collect();
        state.push(fs::read_to_string(common.join("config")).unwrap());
        state.push(self.git(directory, &["for-each-ref"]));
        state.push(self.git(directory, &["status", "--porcelain", "--ignored"]));
        state.push(self.git(directory, &["diff", "HEAD"]));
        state
    }

    /// Checks that the base was built in the member, and that no cargo inherited the variables of the hook's repository.
    #[track_caller]
    fn check_compared(&self) {
        let (said, cargo) = (self.read("notes/said"), self.read("notes/cargo"));
        assert!(said.contains("comparing with"), "{said}");
        let base = cargo.lines().filter(|line| line.starts_with("in "));
        let base: Vec<&str> = base.filter(|line| line.contains("/package/")).collect();
        assert!(!base.is_empty() && base.iter().all(|line| line.ends_with("/member")), "{base:?}");
        let local = self.git("repo", &["rev-parse", "--local-env-vars"]);
        for name in local.lines() {
            let start = format!("{name}=");
            let inherited = cargo.lines().find(|line| line.starts_with(&start));
            assert_eq!(inherited, None, "cargo inherits {name}");
        }
        fs::remove_file(self.path("notes/cargo")).unwrap();
    }
}

#[test]
fn a_commit_contains_what_was_added_even_if_its_hook_compares() {
    let made = Repository::new();
    made.git("repo", &["worktree", "add", "-q", "-b", "linked", "../linked", "feature"]);
    made.git(".", &["clone", "-q", "repo", "clone"]);
    made.git("clone", &["checkout", "-q", "-b", "edited", "origin/feature"]);
    fs::create_dir_all(made.path("repo/.git/hooks")).unwrap();
    for hooks in ["repo/.git/hooks", "clone/.git/hooks"] {
        fs::create_dir_all(made.path(hooks)).unwrap();
        fs::copy(made.path("notes/hook"), made.path(hooks).join("pre-commit")).unwrap();
    }
    for directory in ["linked", "clone"] {
        made.write(&format!("{directory}/text"), "edited\n");
        made.write(&format!("{directory}/new"), "new\n");
        made.git(directory, &["add", "-A"]);
        let added = made.git(directory, &["write-tree"]);
        made.git(directory, &["commit", "-q", "-m", "three"]);
        made.check_compared();
        assert_eq!(made.git(directory, &["rev-parse", "HEAD^{tree}"]), added, "{directory}");
        assert_eq!(made.git(directory, &["show", "HEAD:text"]), "edited");
        assert_eq!(made.git(directory, &["status", "--porcelain"]), "");
    }
}

#[test]
fn a_member_is_compared_with_itself_where_git_names_the_repository_in_the_environment() {
    let made = Repository::new();
    // The comparison runs in the hook of a push, and between the commits of a rebase.
    made.git(".", &["clone", "-q", "--bare", "repo", "remote"]);
    fs::create_dir_all(made.path("repo/.git/hooks")).unwrap();
    fs::copy(made.path("notes/hook"), made.path("repo/.git/hooks/pre-push")).unwrap();
    let before = made.state("repo");
    made.git("repo", &["push", "-q", "../remote", "main:other"]);
    made.check_compared();
    assert_eq!(made.state("repo"), before);
    let hook = made.path("notes/hook");
    made.git("repo", &["checkout", "-q", "feature"]);
    let before = made.state("repo");
    made.git("repo", &["rebase", "-q", "--exec", hook.to_str().unwrap(), "main"]);
    made.check_compared();
    // A rebase itself rewrites the index and records the previous HEAD.
    assert_eq!(made.state("repo")[1..3], before[1..3]);
    assert_eq!(made.git("repo", &["status", "--porcelain"]), "");
    // The variables are set directly.
    let before = made.state("repo");
    let dir = made.path("repo/.git");
    let mut check = made.command("repo/member", env!("CARGO_BIN_EXE_cargo-budget"));
    check.args(["budget", "check", "--base", "main"]).env("GIT_DIR", &dir);
    check.env("GIT_INDEX_FILE", dir.join("index")).env("GIT_WORK_TREE", made.path("repo"));
    let output = check.output().unwrap();
    made.write("notes/said", &String::from_utf8_lossy(&output.stderr));
    made.check_compared();
    assert_eq!(made.state("repo"), before);
}

/// The hooks of husky and LFS fail like this where their program is not installed.
#[test]
fn a_checkout_hook_that_fails_does_not_affect_the_checkout_of_the_base() {
    let made = Repository::new();
    fs::create_dir_all(made.path("repo/.git/hooks")).unwrap();
    let hook = made.path("repo/.git/hooks/post-checkout");
    fs::write(&hook, "#!/bin/sh\necho 'no such program' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let mut check = made.command("repo/member", env!("CARGO_BIN_EXE_cargo-budget"));
    let output = check.args(["budget", "check", "--base", "main"]).output().unwrap();
    made.write("notes/said", &String::from_utf8_lossy(&output.stderr));
    made.check_compared();
    assert!(!made.read("notes/said").contains("no such program"));
}

/// Rustup names the toolchain that this revision's file chose in the environment. The base must not inherit it.
#[test]
fn the_base_is_built_with_the_toolchain_that_its_own_file_names() {
    let made = Repository::new();
    let stand_in = made.read("notes/cargo-stand-in");
    made.write("bin/cargo", &stand_in.replace("ran ", "rustup's ran "));
    made.write("bin/rustup", "#!/bin/sh\necho \"$ACTIVE\"\n");
    for script in ["bin/cargo", "bin/rustup"] {
        fs::set_permissions(made.path(script), fs::Permissions::from_mode(0o755)).unwrap();
    }
    made.write("repo/rust-toolchain.toml", "[toolchain]\nchannel = \"1.90\"\n");
    made.commit("repo", "a toolchain");
    for (active, is_files) in [
        ("1.90 (overridden by '/p/rust-toolchain.toml')", true),
        // This revision has no such file, or no longer, and the base may have one.
        ("1.90 (default)", true),
        ("1.90 (directory override for '/p')", false),
        ("stable (default)", false),
    ] {
        let mut check = made.command("repo/member", env!("CARGO_BIN_EXE_cargo-budget"));
        check.args(["budget", "check", "--base", "main~1"]).env("ACTIVE", active);
        let path = std::env::var("PATH").unwrap();
        check.env("PATH", format!("{}:{path}", made.path("bin").display()));
        let output = check.env("RUSTUP_TOOLCHAIN", "1.90").output().unwrap();
        made.write("notes/said", &String::from_utf8_lossy(&output.stderr));
        let cargo = made.read("notes/cargo");
        let runs: Vec<&str> = cargo.split("ran ").skip(1).collect();
        for run in runs.iter().filter(|run| run.starts_with("test ")) {
            let is_base = run.lines().nth(1).unwrap().contains("/package/");
            assert_eq!(
                run.contains("RUSTUP_TOOLCHAIN=1.90"),
                !(is_base && is_files),
                "{active}: {run}"
            );
        }
        assert_eq!(cargo.contains("rustup's ran test --no-run"), is_files, "{active}");
        made.check_compared();
        assert!(
            made.read("notes/said")
                .contains("`rust-toolchain` is [toolchain] channel = \"1.90\" here")
        );
    }
}

/// They are cloned from the user's own clones, without a network, and the user's configuration is not changed.
#[test]
fn submodules_are_checked_out_as_the_base_has_them() {
    let made = Repository::new();
    for (outer, inner) in [("kit", "deep"), ("repo", "kit")] {
        for module in [outer, inner].iter().filter(|module| !made.path(module).exists()) {
            made.write(&format!("{module}/text"), "one\n");
            made.git(module, &["init", "-q", "-b", "main"]);
            made.commit(module, "one");
        }
        let url = made.path(inner).display().to_string();
        let allow = ["-c", "protocol.file.allow=always"];
        made.git(outer, &[&allow[..], &["submodule", "add", "-q", &url, inner]].concat());
        made.git(
            outer,
            &[&allow[..], &["submodule", "update", "-q", "--init", "--recursive"]].concat(),
        );
        made.commit(outer, "a submodule");
    }
    made.write("repo/kit/text", "two\n");
    made.commit("repo/kit", "two");
    made.commit("repo", "a newer one");
    fs::rename(made.path("kit"), made.path("gone")).unwrap();
    let before = made.state("repo");
    let base = |revision: &str| {
        let mut check = made.command("repo/member", env!("CARGO_BIN_EXE_cargo-budget"));
        let output = check.args(["budget", "check", "--base", revision]).output().unwrap();
        made.write("notes/said", &String::from_utf8_lossy(&output.stderr));
        made.check_compared();
        let place = fs::read_dir(made.path("cache")).unwrap().next().unwrap().unwrap().path();
        let commit = &made.git("repo", &["rev-parse", revision])[..12];
        place.join("checkouts/target/package").join(commit).join("kit")
    };
    assert_eq!(fs::read_to_string(base("main~1").join("text")).unwrap(), "one\n");
    assert_eq!(fs::read_to_string(base("main").join("text")).unwrap(), "two\n");
    assert!(base("main").join("deep/text").is_file());
    assert_eq!(made.state("repo"), before);
}

/// A clone without its submodules does not know where they are, if their address is relative to that of its own origin.
#[test]
fn a_submodule_that_the_clone_does_not_have_is_named_with_the_command_that_gets_it() {
    let made = Repository::new();
    made.write("kit/text", "one\n");
    made.git("kit", &["init", "-q", "-b", "main"]);
    made.commit("kit", "one");
    let url = made.path("kit").display().to_string();
    let add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", "--name", "kit"];
    made.git("repo", &[&add[..], &[&url, "kit"]].concat());
    made.write("repo/.gitmodules", "[submodule \"kit\"]\n\tpath = kit\n\turl = ../kit\n");
    made.commit("repo", "a submodule");
    fs::remove_dir_all(made.path("repo/.git/modules")).unwrap();
    let mut check = made.command("repo/member", env!("CARGO_BIN_EXE_cargo-budget"));
    let output = check.args(["budget", "check", "--base", "main"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("has the submodule `kit`, which this clone does not have"), "{said}");
    assert!(said.contains("run `git submodule update --init --recursive`"), "{said}");
}
