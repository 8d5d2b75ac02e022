//! What a template may not do: reach special attributes, by name or through names that it builds, and read files.

use super::{
    brackets::inside,
    flow::Flow,
    lexer::{Block, Token},
};
use crate::{findings::Findings, rules};

/// Attributes without an underscore in front that lead to frames, code and classes.
const INTERNAL: &[&str] = &[
    "mro",
    "gi_frame",
    "gi_code",
    "gi_yieldfrom",
    "f_globals",
    "f_builtins",
    "f_back",
    "f_locals",
    "f_code",
    "tb_frame",
    "tb_next",
    "cr_frame",
    "cr_code",
    "ag_frame",
    "ag_code",
    "func_globals",
    "func_code",
    "func_closure",
    "im_func",
    "im_self",
    "im_class",
    "co_code",
];
/// Methods that run something. As plain fields of a message they may occur.
const CALLS: &[&str] =
    &["popen", "system", "eval", "exec", "getattr", "import_string", "load_module", "Popen"];
/// Filters that take the name of an attribute.
const BY_ATTRIBUTE: &[&str] =
    &["attr", "map", "selectattr", "rejectattr", "groupby", "sort", "sum", "unique", "min", "max"];
/// Statements that published templates use.
const STATEMENTS: &[&str] = &[
    "autoescape",
    "block",
    "break",
    "call",
    "continue",
    "do",
    "elif",
    "else",
    "endautoescape",
    "endblock",
    "endcall",
    "endfilter",
    "endfor",
    "endgeneration",
    "endif",
    "endmacro",
    "endset",
    "endtrans",
    "endwith",
    "filter",
    "for",
    "generation",
    "if",
    "macro",
    "pluralize",
    "set",
    "trans",
    "with",
];

pub(super) fn check(blocks: &[Block], target: &str, offset: Option<u64>, findings: &mut Findings) {
    let mut note = |rule, message: String| findings.about(rule, offset, target, message);
    let Some(flow) = Flow::of(blocks) else {
        return note(
            &rules::TEMPLATE_UNREAD,
            "more names that depend on each other than are followed".to_owned(),
        );
    };
    for block in blocks {
        if block.statement {
            match block.tokens.first().and_then(Token::name) {
                Some(word @ ("include" | "import" | "from" | "extends" | "debug")) => {
                    note(
                        &rules::TEMPLATE_INCLUDE,
                        format!("`{word}` reads what lies outside of the template"),
                    );
                }
                Some(word) if STATEMENTS.contains(&word) => {}
                Some(word) => note(&rules::TEMPLATE_UNREAD, format!("the statement `{word}` is not known")),
                None => note(&rules::TEMPLATE_UNREAD, "a statement without a word".to_owned()),
            }
        }
        for at in 0..block.tokens.len() {
            if let Some((rule, message)) = token(&block.tokens, at, &flow) {
                note(rule, message);
            }
        }
    }
}

