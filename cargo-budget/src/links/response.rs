//! Response files: files to which the compiler writes a linker's arguments where they are too long for a command line.

use std::path::Path;

/// Returns the arguments with each response file replaced by the arguments in it.
pub(super) fn expanded(arguments: &[String]) -> std::io::Result<Vec<String>> {
    let mut all = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@').map(Path::new).filter(|path| path.is_file()) {
            Some(path) => all.extend(split(&std::fs::read_to_string(path)?)),
            None => all.push(argument.clone()),
        }
    }
    Ok(all)
}

/// Returns the arguments in a response file as GNU's tools read them: separated by white space, except in quotes or
/// after a backslash.
fn split(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => current.get_or_insert_default().extend(letters.next()),
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                current.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            _ if letter.is_whitespace() && quote.is_none() => arguments.extend(current.take()),
            _ => current.get_or_insert_default().push(letter),
        }
    }
    arguments.extend(current);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_file_is_replaced_by_its_arguments() {
        let check = |text: &str, want: &[&str]| assert_eq!(split(text), want, "{text:?}");
        check("", &[]);
        check("-o\nout\n", &["-o", "out"]);
        check(r"/with\ space/a.o back\\slash", &["/with space/a.o", r"back\slash"]);
        check(r#""two words" 'it''s' "" a"b c"d"#, &["two words", "its", "", "ab cd"]);
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("arguments");
        std::fs::write(&file, "-b\n-c\n").unwrap();
        let given = ["-a".to_owned(), format!("@{}", file.display()), "@gone".to_owned()];
        assert_eq!(expanded(&given).unwrap(), ["-a", "-b", "-c", "@gone"]);
    }
}
