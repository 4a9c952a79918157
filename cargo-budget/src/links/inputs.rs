//! The inputs of a link: the object files and libraries of a binary, and all other arguments of the linker.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use super::record::{Record, has_extension, is_library};

/// The inputs of one link.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The object files and static libraries, in the order in which the linker was given them.
    pub(crate) files: Vec<PathBuf>,
    /// The linker and all its other arguments, with the directories of this build replaced by words.
    pub(crate) others: Vec<String>,
}

impl Inputs {
    /// Returns the inputs of a link whose record is in `place`.
    ///
    /// # Errors
    /// If the link has an input that is not among the arguments, such as a shared library of the build.
    pub(super) fn from_record(record: &Record, place: &Path) -> Result<Inputs, String> {
        let mut inputs = Inputs { files: Vec::new(), others: vec![record.linker.clone()] };
        // `target/release/deps/budgets-1a2b`: build scripts have their directories in `target/release/build`.
        let profile = record.output.ancestors().nth(2).unwrap_or(Path::new("/"));
        let mut directories = Vec::new();
        let mut arguments = record.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "-o" {
                arguments.next();
            } else if has_extension(argument, "o")
                || has_extension(argument, "a")
                || is_library(argument)
            {
                inputs.files.push(record.directory.join(argument));
            } else if has_extension(argument, "so") {
                return Err(format!("the shared library `{argument}` is linked"));
            } else {
                directories.extend(argument.strip_prefix("-L").map(|at| record.directory.join(at)));
                if argument == "-L" {
                    directories
                        .extend(arguments.clone().next().map(|at| record.directory.join(at)));
                }
                inputs.others.push(neutral(argument, &[(place, "RECORD"), (profile, "PROFILE")]));
            }
        }
        let own: Vec<&PathBuf> = directories.iter().filter(|at| at.starts_with(profile)).collect();
        for name in record.arguments.iter().filter_map(|argument| argument.strip_prefix("-l")) {
            let is_there = |at: &&PathBuf| {
                ["a", "so"].iter().any(|kind| at.join(format!("lib{name}.{kind}")).exists())
            };
            if own.iter().any(is_there) {
                return Err(format!(
                    "the library `{name}` is made by the build, and linked by its name"
                ));
            }
        }
        Ok(inputs)
    }
}

/// Replaces directories in an argument by words. Linkers take slashes on Windows too.
fn neutral(argument: &str, directories: &[(&Path, &str)]) -> String {
    directories.iter().fold(argument.to_owned(), |argument, (directory, word)| {
        let directory = directory.to_string_lossy();
        let slashes = directory.replace(MAIN_SEPARATOR, "/");
        argument.replace(&*directory, word).replace(&slashes, word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(directory: &str, arguments: &[&str]) -> Result<Inputs, String> {
        let output = PathBuf::from(directory).join("release/deps/kit-1");
        let arguments = arguments.iter().map(|argument| argument.replace("TARGET", directory));
        let record = Record::test(output, arguments.collect());
        Inputs::from_record(&record, &PathBuf::from(directory).join("links/kit-1"))
    }

    #[test]
    fn links_of_two_directories_have_the_same_arguments() {
        let arguments = [
            "TARGET/links/kit-1/0.o",
            "-Wl,--version-script=TARGET/links/kit-1/1",
            "TARGET/release/deps/libkit.rlib",
            "-lc",
            "-L",
            "TARGET/release/build/kit-1/out",
            "-o",
            "TARGET/release/deps/kit-1",
        ];
        let (one, two) = (inputs("/a", &arguments).unwrap(), inputs("/b", &arguments).unwrap());
        assert_eq!(one.others, two.others);
        let files = ["/a/links/kit-1/0.o", "/a/release/deps/libkit.rlib"].map(PathBuf::from);
        assert_eq!(one.files, files);
        let wrapped = inputs("/a", &[&arguments[..], &["-Wl,--wrap=malloc"]].concat()).unwrap();
        assert_ne!(one.others, wrapped.others);
    }

    #[test]
    fn a_library_that_is_no_input_is_named() {
        assert!(
            inputs("/a", &["TARGET/release/deps/libkit.so"]).unwrap_err().contains("libkit.so")
        );
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("release/build/kit-1/out");
        std::fs::create_dir_all(&out).unwrap();
        let check = |wanted: bool| {
            let link = inputs(
                place.path().to_str().unwrap(),
                &["-L", "TARGET/release/build/kit-1/out", "-lnative", "-lc"],
            );
            assert_eq!(link.is_err_and(|why| why.contains("native")), wanted);
        };
        check(false);
        std::fs::write(out.join("libnative.a"), "").unwrap();
        check(true);
    }
}
