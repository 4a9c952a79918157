//! The public items of a library, each with its methods and with the traits that it implements.

use std::collections::BTreeMap;
use std::fmt;

use syn::spanned::Spanned;
use syn::{ImplItem, Item, ItemImpl, ItemMacro, ReturnType, Signature};

use super::item::{declaration, flat, head, last, name_of};
use super::source::{Features, Module, Source, derived, documented, has, is_public};
use crate::module_path::whole;

/// The items, by the path that users write.
#[derive(Default)]
pub(crate) struct Listing {
    items: BTreeMap<String, Listed>,
    /// The path that users write, for the path of each definition.
    names: BTreeMap<Vec<String>, String>,
    /// The functions that lack an example, or a section on their errors.
    undocumented: Vec<String>,
}

/// An item, and what belongs to it.
#[derive(Default)]
struct Listed {
    line: String,
    parts: Vec<String>,
}

impl Listing {
    pub(crate) fn new(source: &Source) -> Listing {
        let mut listing = Listing::default();
        let top = source.module(&[]).expect("a library has a file");
        listing.module(source, top, "");
        for module in &source.modules {
            listing.exported_macros(module);
        }
        for module in source.modules.iter().filter(|module| module.features.is_for_users()) {
            listing.implementations(module);
        }
        listing
    }

    /// Returns what the documentation lacks.
    pub(crate) fn undocumented(&self) -> &[String] {
        &self.undocumented
    }

    /// Adds the items of a module that users can name.
    fn module(&mut self, source: &Source, module: &Module, prefix: &str) {
        for item in &module.items {
            if let Item::Use(imported) = item
                && is_public(&imported.vis)
            {
                let features = module.features.and(&imported.attrs);
                for (path, name) in flat(&imported.tree) {
                    if features.is_for_users() {
                        self.reexported(
                            source,
                            module,
                            &path,
                            &format!("{prefix}{name}"),
                            &features,
                        );
                    }
                }
                continue;
            }
            self.item(source, module, item, prefix, None, &Features::default());
        }
    }

