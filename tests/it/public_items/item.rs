//! A single item of the source: its name, how it is declared, and where a path in it leads.

use syn::spanned::Spanned;
use syn::{Attribute, Fields, Generics, Item, TraitItem, Type, UseTree};

use super::source::{Module, is_public};

/// Returns whether an item is public, and its attributes; `None` if it has no name that can be used.
pub(crate) fn head(item: &Item) -> Option<(bool, &[Attribute])> {
    let (visibility, attributes) = match item {
        Item::Const(item) => (&item.vis, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.attrs),
        Item::Fn(item) => (&item.vis, &item.attrs),
        Item::Mod(item) => (&item.vis, &item.attrs),
        Item::Static(item) => (&item.vis, &item.attrs),
        Item::Struct(item) => (&item.vis, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.attrs),
        Item::Type(item) => (&item.vis, &item.attrs),
        Item::Union(item) => (&item.vis, &item.attrs),
        Item::Impl(_) | Item::Macro(_) | Item::Use(_) => return None,
        _ => panic!("this test does not know the kind of an item"),
    };
    Some((is_public(visibility), attributes))
}

pub(crate) fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Returns the line of an item under this name, and the public parts of the item.
pub(crate) fn declaration(module: &Module, item: &Item, name: &str) -> (String, Vec<String>) {
    let generics = |generics: &Generics| match &generics.lt_token {
        Some(_) => module.text(generics.span()),
        None => String::new(),
    };
    let (kind, rest, parts) = match item {
        Item::Const(item) => ("const", format!(": {}", module.text(item.ty.span())), Vec::new()),
        Item::Static(item) => ("static", format!(": {}", module.text(item.ty.span())), Vec::new()),
        Item::Enum(item) => {
            let variants = item.variants.iter().map(|variant| {
                let mut variant = variant.clone();
                variant.attrs.clear();
                module.text(variant.span())
            });
            ("enum", generics(&item.generics), variants.collect())
        }
        Item::Fn(item) => {
            let text = module.text(item.sig.span());
            return (
                format!("pub {}", text.replacen(&item.sig.ident.to_string(), name, 1)),
                Vec::new(),
            );
        }
        Item::Mod(_) => ("mod", String::new(), Vec::new()),
        Item::Struct(item) => ("struct", generics(&item.generics), fields(module, &item.fields)),
        Item::Union(item) => {
            ("union", generics(&item.generics), fields(module, &Fields::Named(item.fields.clone())))
        }
        Item::Trait(item) => {
            let above = if item.supertraits.is_empty() {
                String::new()
            } else {
                format!(": {}", module.text(item.supertraits.span()))
            };
            (
                "trait",
                format!("{}{above}", generics(&item.generics)),
                item.items.iter().map(|item| part(module, item)).collect(),
            )
        }
        Item::Type(item) => (
            "type",
            format!("{} = {}", generics(&item.generics), module.text(item.ty.span())),
            Vec::new(),
        ),
        _ => unreachable!("an item without a name is not described"),
    };
    (format!("pub {kind} {name}{rest}"), parts)
}

fn fields(module: &Module, fields: &Fields) -> Vec<String> {
    let public = fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis));
    let named = public.map(|(n, field)| {
        let name = field.ident.as_ref().map_or_else(|| n.to_string(), ToString::to_string);
        format!("pub {name}: {}", module.text(field.ty.span()))
    });
    named.collect()
}

fn part(module: &Module, item: &TraitItem) -> String {
    match item {
        TraitItem::Fn(item) => module.text(item.sig.span()),
        TraitItem::Const(item) => {
            format!("const {}: {}", item.ident, module.text(item.ty.span()))
        }
        TraitItem::Type(item) => format!("type {}", item.ident),
        other => module.text(other.span()),
    }
}

/// Returns the last name of a type's path, without references.
pub(crate) fn last(named: &Type) -> Option<String> {
    match named {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Reference(reference) => last(&reference.elem),
        _ => None,
    }
}

/// Returns each path that a `use` names, with the name that it gets.
pub(crate) fn flat(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let below = flat(&path.tree).into_iter();
            below.map(|(rest, name)| ([vec![first.clone()], rest].concat(), name)).collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".to_owned()], "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(flat).collect(),
    }
}
