//! What the budgets measure and cargo does not build, made in `made`: the corpus as a file, the images, and
//! a link to the Python interpreter itself, since `python3` may be a version manager's script that costs time of its own.
//!
//! Each is made if it is missing, or older than what it is made of. If it cannot be made, a message says why, and the budget is
//! red, since its file is missing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The program, where it is built.
pub(crate) fn program() -> PathBuf {
    // Nextest's own name for it holds where an archive of tests was moved.
    let moved = std::env::var_os("NEXTEST_BIN_EXE_shield");
    moved.map_or_else(|| env!("CARGO_BIN_EXE_shield").into(), PathBuf::from)
}

/// What is made of the program, by its ending.
pub(crate) fn beside(ending: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("made");
    // If this fails, making the file in it fails too, with a message.
    let _ = fs::create_dir_all(&directory);
    directory.join(format!("shield{ending}"))
}

/// Makes everything that is not there.
pub(crate) fn all() {
    for (what, done) in [
        ("corpus", corpus()),
        ("image", image(".image.tar", &program(), &[])),
        ("Python", python()),
    ] {
        if let Err(error) = done {
            let _ = writeln!(std::io::stderr(), "shield: failed to make the {what}: {error}");
        }
    }
}

fn corpus() -> Result<(), String> {
    let file = beside(".corpus");
    if is_fresh(&file, &[program()]) {
        return Ok(());
    }
    let text = said(Command::new(program()).arg("corpus"))?;
    replace(&file, |part| fs::write(part, text))
}

/// The interpreter, and an image with it.
fn python() -> Result<(), String> {
    const ASK: &str =
        "import sys, sysconfig; print(sys.executable); print(sysconfig.get_path('stdlib'))";
    let link = beside(".python3");
    let known = fs::read_link(&link).ok().filter(|interpreter| interpreter.is_file());
    let here = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let sources = [here("rules.tsv"), here("python/shield.py"), here("image.sh")];
    if known.is_some() && is_fresh(&beside(".python.image.tar"), &sources) {
        return Ok(());
    }
    let paths = said(Command::new("python3").args(["-c", ASK]))?;
    let mut paths = paths.lines().map(PathBuf::from);
    let (Some(interpreter), Some(library)) = (paths.next(), paths.next()) else {
        return Err("python3 does not say where it is".into());
    };
    replace(&link, |part| std::os::unix::fs::symlink(&interpreter, part))?;
    let [rules, script, _] = &sources;
    image(".python.image.tar", &interpreter, &[&library, rules, script])
}

fn image(ending: &str, program: &Path, paths: &[&Path]) -> Result<(), String> {
    let (file, script) = (beside(ending), Path::new(env!("CARGO_MANIFEST_DIR")).join("image.sh"));
    let sources: Vec<PathBuf> =
        [program, &script].into_iter().chain(paths.iter().copied()).map(Into::into).collect();
    if is_fresh(&file, &sources) {
        return Ok(());
    }
    said(Command::new("sh").arg(script).arg(file).arg(program).args(paths)).map(drop)
}

fn is_fresh(file: &Path, sources: &[PathBuf]) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let newest: Option<SystemTime> = sources.iter().filter_map(|path| changed(path)).max();
    changed(file) > newest
}

/// A file that is whole or not there, whoever else makes it at the same time.
fn replace(file: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), String> {
    let part = file.with_extension(format!("part{}", std::process::id()));
    let done = make(&part).and_then(|()| fs::rename(&part, file));
    done.map_err(|error| format!("failed to write `{}`: {error}", file.display()))
}

/// What a program says on its standard output.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("failed to run `{name}`: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{name}` ended with {}: {}", output.status, why.trim()));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| format!("`{name}` said what is no text: {error}"))
}
