//! The variables that `[env]` in cargo's configuration sets.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::Item;

use super::configuration::{Files, holder, read};

/// Returns the variables of these files and of cargo's home, each with the value that cargo gives it. The value is `None`
/// if it cannot be read.
pub(super) fn variables(files: &Files) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    for file in files.with_home() {
        let Some(document) = read(&file) else { continue };
        let table = document.get("env").and_then(Item::as_table_like);
        for (name, item) in table.into_iter().flat_map(|table| table.iter()) {
            // The nearest file takes precedence.
            found.entry(name.to_owned()).or_insert_with(|| value(item, &file));
        }
    }
    found
}

/// Returns the value of a variable: a text, or a table with one, which may be a path relative to where the file applies.
fn value(item: &Item, file: &Path) -> Option<String> {
    if let Some(text) = item.as_str() {
        return Some(text.to_owned());
    }
    let table = item.as_table_like()?;
    let text = table.get("value")?.as_str()?;
    let is_relative = table.get("relative").and_then(Item::as_bool).unwrap_or(false);
    if !is_relative {
        return Some(text.to_owned());
    }
    Some(holder(file)?.join(text).to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_the_value_of_the_nearest_file_that_sets_it() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("project");
        let write = |name: &str, text: &str| {
            let path = top.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let all = || variables(&Files::find(&top.join("member"), &top));
        let got = |name: &str| all().remove(name).flatten();
        write("member/src/lib.rs", "");
        assert_eq!(got("ONE"), None);
        write(
            ".cargo/config.toml",
            "[env]\nONE = \"1\"\nTWO = { value = \"2\", force = true }\n\
             AT = { value = \"data\", relative = true }\nODD = 7\n",
        );
        assert_eq!((got("ONE").as_deref(), got("TWO").as_deref()), (Some("1"), Some("2")));
        assert_eq!(got("AT"), Some(top.join("data").to_string_lossy().into_owned()));
        assert_eq!(all().get("ODD"), Some(&None));
        write("member/.cargo/config", "[env]\nONE = \"3\"\n[env.TWO]\nvalue = \"4\"\n");
        assert_eq!((got("ONE").as_deref(), got("TWO").as_deref()), (Some("3"), Some("4")));
        // An included file counts like the file that includes it, which takes precedence.
        write("member/.cargo/config", "include = \"more.toml\"\n[env]\nONE = \"5\"\n");
        write("member/.cargo/more.toml", "[env]\nONE = \"6\"\nTHREE = \"7\"\n");
        assert_eq!((got("ONE").as_deref(), got("THREE").as_deref()), (Some("5"), Some("7")));
    }
}
