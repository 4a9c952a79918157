//! The sources of a library as a tree of modules, each with its items.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Visibility};

/// The feature that shows internals to this repository's tests; what is behind it is not for users.
const INTERNALS: &str = "internals";

/// The source of a library.
pub(crate) struct Source {
    /// Every module except those of tests, the top module first.
    pub(crate) modules: Vec<Module>,
}

/// A module, with the text of the file that its items are in.
pub(crate) struct Module {
    pub(crate) path: Vec<String>,
    pub(crate) items: Vec<Item>,
    pub(crate) features: Features,
    text: String,
    file: String,
}

/// The cargo features that an item is behind. A feature that must be off has a `!` before its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Features(Vec<String>);

impl Features {
    /// Returns the features, with those that these attributes require added.
    pub(crate) fn and(&self, attributes: &[Attribute]) -> Features {
        let mut all = self.clone();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("cfg")) {
            let condition = tokens(attribute);
            let name = condition.split('"').nth(1).map(str::to_owned).unwrap_or(condition.clone());
            all.0.push(if condition.contains("not") { format!("!{name}") } else { name });
        }
        all
    }

    pub(crate) fn is_for_users(&self) -> bool {
        !self
            .0
            .iter()
            .any(|name| name == INTERNALS || name.contains("test") || name.starts_with('!'))
    }

    /// Returns ` [a, b]`, or nothing.
    pub(crate) fn to_suffix(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(" [{}]", self.0.join(", ")) }
    }
}

/// Returns the text in the parentheses of an attribute.
fn tokens(attribute: &Attribute) -> String {
    match &attribute.meta {
        Meta::List(list) => list.tokens.to_string(),
        Meta::Path(_) | Meta::NameValue(_) => String::new(),
    }
}

impl Source {
    /// Reads every module that can be reached from `lib.rs` in this folder.
    pub(crate) fn read(folder: &Path) -> Source {
        let mut source = Source { modules: Vec::new() };
        source.file(folder, &folder.join("lib.rs"), &[], &Features::default());
        source
    }

    /// Reads a library of one file, which contains all of its modules.
    pub(crate) fn from_text(text: &str) -> Source {
        let mut source = Source { modules: Vec::new() };
        let items = syn::parse_file(text).unwrap().items;
        let module = Module {
            path: Vec::new(),
            items,
            features: Features::default(),
            text: text.to_owned(),
            file: "lib.rs".to_owned(),
        };
        source.add(module, None);
        source
    }

    fn file(&mut self, top: &Path, file: &Path, path: &[String], features: &Features) {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = file.strip_prefix(top).unwrap().to_str().unwrap().replace('\\', "/");
        let path = path.to_vec();
        let (items, features) = (parsed.items, features.clone());
        self.add(Module { path, items, features, text, file: name }, Some((top, file)));
    }

    /// Adds a module and the modules below it; those that are files of their own are found beside `file`.
    fn add(&mut self, module: Module, file: Option<(&Path, &Path)>) {
        let (path, text, name) = (module.path.clone(), module.text.clone(), module.file.clone());
        let mut below = Vec::new();
        for item in &module.items {
            let Item::Mod(inner) = item else { continue };
            let features = module.features.and(&inner.attrs);
            let tests = features.0.iter().any(|name| name == "test");
            let path: Vec<String> = path.iter().cloned().chain([inner.ident.to_string()]).collect();
            if !tests {
                below.push((path, features, inner.clone()));
            }
        }
        self.modules.push(module);
        for (path, features, inner) in below {
            if let Some((_, items)) = inner.content {
                let (text, file_name) = (text.clone(), name.clone());
                self.add(Module { path, items, features, text, file: file_name }, file);
            } else {
                let (top, file) = file.expect("a module is in a file of its own");
                let file = place(file, &inner.ident.to_string());
                self.file(top, &file, &path, &features);
            }
        }
    }

    pub(crate) fn module(&self, path: &[String]) -> Option<&Module> {
        self.modules.iter().find(|module| module.path == path)
    }

    /// Returns the files that hide something from the documentation.
    pub(crate) fn files_with_hidden(&self) -> Vec<String> {
        let hides = |module: &&Module| module.text.contains("#[doc(hidden)]");
        let mut files: Vec<String> =
            self.modules.iter().filter(hides).map(|module| module.file.clone()).collect();
        files.sort();
        files.dedup();
        files
    }
}

impl Module {
    /// Returns the source text of a span, on one line.
    pub(crate) fn text(&self, span: Span) -> String {
        let text = self.text.get(span.byte_range()).expect("a span is of its file");
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Whether a function changes its argument inside does not matter to its caller.
        [("( ", "("), (", )", ")"), ("< ", "<"), (", >", ">"), ("(mut ", "("), (", mut ", ", ")]
            .into_iter()
            .fold(line, |line, (loose, tight)| line.replace(loose, tight))
    }
}

/// Returns the file of a module that `file` declares.
fn place(file: &Path, module: &str) -> PathBuf {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let folder = file.parent().unwrap();
    let folder = match stem {
        "lib" | "mod" => folder.to_owned(),
        stem => folder.join(stem),
    };
    let (flat, nested) = (folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs"));
    if flat.is_file() { flat } else { nested }
}

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

pub(crate) fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// Returns the traits that are derived.
pub(crate) fn derived(attributes: &[Attribute]) -> Vec<String> {
    let derives = attributes.iter().filter(|a| a.path().is_ident("derive")).map(tokens);
    derives
        .flat_map(|text| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .collect()
}

/// Returns the documentation of an item.
pub(crate) fn documented(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
