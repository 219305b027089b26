//! `select!`: polls several futures in place, and runs the handler of the first that is ready.
//!
//! The expansion keeps the futures in a block of their own, so that all are dropped before a handler
//! runs. Which branch is polled first is a choice of the simulation, or the order of the source
//! after `biased;`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Error, Expr, Ident, Pat, Result, Token, parenthesized,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

/// The most branches: the disabled ones are the bits of a word.
const MOST: usize = 64;

struct Select {
    krate: TokenStream,
    biased: bool,
    branches: Vec<Branch>,
    otherwise: Option<Expr>,
}

/// `pattern = future, if condition => handler`
struct Branch {
    pattern: Pat,
    future: Expr,
    condition: Option<Expr>,
    handler: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> Result<Select> {
        let krate;
        parenthesized!(krate in input);
        let krate = krate.parse()?;
        let biased = input.peek(Ident)
            && input.peek2(Token![;])
            && input.fork().parse::<Ident>()? == "biased";
        if biased {
            input.parse::<Ident>()?;
            input.parse::<Token![;]>()?;
        }
        let mut select = Select { krate, biased, branches: Vec::new(), otherwise: None };
        while !input.is_empty() {
            if input.peek(Token![else]) {
                input.parse::<Token![else]>()?;
                input.parse::<Token![=>]>()?;
                select.otherwise = Some(input.parse()?);
                input.parse::<Option<Token![,]>>()?;
                if !input.is_empty() {
                    return Err(input.error("the `else` branch has to be the last"));
                }
                break;
            }
            select.branches.push(branch(input)?);
        }
        if select.branches.is_empty() && select.otherwise.is_none() {
            return Err(Error::new(Span::call_site(), "select! requires at least one branch."));
        }
        if select.branches.len() > MOST {
            let message = format!(
                "select! takes at most {MOST} branches, and these are {}",
                select.branches.len()
            );
            return Err(Error::new(Span::call_site(), message));
        }
        Ok(select)
    }
}

fn branch(input: ParseStream<'_>) -> Result<Branch> {
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    input.parse::<Token![=]>()?;
    let future = input.parse()?;
    let condition = match input.parse::<Option<Token![,]>>()? {
        Some(_) => {
            input.parse::<Token![if]>()?;
            Some(input.parse()?)
        }
        None => None,
    };
    input.parse::<Token![=>]>()?;
    // A handler that is a block needs no comma behind it.
    let handler = Expr::parse_with_earlier_boundary_rule(input)?;
    let comma = input.parse::<Option<Token![,]>>()?;
    if comma.is_none() && !input.is_empty() && !matches!(handler, Expr::Block(_)) {
        return Err(input.error("expected `,` behind the handler"));
    }
    Ok(Branch { pattern, future, condition, handler })
}

/// Makes a pattern one that can be matched against a reference: bindings take no mode of their own.
struct Clean;

impl VisitMut for Clean {
    fn visit_pat_ident_mut(&mut self, pattern: &mut syn::PatIdent) {
        pattern.by_ref = None;
        pattern.mutability = None;
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let select = Select::parse.parse2(input)?;
    let Select { krate, biased, branches, otherwise } = &select;
    let support = quote!(#krate::macros_support);
    let otherwise = match otherwise {
        Some(handler) => quote!(#handler),
        None => quote!(::core::panic!("all branches are disabled and there is no else branch")),
    };
    if branches.is_empty() {
        return Ok(quote!({ #otherwise }));
    }
    let count = branches.len() as u32;
    let start = match biased {
        true => quote!(0),
        false => quote!(#support::branch(#count)),
    };
    let local = |name: &str| Ident::new(name, Span::mixed_site());
    let (disabled, cx, pending, index, output) =
        (local("disabled"), local("cx"), local("pending"), local("index"), local("output"));
    let out = local("Out");
    let numbered = |letter: &str| -> Vec<Ident> {
        (0..branches.len())
            .map(|i| format_ident!("{letter}{i}", span = Span::mixed_site()))
            .collect()
    };
    let (types, futures) = (numbered("T"), numbered("future"));

    let conditions = branches.iter().enumerate().filter_map(|(i, branch)| {
        let (condition, bit) = (branch.condition.as_ref()?, 1_u64 << i);
        Some(quote!(if !(#condition) { #disabled |= #bit; }))
    });
    let expressions = branches.iter().map(|branch| &branch.future);
    let polls = branches.iter().enumerate().map(|(i, branch)| {
        let (number, bit, future, variant) = (i as u32, 1_u64 << i, &futures[i], &types[i]);
        let mut pattern = branch.pattern.clone();
        Clean.visit_pat_mut(&mut pattern);
        quote_spanned! {branch.future.span().resolved_at(Span::mixed_site())=>
            #number => {
                if #disabled & #bit != 0 {
                    continue;
                }
                let #output = match ::core::future::Future::poll(#future.as_mut(), #cx) {
                    ::core::task::Poll::Ready(#output) => #output,
                    ::core::task::Poll::Pending => {
                        #pending = true;
                        continue;
                    }
                };
                #disabled |= #bit;
                #[allow(unused_variables, unused_mut, unreachable_patterns)]
                match &#output {
                    #pattern => {}
                    _ => continue,
                }
                return ::core::task::Poll::Ready(#out::#variant(#output));
            }
        }
    });
    let handlers = branches.iter().zip(&types).map(|(branch, variant)| {
        let (pattern, handler) = (&branch.pattern, &branch.handler);
        quote!(#out::#variant(#pattern) => #handler,)
    });
    Ok(quote! {{
        #[allow(non_camel_case_types, clippy::enum_variant_names)]
        enum #out<#(#types),*> {
            #(#types(#types),)*
            Disabled,
        }
        #[allow(unused_mut)]
        let mut #disabled = 0_u64;
        #(#conditions)*
        #[allow(unused_mut)]
        let mut #output = {
            // One statement, so that what the expressions borrow for themselves ends here.
            let (#(#futures,)*) = (#(#expressions,)*);
            #(let mut #futures = ::core::pin::pin!(::core::future::IntoFuture::into_future(#futures));)*
            ::core::future::poll_fn(|#cx: &mut ::core::task::Context<'_>| {
                if #support::poll_budget_available(#cx).is_pending() {
                    return ::core::task::Poll::Pending;
                }
                let mut #pending = false;
                let start: u32 = #start;
                for #index in 0..#count {
                    match (start + #index) % #count {
                        #(#polls)*
                        _ => ::core::unreachable!("there is no such branch"),
                    }
                }
                match #pending {
                    true => ::core::task::Poll::Pending,
                    false => ::core::task::Poll::Ready(#out::Disabled),
                }
            })
            .await
        };
        #[allow(unreachable_patterns)]
        match #output {
            #(#handlers)*
            #out::Disabled => #otherwise,
            _ => ::core::unreachable!("the pattern matched when the future was ready"),
        }
    }})
}