type Hit = (&'static rules::Rule, String);

/// What is wrong at one token.
fn token(tokens: &[Token], at: usize, flow: &Flow) -> Option<Hit> {
    let previous = at.checked_sub(1).map(|at| &tokens[at]);
    let next = tokens.get(at + 1);
    match &tokens[at] {
        Token::Name(name) => {
            let after_dot = previous.is_some_and(|token| token.is("."));
            if name.starts_with("__") || (after_dot && (name.starts_with('_') || is_internal(name))) {
                return Some(internal(name));
            }
            if after_dot && CALLS.contains(&name.as_str()) && next.is_some_and(|token| token.is("(")) {
                return Some(internal(name));
            }
            if after_dot && matches!(name.as_str(), "format" | "format_map") {
                return format_method(&tokens[..at - 1]);
            }
            // `{% filter name(...) %}` begins a chain of filters too.
            let filter = previous.is_some_and(|token| token.is("|"))
                || (at == 1 && previous.and_then(Token::name) == Some("filter"));
            if filter && BY_ATTRIBUTE.contains(&name.as_str()) {
                return by_attribute(name, &tokens[at + 1..]);
            }
            None
        }
        Token::Operator("[") if previous.is_some_and(ends_value) => {
            let key = inside(&tokens[at..]);
            let called = tokens.get(at + key.len() + 2).is_some_and(|token| token.is("("));
            let receiver = previous.and_then(Token::name);
            let of_text = receiver.is_none_or(|name| flow.is_text(name));
            subscript(key, flow).or_else(|| method(key, called, of_text))
        }
        _ => None,
    }
}

/// Whether a bracket behind this token looks something up in it.
pub(super) fn ends_value(token: &Token) -> bool {
    match token {
        Token::Name(name) => !matches!(name.as_str(), "in" | "and" | "or" | "not" | "if" | "else" | "is"),
        Token::Text(_) => true,
        Token::Number => false,
        Token::Operator(operator) => matches!(*operator, ")" | "]" | "}"),
    }
}

fn subscript(key: &[Token], flow: &Flow) -> Option<Hit> {
    let special = key.iter().find_map(|token| match token {
        Token::Text(text) if text.contains("__") || is_internal(text) => Some(text),
        Token::Name(name) if is_internal(name) => Some(name),
        _ => None,
    });
    if let Some(name) = special {
        return Some(internal(name));
    }
    flow.builds(key).then(|| {
        let message = "it looks something up by a name that it puts together from pieces";
        (&rules::TEMPLATE_COMPUTED, message.to_owned())
    })
}

/// A method that is looked up by a text instead of behind a dot.
fn method(key: &[Token], called: bool, of_text: bool) -> Option<Hit> {
    let [Token::Text(name)] = key else { return None };
    if called && CALLS.contains(&name.as_str()) {
        return Some(internal(name));
    }
    (is_format(name) && (called || of_text)).then(|| {
        (
            &rules::TEMPLATE_COMPUTED,
            format!("it looks up `{name}`, which may follow attributes that a text names"),
        )
    })
}

fn is_format(name: &str) -> bool {
    matches!(name, "format" | "format_map")
}

/// `'...'.format(...)` follows attributes that the text names; `before` ends with what the method is called on.
fn format_method(before: &[Token]) -> Option<Hit> {
    let special = |text: &str| {
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        text.contains("__") || text.contains("._") || text.contains("[_") || words.any(is_internal)
    };
    match before {
        [.., Token::Text(text)] if special(text) => Some(internal(text)),
        // Texts beside each other are one.
        [Token::Text(_)] => None,
        [.., other, Token::Text(_)] if other.text().is_none() => None,
        _ => Some((
            &rules::TEMPLATE_COMPUTED,
            "it formats a text that is not written in the template; such a text may follow attributes"
                .to_owned(),
        )),
    }
}

/// A filter that looks up an attribute whose name is an argument.
fn by_attribute(filter: &str, rest: &[Token]) -> Option<Hit> {
    let arguments = match rest.first() {
        Some(open) if open.is("(") => inside(rest),
        _ => return None,
    };
    let texts = || arguments.iter().filter_map(Token::text);
    let looks_up = matches!(filter, "attr" | "map");
    let bad = texts().find(|text| {
        text.split('.').any(|part| {
            part.starts_with('_')
                || is_internal(part)
                || (looks_up && (CALLS.contains(&part) || is_format(part)))
        })
    });
    if let Some(name) = bad {
        return Some(internal(name));
    }
    let by_keyword = arguments.iter().position(|token| token.name() == Some("attribute"));
    let (named, single) = match (filter, by_keyword) {
        (_, Some(at)) => (arguments.get(at + 2), arguments.get(at + 3)),
        ("attr" | "selectattr" | "rejectattr" | "groupby" | "map", None) => {
            (arguments.first(), arguments.get(1))
        }
        // Their attribute may also come by its place.
        _ => {
            let constant = |name: &str| matches!(name, "true" | "false" | "none" | "True" | "False" | "None");
            let keyword = |at: usize| arguments.get(at + 1).is_some_and(|token| token.is("="));
            let computed = arguments
                .iter()
                .enumerate()
                .any(|(at, token)| token.name().is_some_and(|name| !constant(name) && !keyword(at)));
            return computed.then(|| {
                (
                    &rules::TEMPLATE_COMPUTED,
                    format!("`{filter}` gets a name that is not written in the template"),
                )
            });
        }
    };
    let mapped = filter == "map" && by_keyword.is_none();
    let through_attr = mapped
        && texts().next().is_some_and(|name| BY_ATTRIBUTE.contains(&name))
        && arguments.iter().skip(1).any(|t| t.name().is_some());
    let literal = matches!(named, Some(Token::Text(_) | Token::Number))
        && single.is_none_or(|token| token.is(","))
        && !through_attr;
    (!literal).then(|| {
        let message = format!("`{filter}` gets a name that is not written in the template");
        (&rules::TEMPLATE_COMPUTED, message)
    })
}

pub(super) fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

fn internal(name: &str) -> Hit {
    (&rules::TEMPLATE_INTERNALS, format!("it uses `{}`", crate::findings::clip(name)))
}
