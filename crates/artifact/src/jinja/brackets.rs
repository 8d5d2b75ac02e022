//! Pieces of a block by its brackets.

use std::collections::HashSet;

use super::lexer::{Block, Token};

/// Names that are used otherwise than by a call, so that what can be called may go by another name.
pub(super) fn uncalled(blocks: &[Block]) -> HashSet<&str> {
    let names = blocks.iter().flat_map(|block| {
        let tokens = block.tokens.as_slice();
        tokens.iter().enumerate().filter_map(|(at, token)| {
            token.name().filter(|_| !tokens.get(at + 1).is_some_and(|next| next.is("(")))
        })
    });
    names.collect()
}

/// Where a token stands outside of all brackets.
pub(super) fn top_level(tokens: &[Token], wanted: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    tokens.iter().position(|token| {
        match token {
            Token::Operator("(" | "[" | "{") => depth += 1,
            Token::Operator(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && wanted(token)
    })
}

pub(super) fn halves(tokens: &[Token], is_border: impl Fn(&Token) -> bool) -> (&[Token], &[Token]) {
    match top_level(tokens, is_border) {
        Some(at) => (&tokens[1..at], &tokens[at + 1..]),
        // What `{% set x %}...{% endset %}` keeps is printed, and not followed.
        None => (&[], &[]),
    }
}

/// The tokens of one argument.
pub(super) fn argument(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    let end = tokens.iter().position(|token| {
        match token {
            Token::Operator("(" | "[" | "{") => depth += 1,
            Token::Operator(")" | "]" | "}") if depth == 0 => return true,
            Token::Operator(")" | "]" | "}") => depth -= 1,
            Token::Operator(",") => return depth == 0,
            _ => {}
        }
        false
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

/// What every call of a macro hands over, all arguments of a call as one.
pub(super) fn arguments_of<'t>(name: &str, tokens: &'t [Token]) -> Vec<&'t [Token]> {
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].name() == Some(name) && pair[1].is("(") {
            found.push(inside(&tokens[at + 1..]));
        }
    }
    found
}

/// The tokens between an opening bracket, the first token, and the one that closes it.
pub(super) fn inside(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Operator("(" | "[" | "{") => depth += 1,
            Token::Operator(")" | "]" | "}") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return tokens.get(1..at).unwrap_or(&[]);
                }
            }
            _ => {}
        }
    }
    tokens.get(1..).unwrap_or(&[])
}
