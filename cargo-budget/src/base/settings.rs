//! The settings of cargo's configuration files, and how cargo merges those of several files.

use std::collections::BTreeMap;

use toml_edit::Item;

/// A value of a setting, without white space that has no meaning.
#[derive(Debug)]
pub(super) enum Setting {
    One(String),
    /// The elements of an array.
    Several(Vec<String>),
}

impl Setting {
    /// Returns the value as TOML.
    pub(super) fn text(self) -> String {
        match self {
            Setting::One(text) => text,
            Setting::Several(elements) => format!("[{}]", elements.join(", ")),
        }
    }
}

/// Adds the settings of a file with lower precedence: a setting that is known already stays.
pub(super) fn add_lower(
    settings: &mut BTreeMap<String, Setting>,
    lower: BTreeMap<String, Setting>,
) {
    for (key, value) in lower {
        match (settings.get_mut(&key), value) {
            (Some(Setting::Several(known)), Setting::Several(lower)) if is_joined(&key) => {
                known.splice(..0, lower);
            }
            (Some(_), _) => {}
            (None, value) => drop(settings.insert(key, value)),
        }
    }
}

/// Whether cargo joins the arrays of several files at this key. A program with its arguments is one value.
fn is_joined(key: &str) -> bool {
    !(key == "host.runner" || key.starts_with("target.") && key.ends_with(".runner"))
}

/// Collects every value below `item` by its full key.
pub(super) fn flatten(key: &str, item: &Item, found: &mut BTreeMap<String, Setting>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    if let Some(table) = item.as_table_like() {
        for (name, item) in table.iter() {
            flatten(&below(name), item, found);
        }
    } else {
        let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let setting = match item.as_array() {
            Some(array) => Setting::Several(
                array
                    .iter()
                    .map(|value| plain(value.clone().decorated("", "").to_string()))
                    .collect(),
            ),
            None => Setting::One(plain(item.to_string())),
        };
        found.insert(key.to_owned(), setting);
    }
}
