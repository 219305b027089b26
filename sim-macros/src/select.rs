//! `select!`: polls several futures in place, and runs the handler of the first that is ready.
//!
//! The expansion keeps the futures in a block of their own, so that all are dropped before a handler
//! runs. Which branch is polled first is a choice of the simulation, or the order of the source
//! after `biased;`.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Arm, Error, Expr, ExprBlock, Ident, Pat, Result, Token, parenthesized,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
    token,
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
                select.otherwise = Some(otherwise(input)?);
                break;
            }
            select.branches.push(branch(input)?);
        }
        if select.branches.is_empty() && select.otherwise.is_none() {
            return Err(Error::new(Span::call_site(), "select! requires at least one branch."));
        }
        if let Some(branch) = select.branches.get(MOST) {
            let message = format!(
                "select! takes at most {MOST} branches, and these are {}",
                select.branches.len()
            );
            return Err(Error::new(branch.pattern.span(), message));
        }
        Ok(select)
    }
}

fn otherwise(input: ParseStream<'_>) -> Result<Expr> {
    input.parse::<Token![else]>()?;
    input.parse::<Token![=>]>()?;
    let handler = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    if input.is_empty() {
        return Ok(handler);
    }
    Err(input.error("the `else` branch has to be the last"))
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
    // A handler that starts as a block ends with it, and needs no comma. Any other expression goes
    // on as far as it can, also one such as `match`, and needs one.
    let block = input.peek(token::Brace) && !input.peek(token::Group);
    let handler = match block {
        true => Expr::Block(ExprBlock { attrs: Vec::new(), label: None, block: input.parse()? }),
        false => input.parse()?,
    };
    let comma = input.parse::<Option<Token![,]>>()?;
    if comma.is_none() && !input.is_empty() && !is_block(&handler) {
        return Err(input.error("expected `,` behind the handler"));
    }
    Ok(Branch { pattern, future, condition, handler })
}

/// Whether it is a block, also one that a macro of the user's passes on.
fn is_block(handler: &Expr) -> bool {
    match handler {
        Expr::Block(block) => block.label.is_none(),
        Expr::Group(group) => is_block(&group.expr),
        _ => false,
    }
}

/// Makes a pattern one that can be matched against a reference: bindings take no mode of their own.
struct Clean;

impl VisitMut for Clean {
    fn visit_pat_ident_mut(&mut self, pattern: &mut syn::PatIdent) {
        pattern.by_ref = None;
        pattern.mutability = None;
        visit_mut::visit_pat_ident_mut(self, pattern);
    }

    fn visit_pat_reference_mut(&mut self, pattern: &mut syn::PatReference) {
        pattern.mutability = None;
        visit_mut::visit_pat_reference_mut(self, pattern);
    }

    // Bindings within, as those of a closure, are not the pattern's.
    fn visit_expr_mut(&mut self, _: &mut Expr) {}
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
    let (disabled, cx, pending, start_at, index, output) = (
        local("disabled"),
        local("cx"),
        local("pending"),
        local("start"),
        local("index"),
        local("output"),
    );
    let (number, futures, future) = (local("number"), local("futures"), local("future"));
    // Hygiene does not reach types: what the user wrote sees this one, so it has a name of its own.
    let out = local("__SimSelectOutput");
    let numbered = |letter: &str| -> Vec<Ident> {
        (0..branches.len())
            .map(|i| Ident::new(&format!("{letter}{i}"), Span::mixed_site()))
            .collect()
    };
    let (types, values) = (numbered("T"), numbered("value"));
    let mask = local(mask(branches.len()));
    let converted: Vec<TokenStream> = branches
        .iter()
        .zip(&values)
        .map(|(branch, value)| {
            let span = branch.future.span().resolved_at(Span::mixed_site());
            quote_spanned!(span=> ::core::future::IntoFuture::into_future(#value))
        })
        .collect();
    let (tree, paths) = tree(&support, &quote!(#futures.as_mut()), &converted);

    let conditions = branches.iter().enumerate().filter_map(|(i, branch)| {
        let (condition, bit) = (branch.condition.as_ref()?, bit(i));
        Some(quote!(if !(#condition) { #disabled |= #bit; }))
    });
    let expressions = branches.iter().map(|branch| &branch.future);
    let polls = branches.iter().enumerate().map(|(i, branch)| {
        let (branch_number, bit, path, variant) = (i as u32, bit(i), &paths[i], &types[i]);
        let mut pattern = branch.pattern.clone();
        Clean.visit_pat_mut(&mut pattern);
        quote_spanned! {branch.future.span().resolved_at(Span::mixed_site())=>
            #[allow(unreachable_code)]
            #branch_number => {
                if #disabled & #bit != 0 {
                    continue;
                }
                let #future = #path;
                let #output = match ::core::future::Future::poll(#future, #cx) {
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
        let pattern = &branch.pattern;
        // An arm puts the parentheses that `match x {} + 1` needs behind an arrow.
        Arm {
            attrs: Vec::new(),
            pat: Pat::Verbatim(quote!(#out::#variant(#pattern))),
            guard: None,
            fat_arrow_token: Default::default(),
            body: Box::new(branch.handler.clone()),
            comma: Some(Default::default()),
        }
    });
    Ok(quote! {{
        #[allow(non_camel_case_types, clippy::enum_variant_names)]
        enum #out<#(#types),*> {
            #(#types(#types),)*
            Disabled,
        }
        #[allow(unused_mut)]
        let mut #disabled: #mask = 0;
        #(#conditions)*
        #[allow(unused_mut)]
        let mut #output = {
            // Bound as they are, so that what they borrow lives as long as they do.
            let (#(#values,)*) = (#(#expressions,)*);
            let mut #futures = ::core::pin::pin!(#tree);
            // By value: two words are all that it takes beside the futures.
            ::core::future::poll_fn(move |#cx: &mut ::core::task::Context<'_>| {
                if #support::poll_budget_available(#cx).is_pending() {
                    return ::core::task::Poll::Pending;
                }
                let mut #pending = false;
                let #start_at: u32 = #start;
                for #index in 0..#count {
                    // A single branch is no mistake.
                    #[allow(clippy::modulo_one)]
                    let #number = (#start_at + #index) % #count;
                    match #number {
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

/// The futures as a balanced tree of pairs, and the path to each from the pinned root.
fn tree(
    support: &TokenStream,
    root: &TokenStream,
    futures: &[TokenStream],
) -> (TokenStream, Vec<TokenStream>) {
    if let [future] = futures {
        return (future.clone(), vec![root.clone()]);
    }
    let (left, right) = futures.split_at(futures.len() / 2);
    let (left, mut paths) = tree(support, &quote!(#support::left(#root)), left);
    let (right, behind) = tree(support, &quote!(#support::right(#root)), right);
    paths.extend(behind);
    (quote!(#support::pair(#left, #right)), paths)
}

/// The smallest word with a bit for each branch: it lies in the future as long as the `select!` waits.
fn mask(branches: usize) -> &'static str {
    match branches {
        0..=8 => "u8",
        9..=16 => "u16",
        17..=32 => "u32",
        _ => "u64",
    }
}

fn bit(branch: usize) -> Literal {
    Literal::u64_unsuffixed(1 << branch)
}
