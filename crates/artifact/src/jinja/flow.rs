//! Which names may hold a text that a template put together, wherever and in whatever order it did.

use std::collections::BTreeSet;

use super::{
    brackets::inside,
    check::{ends_value, is_internal},
    lexer::{Block, Token},
    sources::{Found, MAX_WORK, assignments, captured, mutations},
};

/// Filters and methods that make one text out of others.
const BUILDERS: &[&str] = &[
    "join",
    "replace",
    "format",
    "format_map",
    "string",
    "center",
    "ljust",
    "rjust",
    "zfill",
    "truncate",
    "urlencode",
    "tojson",
    "translate",
    "encode",
    "decode",
    "hex",
    "fromhex",
    "expandtabs",
    "indent",
    "wordwrap",
    "pprint",
    "xmlattr",
    "striptags",
    "urlize",
    "filesizeformat",
];

/// Filters, methods and functions that hand on what they get, cut it or tell something about it, and never put texts
/// together. What others make of a text is not followed.
const HANDED_ON: &[&str] = &[
    "abs",
    "batch",
    "capitalize",
    "count",
    "default",
    "dict",
    "dictsort",
    "endswith",
    "e",
    "escape",
    "first",
    "float",
    "get",
    "groupby",
    "int",
    "items",
    "keys",
    "last",
    "length",
    "list",
    "lower",
    "lstrip",
    "map",
    "max",
    "min",
    "namespace",
    "partition",
    "pop",
    "raise_exception",
    "range",
    "reject",
    "rejectattr",
    "removeprefix",
    "removesuffix",
    "reverse",
    "round",
    "rpartition",
    "rsplit",
    "rstrip",
    "safe",
    "select",
    "selectattr",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "values",
];

/// Words in front of a bracket that are no calls.
const WORDS: &[&str] = &["and", "else", "elif", "for", "if", "in", "is", "not", "or", "set"];

/// Names that stand for what a template prints, for arguments that nothing names, or for texts of the tokenizer.
fn is_opaque(name: &str) -> bool {
    matches!(name, "caller" | "kwargs" | "lipsum" | "self" | "super" | "varargs") || name.ends_with("_token")
}

/// What is known about the names of a template.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Names that may hold a text from the template.
    texts: BTreeSet<String>,
    /// Names that may hold a text built from pieces, or one that names a special attribute.
    built: BTreeSet<String>,
}

impl Flow {
    /// `None` where that is more work than any template needs.
    pub(super) fn of(blocks: &[Block]) -> Option<Self> {
        let mut found = Found { list: Vec::new(), left: MAX_WORK };
        for block in blocks {
            assignments(block, blocks, &mut found)?;
            mutations(&block.tokens, &mut found)?;
        }
        let Found { list: assignments, mut left } = found;
        let round = assignments.iter().map(|assignment| assignment.value.len() + 1).sum();
        let mut flow = Self { built: captured(blocks), ..Self::default() };
        // Each round adds a name or ends; there are no more names than assignments.
        loop {
            left = left.checked_sub(round)?;
            let before = flow.texts.len() + flow.built.len();
            for assignment in &assignments {
                if flow.holds_text(assignment.value) {
                    flow.texts.insert(assignment.name.to_owned());
                }
                if flow.builds(assignment.value) || is_special(assignment.value) {
                    flow.built.insert(assignment.name.to_owned());
                }
            }
            if flow.texts.len() + flow.built.len() == before {
                return Some(flow);
            }
        }
    }

    /// Whether an expression has a text of the template in it, other than as the key of a lookup.
    fn holds_text(&self, tokens: &[Token]) -> bool {
        tokens.iter().enumerate().any(|(at, token)| match token {
            Token::Text(text) => !is_key(tokens, at) || self.texts.contains(text),
            Token::Name(name) => self.texts.contains(name),
            _ => false,
        })
    }

    /// Whether an expression may put a text together, or hands one on that was.
    pub(super) fn builds(&self, tokens: &[Token]) -> bool {
        let joins = tokens.iter().any(|token| ["+", "%", "*"].iter().any(|operator| token.is(operator)));
        let calls = tokens.windows(2).any(|pair| {
            (pair[0].is("|") || pair[0].is("."))
                && pair[1].name().is_some_and(|name| BUILDERS.contains(&name))
        });
        let cuts = tokens.windows(2).any(|pair| pair[0].text().is_some() && pair[1].is("["));
        let adjacent = tokens.windows(2).any(|pair| pair[0].text().is_some() && pair[1].text().is_some());
        let hands_on = tokens.iter().any(|token| match token {
            Token::Name(name) => is_opaque(name) || self.built.contains(name),
            // A field may be named as a text: `x['a']` is `x.a`.
            Token::Text(text) => self.built.contains(text),
            _ => false,
        });
        tokens.iter().any(|token| token.is("~"))
            || ((joins || slices(tokens)) && self.holds_text(tokens))
            || calls
            || maps_a_builder(tokens)
            || self.calls_what_is_not_followed(tokens)
            || cuts
            || adjacent
            || hands_on
    }

    /// Whether a text goes through a function, method or filter of which it is not known what it makes of it.
    fn calls_what_is_not_followed(&self, tokens: &[Token]) -> bool {
        let unknown = |name: &str| !HANDED_ON.contains(&name) && !WORDS.contains(&name);
        // Once for all filters, of which there may be many.
        let text = self.holds_text(tokens);
        tokens.windows(2).enumerate().any(|(at, pair)| match (&pair[0], &pair[1]) {
            (Token::Name(name), open) if open.is("(") && unknown(name) => {
                self.holds_text(inside(&tokens[at + 1..]))
            }
            (pipe, Token::Name(name)) if pipe.is("|") && unknown(name) => text,
            // What a lookup or another call gives is called.
            (close, open) if (close.is("]") || close.is(")")) && open.is("(") => {
                self.holds_text(inside(&tokens[at + 1..]))
            }
            _ => false,
        })
    }

    /// Whether a name may hold a text of the template.
    pub(super) fn is_text(&self, name: &str) -> bool {
        self.texts.contains(name) || self.built.contains(name) || is_opaque(name)
    }
}

/// Whether the token at this place is all that stands in the brackets of a lookup.
fn is_key(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    before(1).is_some_and(|token| token.is("["))
        && before(2).is_some_and(ends_value)
        && tokens.get(at + 1).is_some_and(|token| token.is("]"))
}

/// Whether something is cut by a slice.
fn slices(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let mut depth = 0usize;
        token.is("[")
            && inside(&tokens[at..]).iter().any(|token| {
                match token {
                    Token::Operator("(" | "[" | "{") => depth += 1,
                    Token::Operator(")" | "]" | "}") => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && token.is(":")
            })
    })
}

/// `map` takes the name of a filter, which may put texts together.
fn maps_a_builder(tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| pair[0].is("|") && pair[1].name() == Some("map"))
        && tokens.iter().filter_map(Token::text).any(|text| BUILDERS.contains(&text))
}

/// A literal that names a special attribute, or is a piece of one; a keyword of `dict` becomes one.
fn is_special(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| match token {
        Token::Text(text) => text.contains("__") || is_internal(text),
        Token::Name(name) => is_internal(name),
        _ => false,
    })
}
