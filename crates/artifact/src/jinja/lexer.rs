//! Splits a template into blocks, and blocks into tokens (Jinja's template designer documentation, "Synopsis").

/// One `{{ ... }}` or `{% ... %}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) statement: bool,
    pub(super) tokens: Vec<Token>,
}

/// A piece of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    /// A text with its escapes decoded.
    Text(String),
    Number,
    Operator(&'static str),
}

impl Token {
    pub(super) fn is(&self, operator: &str) -> bool {
        matches!(self, Self::Operator(own) if *own == operator)
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Where and why a template cannot be split.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// Brackets inside each other: Jinja's own parser gives up at about as many.
const MAX_NESTED: usize = 100;
/// Bytes of `N{...}` with the longest name of a character.
const LONGEST_NAME: usize = 100;

/// Longer operators stand before their prefixes.
const OPERATORS: &[&str] = &[
    "==", "!=", "<=", ">=", "**", "//", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":", ";", "=", "<", ">",
    "(", ")", "[", "]", "{", "}",
];

/// All blocks of a template in order.
pub(super) fn blocks(template: &str) -> Result<Vec<Block>, SyntaxError> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(open) = next_open(template, at) {
        at = open + 2;
        let statement = match template.as_bytes()[open + 1] {
            b'#' => {
                at = after(template, at, "#}")
                    .ok_or(SyntaxError { at: open, what: "a comment has no end" })?;
                continue;
            }
            kind => kind == b'%',
        };
        let mut lexer = Lexer { template, at, closers: Vec::new() };
        let tokens = lexer.block(if statement { "%}" } else { "}}" })?;
        at = lexer.at;
        if statement && tokens == [Token::Name("raw".to_owned())] {
            at = end_of_raw(template, at).ok_or(SyntaxError { at: open, what: "a raw block has no end" })?;
            continue;
        }
        blocks.push(Block { statement, tokens });
    }
    Ok(blocks)
}

fn next_open(template: &str, from: usize) -> Option<usize> {
    let rest = &template.as_bytes()[from..];
    rest.windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#")).map(|at| from + at)
}

fn after(template: &str, from: usize, end: &str) -> Option<usize> {
    template.get(from..)?.find(end).map(|at| from + at + end.len())
}

/// The end of `{% endraw %}`, however it is spaced.
fn end_of_raw(template: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = after(template, at, "{%")?;
        let rest = template[at..].trim_start_matches(['-', '+']).trim_start();
        if let Some(rest) = rest.strip_prefix("endraw")
            && rest.trim_start().trim_start_matches(['-', '+']).starts_with("%}")
        {
            return after(template, at, "%}");
        }
    }
}

struct Lexer<'t> {
    template: &'t str,
    at: usize,
    /// Brackets that are open; a block does not end inside them.
    closers: Vec<&'static str>,
}

impl Lexer<'_> {
    fn block(&mut self, end: &str) -> Result<Vec<Token>, SyntaxError> {
        let start = self.at;
        if self.rest().starts_with(['-', '+']) {
            self.at += 1;
        }
        let mut tokens = Vec::new();
        loop {
            self.at = self.template.len() - self.rest().trim_start().len();
            let rest = self.rest();
            if self.closers.is_empty() {
                let trimmed = rest.strip_prefix(['-', '+']).unwrap_or(rest);
                if trimmed.starts_with(end) {
                    self.at = self.template.len() - trimmed.len() + end.len();
                    return Ok(tokens);
                }
            }
            match rest.chars().next() {
                None => return Err(SyntaxError { at: start, what: "a block has no end" }),
                Some(quote @ ('"' | '\'')) => tokens.push(Token::Text(self.text(quote)?)),
                Some(first) if first.is_ascii_digit() => {
                    self.at +=
                        rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    tokens.push(Token::Number);
                }
                Some(first) if first.is_alphabetic() || first == '_' => {
                    let length =
                        rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    tokens.push(Token::Name(rest[..length].to_owned()));
                    self.at += length;
                }
                Some(_) => tokens.push(self.operator()?),
            }
        }
    }

    fn rest(&self) -> &str {
        &self.template[self.at..]
    }

    fn operator(&mut self) -> Result<Token, SyntaxError> {
        let rest = self.rest();
        let found = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        let operator =
            *found.ok_or(SyntaxError { at: self.at, what: "a character that Jinja does not use" })?;
        match operator {
            "(" => self.closers.push(")"),
            "[" => self.closers.push("]"),
            "{" => self.closers.push("}"),
            ")" | "]" | "}" if self.closers.pop() != Some(operator) => {
                return Err(SyntaxError { at: self.at, what: "a bracket that nothing opened" });
            }
            _ => {}
        }
        if self.closers.len() > MAX_NESTED {
            return Err(SyntaxError {
                at: self.at,
                what: "more brackets inside each other than are followed",
            });
        }
        self.at += operator.len();
        Ok(Token::Operator(operator))
    }

    fn text(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.template[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    let rest = &self.template[start + 1 + at + 1..];
                    let used = escape(rest, &mut text);
                    let end = start + 1 + at + 1 + used;
                    while chars.offset() + start + 1 < end && chars.next().is_some() {}
                }
                c if c == quote => {
                    self.at = start + 1 + at + c.len_utf8();
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(SyntaxError { at: start, what: "a text has no end" })
    }
}

/// Decodes the escape behind a backslash; how many bytes it takes.
fn escape(rest: &str, text: &mut String) -> usize {
    let digits = |from: usize, most: usize, radix: u32| {
        let digits = rest.get(from..).unwrap_or("");
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len()).min(most);
        let number = u32::from_str_radix(&digits[..end], radix).ok();
        (number.and_then(char::from_u32), from + end)
    };
    let Some(first) = rest.chars().next() else { return 0 };
    let (decoded, used) = match first {
        'x' => digits(1, 2, 16),
        'u' => digits(1, 4, 16),
        'U' => digits(1, 8, 16),
        '0'..='7' => digits(0, 3, 8),
        // Any character may be meant by its name; the underscore is the one that matters.
        'N' => {
            let end = rest.bytes().take(LONGEST_NAME).position(|byte| byte == b'}');
            (Some('_'), end.map_or(1, |at| at + 1))
        }
        'n' => (Some('\n'), 1),
        't' => (Some('\t'), 1),
        'r' => (Some('\r'), 1),
        other => (Some(other), other.len_utf8()),
    };
    text.extend(decoded);
    used
}
