//! What `#[sim::test]` and `#[sim::main]` make of a function.

use crate::options::{self, Of};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, ItemFn, Result};

pub(crate) fn test(tokens: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = parse(item, "test")?;
    if !function.sig.inputs.is_empty() {
        return Err(Error::new_spanned(
            &function.sig.inputs,
            "the test function cannot accept arguments",
        ));
    }
    let options = options::parse(tokens, Of::Test)?;
    let (krate, calls) = (&options.krate, &options.calls);
    let ItemFn { attrs, vis, sig, block } = &function;
    let name = &sig.ident;
    let (generics, output) = (&sig.generics, &sig.output);
    let body = format_ident!("{name}");
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis fn #name #generics() {
            async fn #body() #output #block
            let path = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
            #krate::__private::run_test(#krate::__private::config_for(path) #calls, #body)
        }
    })
}

pub(crate) fn main(tokens: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function = parse(item, "main")?;
    if function.sig.ident == "main" && !function.sig.inputs.is_empty() {
        return Err(Error::new_spanned(
            &function.sig.inputs,
            "the main function cannot accept arguments",
        ));
    }
    let options = options::parse(tokens, Of::Main)?;
    let (krate, calls) = (&options.krate, &options.calls);
    function.sig.asyncness = None;
    let ItemFn { attrs, vis, sig, block } = &function;
    let output = match &sig.output {
        syn::ReturnType::Default => quote!(()),
        syn::ReturnType::Type(_, of)
            if contains_impl(of) || matches!(**of, syn::Type::Never(_)) =>
        {
            quote!(_)
        }
        syn::ReturnType::Type(_, of) => quote!(#of),
    };
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            let body = async #block;
            let output: #output = #krate::__private::main_builder() #calls .block_on(body);
            output
        }
    })
}

fn contains_impl(of: &syn::Type) -> bool {
    quote!(#of).into_iter().any(|token| token.to_string() == "impl")
}

/// The function, which has to be async.
fn parse(item: TokenStream, attribute: &str) -> Result<ItemFn> {
    let function: ItemFn = syn::parse2(item)?;
    match function.sig.asyncness {
        Some(_) => Ok(function),
        None => {
            let message = format!(
                "`#[sim::{attribute}]` is for async functions: the `async` keyword is missing from `fn {}`",
                function.sig.ident
            );
            Err(Error::new_spanned(function.sig.fn_token, message))
        }
    }
}
