//! From text to tokens.

use super::Refusal;

/// Longest condition that is read.
const LONGEST: usize = 2000;
/// Signs of two characters before those of one.
const SIGNS: [&str; 32] = [
    "||", "&&", "==", "!=", "<=", ">=", "**", "??", "?.", "..", "<", ">", "+", "-", "*", "/", "%", "!", "?",
    ":", "(", ")", "[", "]", "{", "}", ",", ".", "#", "|", "^", ";",
];

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Sign(&'static str),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut tokens = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_ascii_digit() {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' || first == '$' {
            let length =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        } else if matches!(first, '"' | '\'' | '`') {
            quoted(rest, first)?
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("it holds {first:?}"))?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn number(text: &str) -> Result<(Token, usize), Refusal> {
    let mut length = 0;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(length) {
        let follows_exponent = length > 0 && matches!(bytes[length - 1], b'e' | b'E');
        let is_range = *byte == b'.' && bytes.get(length + 1) == Some(&b'.');
        let belongs = byte.is_ascii_digit()
            || matches!(byte, b'.' | b'_' | b'e' | b'E') && !is_range
            || (matches!(byte, b'+' | b'-') && follows_exponent);
        if !belongs {
            break;
        }
        length += 1;
    }
    let digits = text[..length].replace('_', "");
    let number = digits.parse().ok().filter(|number: &f64| number.is_finite());
    number.map(|number| (Token::Number(number), length)).ok_or_else(|| format!("{digits:?} is no number"))
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), Refusal> {
    let (mut inner, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                inner.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    '\\' | '"' | '\'' => c,
                    _ => return Err(format!("a text holds the escape \\{c}")),
                });
                escaped = false;
            }
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return Ok((Token::Text(inner), at + 1)),
            c => inner.push(c),
        }
    }
    Err("a text does not end".to_owned())
}
