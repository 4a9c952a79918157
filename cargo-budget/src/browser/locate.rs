//! Where the browser is: a Chromium that is installed on this machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The names of the browser's program. The first one that is found is used.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome-headless-shell",
    "microsoft-edge",
];

/// The programs on a Mac, where they are in no directory of `PATH`.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Returns the program of the browser: the one that is named, or the first that is found.
pub(super) fn locate(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find(named, &path, Path::is_file).map_err(Failure::unmeasured)
}

fn find(
    named: Option<&Path>,
    path: &OsStr,
    is_file: impl Fn(&Path) -> bool,
) -> Result<PathBuf, String> {
    let in_path = |name: &Path| {
        std::env::split_paths(path).map(|dir| dir.join(name)).find(|file| is_file(file))
    };
    let Some(named) = named else {
        let found = NAMES.iter().find_map(|name| in_path(Path::new(name)));
        let found = found.or_else(|| APPLICATIONS.iter().map(PathBuf::from).find(|at| is_file(at)));
        return found.ok_or_else(|| {
            format!(
                "failed to open the page: no Chromium was found, by any of the names {}; install one \
                 (`apt-get install chromium`), or name its program with --browser or in CHROME",
                NAMES.join(", ")
            )
        });
    };
    let found = if named.components().count() == 1 {
        in_path(named)
    } else {
        Some(named.to_owned()).filter(|file| is_file(file))
    };
    found.ok_or_else(|| {
        format!(
            "failed to open the page: there is no browser `{}`, which --browser or CHROME names; correct it, or \
             install Chromium (`apt-get install chromium`)",
            named.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_browser_that_is_named_is_used() {
        let is_file = |file: &Path| file == Path::new("/opt/x") || file == Path::new("/b/chromium");
        let find = |named: Option<&str>| find(named.map(Path::new), "/a:/b".as_ref(), is_file);
        assert_eq!(find(None), Ok("/b/chromium".into()));
        assert_eq!(find(Some("/opt/x")), Ok("/opt/x".into()));
        assert_eq!(find(Some("chromium")), Ok("/b/chromium".into()));
        assert!(find(Some("/opt/y")).unwrap_err().contains("`/opt/y`"));
        assert!(find(Some("firefox")).unwrap_err().contains("apt-get install"));
    }

    #[test]
    fn where_there_is_none_the_remedy_is_named() {
        let none = find(None, "/a".as_ref(), |_| false).unwrap_err();
        assert!(none.contains("apt-get install chromium") && none.contains("--browser"), "{none}");
        let mac = find(None, "".as_ref(), |file| file.starts_with("/Applications"));
        assert_eq!(mac, Ok(APPLICATIONS[0].into()));
    }
}
