//! The function that Divan registers in the place of a benchmark.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, GenericParam, ItemFn, Type, WherePredicate};

use crate::options::{Options, is_ignore};

/// Returns the function as it is, and beside it the one that Divan calls.
pub(crate) fn expand(options: Options, mut item: ItemFn) -> TokenStream {
    let Options { root, has_name, has_args, counters, mut rest } = options;
    let (ignore, own): (Vec<Attribute>, Vec<Attribute>) =
        std::mem::take(&mut item.attrs).into_iter().partition(|attr| is_ignore(&attr.meta));
    // A function that is left out by `#[cfg]` has no benchmark.
    let conditions = own.iter().filter(|attr| attr.path().is_ident("cfg")).cloned();
    let conditions: Vec<Attribute> = conditions.collect();
    item.attrs = own;
    let name = &item.sig.ident;
    let text = name.to_string();
    let pretty = text.strip_prefix("r#").unwrap_or(&text);
    if !has_name {
        rest.push(quote!(name = #pretty));
    }
    let shim = format_ident!("__perf_budget_{pretty}");

    let generics = item.sig.generics.params.iter();
    let generics: Vec<&GenericParam> =
        generics.filter(|param| !matches!(param, GenericParam::Lifetime(_))).collect();
    let arguments = generics.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    });
    let turbofish = (!generics.is_empty()).then(|| quote!(::<#(#arguments),*>));
    let bounds = item.sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounds: Vec<&WherePredicate> =
        bounds.filter(|bound| !matches!(bound, WherePredicate::Lifetime(_))).collect();
    let bounds = (!bounds.is_empty()).then(|| quote!(where #(#bounds),*));

    let inputs: Vec<&FnArg> = item.sig.inputs.iter().collect();
    let takes_bencher = inputs.len() > usize::from(has_args);
    let argument = inputs.last().filter(|_| has_args).map(|argument| match argument {
        FnArg::Typed(typed) => without_lifetime(&typed.ty),
        FnArg::Receiver(receiver) => quote!(#receiver),
    });
    let parameter = argument.map(|kind| quote!(, __argument: #kind));
    let passed = parameter.is_some().then(|| quote!(__argument));
    let call = if takes_bencher {
        let comma = passed.is_some().then(|| quote!(,));
        quote!(#name #turbofish(__bencher #comma #passed))
    } else {
        quote!(__bencher.bench(|| #name #turbofish(#passed)))
    };
    quote! {
        #item

        #(#conditions)*
        const _: () = {
            #[#root::__private::divan::bench(crate = #root::__private::divan, #(#rest),*)]
            #(#ignore)*
            fn #shim<#(#generics),*>(
                __inner: #root::__private::divan::Bencher #parameter
            ) #bounds {
                #root::__private::run(
                    __inner,
                    || ::std::vec![#(#root::__private::work(&#counters)),*],
                    |__bencher| { #call; },
                );
            }
        };
    }
}

/// Returns the type without the lifetime of its reference, which is declared by the function alone.
fn without_lifetime(kind: &Type) -> TokenStream {
    match kind {
        Type::Reference(reference) if reference.lifetime.is_some() => {
            let mut reference = reference.clone();
            if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident != "static") {
                reference.lifetime = None;
            }
            quote!(#reference)
        }
        kind => quote!(#kind),
    }
}
