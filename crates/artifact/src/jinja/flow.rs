//! Which names may hold a text that a template put together, wherever and in whatever order it did.

use std::collections::BTreeSet;

use super::lexer::{Block, Token};

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

/// Tokens that are looked at to follow names; published templates take some thousands. What is assigned inside of what is
/// assigned, or handed on from name to name, takes the cube of a template's length.
const MAX_WORK: usize = 4_000_000;

/// What is known about the names of a template.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Names that may hold a text from the template.
    texts: BTreeSet<String>,
    /// Names that may hold a text built from pieces, or one that names a special attribute.
    built: BTreeSet<String>,
}

/// A name and the expression that it gets its value from.
struct Assignment<'t> {
    name: &'t str,
    value: &'t [Token],
}

impl Flow {
    /// `None` where that is more work than any template needs.
    pub(super) fn of(blocks: &[Block]) -> Option<Self> {
        let mut found = Found { list: Vec::new(), left: MAX_WORK };
        for block in blocks {
            assignments(block, blocks, &mut found)?;
        }
        let Found { list: assignments, mut left } = found;
        let round = assignments.iter().map(|assignment| assignment.value.len() + 1).sum();
        let mut flow = Self::default();
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

    fn holds_text(&self, tokens: &[Token]) -> bool {
        tokens.iter().any(|token| match token {
            Token::Text(_) => true,
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
        let hands_on = tokens.iter().filter_map(Token::name).any(|name| self.built.contains(name));
        tokens.iter().any(|token| token.is("~"))
            || (joins && self.holds_text(tokens))
            || calls
            || cuts
            || adjacent
            || hands_on
    }
}

/// A literal that names a special attribute, or is a piece of one.
fn is_special(tokens: &[Token]) -> bool {
    tokens.iter().filter_map(Token::text).any(|text| text.contains("__"))
}

/// Assignments that were found, and how many tokens may still be looked at for more.
struct Found<'t> {
    list: Vec<Assignment<'t>>,
    left: usize,
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
fn assignments<'t>(block: &'t Block, all: &'t [Block], found: &mut Found<'t>) -> Option<()> {
    let tokens = block.tokens.as_slice();
    for (at, pair) in tokens.windows(2).enumerate() {
        if let (Some(name), true) = (pair[0].name(), pair[1].is("=")) {
            let value = argument(&tokens[at + 2..]);
            // The fields of a namespace are keyword arguments by themselves.
            if value.first().and_then(Token::name) == Some("namespace") {
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
        Some("for") => halves(tokens, |token| token.name() == Some("in")),
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
    if values.first().and_then(Token::name) != Some("namespace") {
        for (at, target) in targets.iter().enumerate() {
            let last = targets.get(at + 1).is_none_or(|next| !next.is("."));
            if let Some(name) = target.name().filter(|_| last) {
                found.push(name, values)?;
            }
        }
    }
    Some(())
}

fn halves(tokens: &[Token], is_border: impl Fn(&Token) -> bool) -> (&[Token], &[Token]) {
    match tokens.iter().position(is_border) {
        Some(at) => (&tokens[1..at], &tokens[at + 1..]),
        // `{% set x %}...{% endset %}` keeps printed text; its pieces are those of the blocks in between.
        None => (&[], &[]),
    }
}

/// The tokens of one argument.
fn argument(tokens: &[Token]) -> &[Token] {
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
fn arguments_of<'t>(name: &str, tokens: &'t [Token]) -> Vec<&'t [Token]> {
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
                    return &tokens[1..at];
                }
            }
            _ => {}
        }
    }
    tokens.get(1..).unwrap_or(&[])
}
