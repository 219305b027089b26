//! What `#[sim::test]` and `#[sim::main]` make of a function.
//!
//! A mistake in the options leaves the function in place, so that the mistake is the only error and
//! editors go on understanding the body.

use crate::options::{self, Of, Options};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{AttrStyle, Attribute, Error, ItemFn, Result, ReturnType, Type, spanned::Spanned};

pub(crate) fn test(tokens: TokenStream, item: TokenStream) -> TokenStream {
    expand(tokens, item, Of::Test)
}

pub(crate) fn main(tokens: TokenStream, item: TokenStream) -> TokenStream {
    expand(tokens, item, Of::Main)
}

fn expand(tokens: TokenStream, item: TokenStream, of: Of) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, error),
    };
    if let Err(error) = signature(&function, of) {
        // A program without `main` would be a second error.
        let main = (function.sig.ident == "main").then(|| {
            quote!(
                fn main() {}
            )
        });
        return with_error(main.unwrap_or_default(), error);
    }
    let (options, error) = match options::parse(tokens, of) {
        Ok(options) => (options, None),
        Err(error) => (Options::default(), Some(error)),
    };
    let expanded = match of {
        Of::Test => test_of(&function, &options),
        Of::Main => main_of(function, &options),
    };
    match error {
        Some(error) => with_error(expanded, error),
        None => expanded,
    }
}

fn with_error(mut tokens: TokenStream, error: Error) -> TokenStream {
    tokens.extend(error.into_compile_error());
    tokens
}

/// Whether the function is one that the attribute can drive.
fn signature(function: &ItemFn, of: Of) -> Result<()> {
    let sig = &function.sig;
    if sig.asyncness.is_none() {
        let message = format!(
            "`#[sim::{of}]` is for async functions: the `async` keyword is missing from `fn {}`",
            sig.ident
        );
        return Err(Error::new_spanned(sig.fn_token, message));
    }
    if let Some(token) = &sig.unsafety {
        let message = format!("`#[sim::{of}]` cannot promise what `unsafe fn {}` asks", sig.ident);
        return Err(Error::new_spanned(token, message));
    }
    if !sig.inputs.is_empty() && (of == Of::Test || sig.ident == "main") {
        let which = if of == Of::Test { "test" } else { "main" };
        return Err(Error::new_spanned(
            &sig.inputs,
            format!("the {which} function cannot accept arguments"),
        ));
    }
    if of == Of::Test
        && let Some(second) = function.attrs.iter().find(|attribute| is_test(attribute))
    {
        let message = "a second test attribute would run the test twice: `#[sim::test]` is enough";
        return Err(Error::new_spanned(second, message));
    }
    Ok(())
}

/// `#[test]`, also by one of its full paths such as `::core::prelude::v1::test`.
fn is_test(attribute: &Attribute) -> bool {
    let segments: Vec<String> =
        attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
    matches!(
        segments.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["test"] | ["core" | "std", "prelude", _, "test"]
    )
}

/// The body stays an async function, so that types are inferred and mistakes told as in any other.
fn test_of(function: &ItemFn, options: &Options) -> TokenStream {
    let Options { krate, calls } = options;
    let ItemFn { vis, sig, block, .. } = function;
    let (outer, inner) = attributes(function);
    let (name, abi, generics, output) = (&sig.ident, &sig.abi, &sig.generics, &sig.output);
    let bounds = &sig.generics.where_clause;
    // An output that says nothing about success is a mistake where it is written.
    let place = match output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, of) => of.span(),
    };
    let run = located(
        quote!(#krate::__private::run_test(#krate::__private::config_for(path) #calls, #name)),
        place,
    );
    quote! {
        #[::core::prelude::v1::test]
        #(#outer)*
        #vis #abi fn #name #generics() #bounds {
            #(#inner)*
            #[allow(clippy::unused_async)]
            async fn #name() #output #block
            let path = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
            #run
        }
    }
}

/// The body stays within the function, so that it sees the arguments, `self` among them.
fn main_of(mut function: ItemFn, options: &Options) -> TokenStream {
    let Options { krate, calls } = options;
    function.sig.asyncness = None;
    let ItemFn { vis, sig, block, .. } = &function;
    let (outer, inner) = attributes(&function);
    let statements = &block.stmts;
    let output = match &sig.output {
        ReturnType::Default => Some(quote!(())),
        // Neither can be named here.
        ReturnType::Type(_, of) if has_impl(of) || matches!(**of, Type::Never(_)) => None,
        ReturnType::Type(_, of) => Some(of.to_token_stream()),
    };
    // An async block learns its output from its first `return`, and holds the others to it.
    let expected = output.map(|output| {
        quote! {
            if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#output> {
                return output;
            }
        }
    });
    quote! {
        #(#outer)*
        #vis #sig {
            #(#inner)*
            let body = async {
                #expected
                #(#statements)*
            };
            #[allow(clippy::diverging_sub_expression, clippy::needless_return)]
            return #krate::__private::main_builder() #calls .block_on(body);
        }
    }
}

/// The attributes before the function, and those within its body.
fn attributes(function: &ItemFn) -> (Vec<&Attribute>, Vec<&Attribute>) {
    function.attrs.iter().partition(|attribute| matches!(attribute.style, AttrStyle::Outer))
}

/// The tokens, as if they stood at `place`; what they mean stays.
fn located(tokens: TokenStream, place: Span) -> TokenStream {
    let put = |mut token: TokenTree| {
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.into_iter().map(put).collect()
}

fn has_impl(of: &Type) -> bool {
    fn within(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => within(group.stream()),
            token => token.to_string() == "impl",
        })
    }
    within(of.to_token_stream())
}
