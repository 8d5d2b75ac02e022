//! Where the names of a template get their values from: statements, arguments, methods and what is printed into them.

use std::collections::BTreeSet;

use super::{
    brackets::{argument, arguments_of, halves, inside, top_level, uncalled},
    lexer::{Block, Token},
};

/// Methods that put their arguments into what they are called on.
pub(super) const MUTATORS: &[&str] =
    &["append", "extend", "insert", "setdefault", "update", "add", "appendleft"];

/// Tokens that are looked at to follow names; published templates take some thousands. What is assigned inside of what is
/// assigned, or handed on from name to name, takes the cube of a template's length.
pub(super) const MAX_WORK: usize = 4_000_000;

/// A name and the expression that it gets its value from.
pub(super) struct Assignment<'t> {
    pub(super) name: &'t str,
    pub(super) value: &'t [Token],
}

/// Names that hold what a template prints: of `set` blocks and macros; and the targets of loops that call themselves,
/// and the parameters of macros that are called by other names, which may get anything.
pub(super) fn captured(blocks: &[Block]) -> BTreeSet<String> {
    let recursive = blocks.iter().any(|block| !arguments_of("loop", &block.tokens).is_empty());
    let uncalled = uncalled(blocks);
    let mut names = BTreeSet::new();
    for block in blocks.iter().filter(|block| block.statement) {
        let tokens = block.tokens.as_slice();
        let part = match tokens.first().and_then(Token::name) {
            Some("set") if top_level(tokens, |token| token.is("=")).is_none() => {
                &tokens[1..top_level(tokens, |token| token.is("|")).unwrap_or(tokens.len())]
            }
            Some("macro")
                if tokens.get(1).and_then(Token::name).is_some_and(|name| uncalled.contains(name)) =>
            {
                &tokens[1..]
            }
            Some("macro") => tokens.get(1..2).unwrap_or(&[]),
            Some("call") if uncalled.contains("caller") => tokens,
            Some("for") if recursive => halves(tokens, |token| token.name() == Some("in")).0,
            _ => &[],
        };
        names.extend(part.iter().filter_map(Token::name).map(str::to_owned));
    }
    names
}

/// What methods put into the names that they are called on.
pub(super) fn mutations<'t>(tokens: &'t [Token], found: &mut Found<'t>) -> Option<()> {
    for (at, token) in tokens.iter().enumerate() {
        let mutates = token.name().is_some_and(|name| MUTATORS.contains(&name))
            && tokens.get(at + 1).is_some_and(|next| next.is("("));
        if !mutates {
            continue;
        }
        let value = inside(&tokens[at + 1..]);
        // Every name and field in front of the method may be what is changed.
        let receiver = tokens[..at].iter().rev().take_while(|token| {
            matches!(token, Token::Name(_) | Token::Text(_) | Token::Number)
                || [".", "[", "]"].iter().any(|operator| token.is(operator))
        });
        for name in receiver.filter_map(|token| token.name().or(token.text())) {
            found.push(name, value)?;
        }
    }
    Some(())
}

/// Whether a value is a namespace whose fields are all keyword arguments, which are followed by themselves.
pub(super) fn is_fields(value: &[Token]) -> bool {
    let arguments = value.get(1..).map_or(&[][..], inside);
    value.first().and_then(Token::name) == Some("namespace")
        && arguments.len() + 3 == value.len()
        && !arguments.iter().any(|token| token.is("**") || token.is("*"))
        && (arguments.is_empty() || arguments.get(1).is_some_and(|token| token.is("=")))
}

/// Assignments that were found, and how many tokens may still be looked at for more.
pub(super) struct Found<'t> {
    pub(super) list: Vec<Assignment<'t>>,
    pub(super) left: usize,
}

impl<'t> Found<'t> {
    /// `None` where there were too many.
    fn push(&mut self, name: &'t str, value: &'t [Token]) -> Option<()> {
        self.spend(value.len() + 1)?;
        self.list.push(Assignment { name, value });
        Some(())
    }

    fn spend(&mut self, tokens: usize) -> Option<()> {
        self.left = self.left.checked_sub(tokens)?;
        Some(())
    }

    /// Parameters get what every call of `name` hands over.
    fn parameters(
        &mut self,
        parameters: impl Iterator<Item = &'t str>,
        name: &str,
        all: &'t [Block],
    ) -> Option<()> {
        self.spend(all.iter().map(|block| block.tokens.len()).sum())?;
        let calls: Vec<&[Token]> = all.iter().flat_map(|block| arguments_of(name, &block.tokens)).collect();
        for parameter in parameters {
            for value in &calls {
                self.push(parameter, value)?;
            }
        }
        Some(())
    }
}

/// What a block assigns: `set`, `for`, `with`, keyword arguments, and the parameters of a macro.
pub(super) fn assignments<'t>(block: &'t Block, all: &'t [Block], found: &mut Found<'t>) -> Option<()> {
    let tokens = block.tokens.as_slice();
    for (at, pair) in tokens.windows(2).enumerate() {
        if let (Some(name), true) = (pair[0].name(), pair[1].is("=")) {
            let value = argument(&tokens[at + 2..]);
            // The fields of a namespace are keyword arguments by themselves.
            if is_fields(value) {
                found.spend(value.len())?;
            } else {
                found.push(name, value)?;
            }
        }
    }
    if !block.statement {
        return Some(());
    }
    let (targets, values) = match tokens.first().and_then(Token::name) {
        Some("set") => halves(tokens, |token| token.is("=")),
        Some("for") => {
            let (targets, values) = halves(tokens, |token| token.name() == Some("in"));
            // The loop shows its neighbours by these names.
            found.push("previtem", values)?;
            found.push("nextitem", values)?;
            (targets, values)
        }
        Some("macro") => {
            let name = tokens.get(1).and_then(Token::name).unwrap_or("");
            return found.parameters(tokens.iter().skip(2).filter_map(Token::name), name, all);
        }
        Some("call") => {
            let parameters = tokens.iter().skip(1).take_while(|token| !token.is(")"));
            return found.parameters(parameters.filter_map(Token::name), "caller", all);
        }
        _ => return Some(()),
    };
    if !is_fields(values) {
        for (at, target) in targets.iter().enumerate() {
            let last = targets.get(at + 1).is_none_or(|next| !next.is("."));
            if let Some(name) = target.name().filter(|_| last) {
                found.push(name, values)?;
            }
        }
    }
    Some(())
}
