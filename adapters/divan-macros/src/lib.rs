//! The attributes of perf-budget-divan. Use them through that crate.
//!
//! `bench` leaves the function as it is, and writes a second one beside it, which Divan's own attribute registers. Divan
//! calls this second function with its own bencher, and it calls the first one with the bencher of perf-budget-divan.

mod bench;
mod options;

use proc_macro::TokenStream;
use quote::quote;

/// Registers a benchmark; see `divan::bench`.
#[proc_macro_attribute]
pub fn bench(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::ItemFn);
    match options::Options::parse(options.into()) {
        Ok(options) => bench::expand(options, item).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Registers a group of benchmarks; see `divan::bench_group`.
#[proc_macro_attribute]
pub fn bench_group(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = match options::Options::parse(options.into()) {
        Ok(options) => options,
        Err(error) => return error.into_compile_error().into(),
    };
    if let Some(counter) = options.counters.first() {
        let text = "the counter of a group is not read by perf-budget-divan: give it to each benchmark of the group";
        return syn::Error::new_spanned(counter, text).into_compile_error().into();
    }
    let (root, rest) = (&options.root, &options.rest);
    let item = proc_macro2::TokenStream::from(item);
    quote! {
        #[#root::__private::divan::bench_group(crate = #root::__private::divan, #(#rest),*)]
        #item
    }
    .into()
}
