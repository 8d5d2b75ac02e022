//! The part of Python's literals that a header of numpy uses: dicts, tuples, lists, texts, sizes, booleans.

/// Literals inside each other.
const MAX_DEPTH: usize = 16;

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    /// A number that is no negative one; Python 2 wrote an `L` behind it.
    Number(u64),
    Bool,
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Parses a text that is one literal and nothing else.
pub(super) fn parse(text: &str) -> Option<Literal> {
    let mut parser = Parser { rest: text };
    let literal = parser.literal(0)?;
    parser.space();
    parser.rest.is_empty().then_some(literal)
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let eaten = self.rest.strip_prefix(token);
        self.rest = eaten.unwrap_or(self.rest);
        eaten.is_some()
    }

    fn literal(&mut self, depth: usize) -> Option<Literal> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        match self.rest.chars().next()? {
            '{' => self.dict(depth),
            '(' => {
                self.eat("(");
                let (elements, comma) = self.elements(")", depth)?;
                // One element in parentheses without a comma is that element.
                let single = elements.len() == 1 && !comma;
                if single { elements.into_iter().next() } else { Some(Literal::Tuple(elements)) }
            }
            '[' => {
                self.eat("[");
                Some(Literal::List(self.elements("]", depth)?.0))
            }
            '\'' | '"' => self.text(),
            'u' | 'b' if self.rest[1..].starts_with(['\'', '"']) => {
                self.rest = &self.rest[1..];
                self.text()
            }
            '0'..='9' => self.number(),
            _ => (self.eat("True") || self.eat("False")).then_some(Literal::Bool),
        }
    }

    /// Elements up to the closing bracket, and whether a comma stood before it.
    fn elements(&mut self, close: &str, depth: usize) -> Option<(Vec<Literal>, bool)> {
        let mut elements = Vec::new();
        let mut comma = false;
        loop {
            if self.eat(close) {
                return Some((elements, comma));
            }
            if !elements.is_empty() && !comma {
                return None;
            }
            elements.push(self.literal(depth + 1)?);
            comma = self.eat(",");
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Literal> {
        self.eat("{");
        let mut pairs = Vec::new();
        let mut comma = true;
        loop {
            if self.eat("}") {
                return Some(Literal::Dict(pairs));
            }
            if !comma {
                return None;
            }
            let key = self.literal(depth + 1)?;
            if !self.eat(":") {
                return None;
            }
            pairs.push((key, self.literal(depth + 1)?));
            comma = self.eat(",");
        }
    }

    /// A text in quotes. Escapes are rare in names of fields; what they mean makes no difference here.
    fn text(&mut self) -> Option<Literal> {
        let quote = self.rest.chars().next()?;
        let mut text = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[1 + at + 1..];
                return Some(Literal::Text(text));
            }
            text.push(c);
            if c == '\\' {
                text.push(chars.next()?.1);
            }
        }
        None
    }

    fn number(&mut self) -> Option<Literal> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().ok()?;
        self.rest = self.rest[end..].strip_prefix('L').unwrap_or(&self.rest[end..]);
        Some(Literal::Number(number))
    }
}
