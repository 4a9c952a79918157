//! The commit and the branch that are checked out. They are read from git's own files, because starting git in the process of each test
//! would cost more than the test.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the commit that is checked out in the work tree that `start` is in. `None` if `start` is not in a git
/// repository, or if git does not keep the references in files.
pub(super) fn commit(start: &Path) -> Option<String> {
    let directory = start.ancestors().find_map(directory)?;
    let head = read(&directory.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else { return hash(&head) };
    // A worktree has its own HEAD, but its branches are in the directory of the repository.
    let common = read(&directory.join("commondir")).map(|common| directory.join(common));
    let directories = [Some(directory), common];
    directories.into_iter().flatten().find_map(|directory| {
        let loose = read(&directory.join(name)).and_then(|text| hash(&text));
        loose.or_else(|| packed(&read(&directory.join("packed-refs"))?, name))
    })
}

/// Returns the branch: that of the pull request, else the one that GitHub runs for, else the one that is checked out.
/// GitHub checks out a commit without a branch. `None` if there is no branch.
pub(super) fn branch(start: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let named = ["GITHUB_HEAD_REF", "GITHUB_REF_NAME"].into_iter().find_map(|name| {
        let value = variable(name)?;
        (!value.is_empty()).then_some(value)
    });
    named.or_else(|| {
        let head = read(&start.ancestors().find_map(directory)?.join("HEAD"))?;
        head.strip_prefix("ref: refs/heads/").map(str::to_owned)
    })
}

/// Returns git's directory, if `top` is the top of a work tree.
fn directory(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    read(&git)?.strip_prefix("gitdir: ").map(|path| top.join(path))
}

/// Returns the text of a file without the white space at its end. `None` if the file cannot be read.
fn read(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim_end().to_owned())
}

/// Returns the commit of the reference `name` in the text of `packed-refs`.
fn packed(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| hash(line.strip_suffix(name)?.strip_suffix(' ')?))
}

/// Returns the text if it is the name of a commit: a SHA-1 or SHA-256 hash.
fn hash(text: &str) -> Option<String> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && matches!(text.len(), 40 | 64)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const B: &str = "84983e441c3bd26ebaae4aa1f95129e5e54670f1";

    #[track_caller]
    fn check(name: &str, files: &[(&str, &str)], below: &str, want: Option<&str>) {
        let dir = std::env::temp_dir()
            .join(format!("perf-budget-revision-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(commit(&dir.join(below)).as_deref(), want, "{name}");
        let none = |_: &str| None;
        let named = files
            .iter()
            .any(|(_, text)| text.contains("refs/heads/main\n") && text.starts_with("ref: "));
        assert_eq!(branch(&dir.join(below), none).as_deref(), named.then_some("main"), "{name}");
        let ci = |name: &str| match name {
            "GITHUB_HEAD_REF" => Some(String::new()),
            "GITHUB_REF_NAME" => Some("topic".to_owned()),
            _ => None,
        };
        assert_eq!(branch(&dir.join(below), ci).as_deref(), Some("topic"), "{name}");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_commit_is_found_wherever_git_keeps_it() {
        let head = ("r/.git/HEAD", "ref: refs/heads/main\n");
        let loose = ("r/.git/refs/heads/main", &*format!("{A}\n"));
        let packs = format!("# pack-refs\n{B} refs/heads/domain\n{A} refs/heads/main\n^{B}\n");
        let packed = ("r/.git/packed-refs", packs.as_str());
        check("loose", &[head, loose], "r", Some(A));
        check("below", &[head, loose, ("r/a/b/c", "")], "r/a/b", Some(A));
        check("packed", &[head, packed], "r", Some(A));
        check("detached", &[("r/.git/HEAD", &format!("{B}\n"))], "r", Some(B));
        check("unborn", &[head], "r", None);
        check("broken", &[("r/.git/HEAD", "\0\0")], "r", None);
        check(
            "worktree",
            &[
                loose,
                ("w/.git", "gitdir: ../r/.git/worktrees/w\n"),
                ("r/.git/worktrees/w/HEAD", "ref: refs/heads/main\n"),
                ("r/.git/worktrees/w/commondir", "../..\n"),
            ],
            "w",
            Some(A),
        );
    }
}
