//! The options of an attribute: those that this crate reads, and the rest, which is Divan's alone.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Meta, Path, Token};

/// The options of an attribute.
pub(crate) struct Options {
    /// The path of perf-budget-divan, as `crate = …` says it.
    pub(crate) root: Path,
    /// Whether the benchmark has a name of its own.
    pub(crate) has_name: bool,
    /// Whether the benchmark takes arguments.
    pub(crate) has_args: bool,
    /// The counters, each as an expression of one.
    pub(crate) counters: Vec<TokenStream>,
    /// Everything but the path of the crate.
    pub(crate) rest: Vec<TokenStream>,
}

impl Options {
    /// Reads the options.
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Options> {
        let mut options = Options {
            root: syn::parse_quote!(::divan),
            has_name: false,
            has_args: false,
            counters: Vec::new(),
            rest: Vec::new(),
        };
        for (name, value) in entries.parse2(tokens)? {
            options.read(&name.to_string(), name.to_token_stream(), value)?;
        }
        Ok(options)
    }

    fn read(
        &mut self,
        name: &str,
        key: TokenStream,
        value: Option<TokenStream>,
    ) -> syn::Result<()> {
        let Some(value) = value else {
            self.rest.push(key);
            return Ok(());
        };
        let root = &self.root;
        let counter = |kind: &str| {
            let kind = quote::format_ident!("{kind}");
            quote!(<#root::counter::#kind as ::std::convert::From<_>>::from(#value))
        };
        match name {
            "crate" => {
                self.root = syn::parse2(value)?;
                return Ok(());
            }
            "name" => self.has_name = true,
            "args" => self.has_args = true,
            "counter" => self.counters.push(value.clone()),
            "counters" => {
                let list: syn::ExprArray = syn::parse2(value.clone())?;
                self.counters.extend(list.elems.iter().map(Expr::to_token_stream));
            }
            "bytes_count" => self.counters.push(counter("BytesCount")),
            "chars_count" => self.counters.push(counter("CharsCount")),
            "cycles_count" => self.counters.push(counter("CyclesCount")),
            "items_count" => self.counters.push(counter("ItemsCount")),
            _ => {}
        }
        self.rest.push(quote!(#key = #value));
        Ok(())
    }
}

/// Reads `key`, or `key = value`, between commas. `crate` is a key too.
fn entries(
    input: syn::parse::ParseStream<'_>,
) -> syn::Result<Vec<(syn::Ident, Option<TokenStream>)>> {
    use syn::ext::IdentExt;
    let entry = |input: syn::parse::ParseStream<'_>| {
        let name = input.call(syn::Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            // A list of types is not an expression, so its tokens are taken as they stand.
            Some(_) => Some(value(input)?),
            None => None,
        };
        Ok((name, value))
    };
    let list = Punctuated::<_, Token![,]>::parse_terminated_with(input, entry)?;
    Ok(list.into_iter().collect())
}

/// Takes everything up to the next comma that ends an expression. A list of types is not an expression, but is in brackets.
fn value(input: syn::parse::ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut value: Vec<TokenTree> = Vec::new();
    while !input.is_empty() {
        let is_list = matches!(value[..], [TokenTree::Group(_)]);
        let is_whole = || syn::parse2::<Expr>(value.iter().cloned().collect()).is_ok();
        if input.peek(Token![,]) && (is_list || is_whole()) {
            break;
        }
        value.push(input.parse()?);
    }
    Ok(value.into_iter().collect())
}

/// Whether an attribute of a function is `#[ignore]`, which belongs to the benchmark and not to the function.
pub(crate) fn is_ignore(meta: &Meta) -> bool {
    meta.path().is_ident("ignore")
}