    /// Adds what a module re-exports from another module, or from another library.
    fn reexported(
        &mut self,
        source: &Source,
        module: &Module,
        path: &[String],
        name: &str,
        features: &Features,
    ) {
        let Some(whole) = whole(&module.path, path, |child| source.module(child).is_some()) else {
            let line = format!("pub use {}{}", path.join("::"), features.to_suffix());
            self.items.insert(name.to_owned(), Listed { line, parts: Vec::new() });
            return;
        };
        let (last, home) = whole.split_last().expect("a path has a name");
        assert!(last != "*", "`pub use {}`: name each item", path.join("::"));
        if let Some(inner) = source.module(&whole) {
            self.items.insert(
                name.to_owned(),
                Listed {
                    line: format!("pub mod {name}{}", features.to_suffix()),
                    parts: Vec::new(),
                },
            );
            self.module(source, inner, &format!("{name}::"));
            return;
        }
        let home =
            source.module(home).unwrap_or_else(|| panic!("`{}` leads nowhere", path.join("::")));
        for item in &home.items {
            if let Item::Use(imported) = item {
                let further = flat(&imported.tree).into_iter().find(|(_, known)| known == last);
                if let Some((path, _)) = further {
                    return self.reexported(
                        source,
                        home,
                        &path,
                        name,
                        &features.and(&imported.attrs),
                    );
                }
            } else if name_of(item).is_some_and(|known| known == *last) {
                let (prefix, own) = name.rsplit_once("::").map_or(("", name), |(p, n)| (p, n));
                let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}::") };
                return self.item(source, home, item, &prefix, Some(own), features);
            }
        }
        panic!("no `{}` is defined in {:?}", path.join("::"), home.path);
    }

    fn item(
        &mut self,
        source: &Source,
        module: &Module,
        item: &Item,
        prefix: &str,
        renamed: Option<&str>,
        besides: &Features,
    ) {
        let Some((visible, attributes)) = head(item) else { return };
        let features = module.features.and(attributes);
        if !visible || !features.is_for_users() || !besides.is_for_users() {
            return;
        }
        let own = name_of(item).expect("an item with a head has a name");
        let name = format!("{prefix}{}", renamed.unwrap_or(&own));
        let (mut line, mut parts) = declaration(module, item, &name);
        if has(attributes, "non_exhaustive") {
            line = format!("#[non_exhaustive] {line}");
        }
        line.push_str(&features.to_suffix());
        parts.extend(derived(attributes).into_iter().map(|name| format!("derive {name}")));
        if let Item::Fn(function) = item {
            self.check_documentation(&name, &documented(attributes), &function.sig, false);
        }
        let mut definition = module.path.clone();
        definition.push(own);
        self.names.insert(definition.clone(), name.clone());
        self.items.insert(name.clone(), Listed { line, parts });
        if let Item::Mod(_) = item {
            let inner = source.module(&definition).expect("a module is read with its library");
            self.module(source, inner, &format!("{name}::"));
        }
    }

    /// Adds exported macros, whose name is at the top of the library wherever they are defined.
    fn exported_macros(&mut self, module: &Module) {
        for item in &module.items {
            if let Item::Macro(ItemMacro { ident: Some(name), attrs, .. }) = item
                && has(attrs, "macro_export")
                && module.features.is_for_users()
            {
                let line = format!("macro_rules! {name}{}", module.features.to_suffix());
                self.items.insert(format!("{name}!"), Listed { line, parts: Vec::new() });
            }
        }
    }

    /// Adds what this module implements for public items, and which public traits it implements.
    fn implementations(&mut self, module: &Module) {
        for item in &module.items {
            match item {
                Item::Impl(block) => self.block(module, block),
                Item::Macro(call) if call.ident.is_none() => self.call(module, call),
                _ => {}
            }
        }
    }

    fn block(&mut self, module: &Module, block: &ItemImpl) {
        let features = module.features.and(&block.attrs);
        let for_users = features.is_for_users() && !has(&block.attrs, "doc");
        let implementor = last(&block.self_ty).and_then(|own| self.public(&own));
        let implemented = block.trait_.as_ref().map(|(path, _)| path);
        let Some(path) = implemented else {
            if let Some(name) = implementor.filter(|_| for_users) {
                self.methods(module, block, &name, &features);
            }
            return;
        };
        let own = path.segments.last().expect("a path has a name").ident.to_string();
        let is_trait = |name: &String| self.items[name].line.starts_with("pub trait ");
        if let Some(public) = self.public(&own).filter(is_trait) {
            let part = format!("for {}{}", module.text(block.self_ty.span()), features.to_suffix());
            self.part(&public, part);
        }
        if let Some(name) = implementor {
            let generics = match &block.generics.lt_token {
                Some(_) => module.text(block.generics.span()),
                None => String::new(),
            };
            let part =
                format!("impl{generics} {}{}", module.text(path.span()), features.to_suffix());
            self.part(&name, part);
        }
    }

    fn methods(&mut self, module: &Module, block: &ItemImpl, name: &str, features: &Features) {
        for item in &block.items {
            match item {
                ImplItem::Fn(method) if is_public(&method.vis) => {
                    let features = features.and(&method.attrs);
                    let text =
                        format!("pub {}{}", module.text(method.sig.span()), features.to_suffix());
                    self.part(name, text);
                    let at = format!("{name}::{}", method.sig.ident);
                    self.check_documentation(
                        &at,
                        &documented(&method.attrs),
                        &method.sig,
                        name == "Run",
                    );
                }
                ImplItem::Const(item) if is_public(&item.vis) => {
                    let text = format!("pub const {}: {}", item.ident, module.text(item.ty.span()));
                    self.part(name, text);
                }
                _ => {}
            }
        }
    }

    /// Adds a macro call that implements a public trait or something for a public item.
    fn call(&mut self, module: &Module, call: &ItemMacro) {
        let called = call.mac.path.segments.last().expect("a path has a name").ident.to_string();
        if called == "thread_local" {
            return; // it only makes statics, which are private here
        }
        let rules = module.items.iter().find_map(|item| match item {
            Item::Macro(rules) if rules.ident.as_ref().is_some_and(|name| *name == called) => {
                Some(rules)
            }
            _ => None,
        });
        let body = rules.map_or_else(
            || {
                panic!(
                    "`{called}!` is called in {:?} and defined elsewhere, so this test does not see what it adds",
                    module.path
                )
            },
            |rules| rules.mac.tokens.to_string(),
        );
        let words: Vec<&str> = body.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let touched: Vec<String> = words.iter().filter_map(|word| self.public(word)).collect();
        let given = call.mac.tokens.to_string().replace(" ,", ",");
        for name in touched {
            self.part(&name, format!("{called}!({given})"));
        }
    }

    /// Returns the name that users write for the item that is defined under this name.
    fn public(&self, own: &str) -> Option<String> {
        let found = self.names.iter().find(|(path, _)| path.last().is_some_and(|last| last == own));
        found.map(|(_, name)| name.clone())
    }

    fn part(&mut self, name: &str, part: String) {
        let parts = &mut self.items.get_mut(name).expect("each name has an item").parts;
        if !parts.contains(&part) {
            parts.push(part);
        }
    }

    /// Checks that the documentation has what a caller needs.
    fn check_documentation(
        &mut self,
        name: &str,
        text: &str,
        signature: &Signature,
        example: bool,
    ) {
        let fails = match &signature.output {
            ReturnType::Type(_, returned) => last(returned).is_some_and(|name| name == "Result"),
            ReturnType::Default => false,
        };
        if fails && !text.contains("# Errors") {
            self.undocumented.push(format!("`{name}` does not say when it fails"));
        }
        if example && !text.contains("```") {
            self.undocumented.push(format!("`{name}` has no example"));
        }
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: usize = self.items.values().map(|item| item.parts.len()).sum();
        writeln!(
            f,
            "What users of perf-budget can name: {} items with {parts} methods, fields, variants and traits. In brackets is the \
             cargo\nfeature that one is behind. Written by UPDATE_SNAPSHOTS=1 cargo test --test it public_items\n",
            self.items.len()
        )?;
        for item in self.items.values() {
            writeln!(f, "{}", item.line)?;
            let mut parts = item.parts.clone();
            parts.sort();
            for part in parts {
                writeln!(f, "    {part}")?;
            }
        }
        Ok(())
    }
}
