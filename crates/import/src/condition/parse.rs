//! From tokens to an expression, by precedence.

use super::{
    Expr, Operator, Quantifier, Refusal,
    lex::{Token, tokens},
};

/// Deepest nesting.
const DEEPEST: usize = 40;
/// Binding strengths, as the expression language has them.
const OR: u8 = 10;
const AND: u8 = 15;
const COMPARE: u8 = 20;
const ADD: u8 = 30;
const NOT: u8 = 50;
const MULTIPLY: u8 = 60;
const NEGATE: u8 = 90;

/// Reads a condition.
pub(crate) fn parse(text: &str) -> Result<Expr, Refusal> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expression = parser.expression()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(format!("it has {} where it should end", shown(token))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<&'a Token, Refusal> {
        let token = self.peek().ok_or_else(|| "it ends too early".to_owned())?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn needs(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(self.peek().map_or(format!("{sign:?} is missing at its end"), |token| {
            format!("it has {} where {sign:?} is missing", shown(token))
        }))
    }

    fn expression(&mut self) -> Result<Expr, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST} levels"));
        }
        let condition = self.binary(0)?;
        let chosen = if self.takes("?") {
            let yes = self.expression()?;
            self.needs(":")?;
            let no = self.expression()?;
            Expr::Choose(Box::new(condition), Box::new(yes), Box::new(no))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(chosen)
    }

    fn binary(&mut self, least: u8) -> Result<Expr, Refusal> {
        let mut left = self.unary()?;
        loop {
            let before = self.at;
            let negated = matches!(self.peek(), Some(Token::Word(word)) if word == "not");
            self.at += usize::from(negated);
            let Some((operator, strength)) = self
                .peek()
                .and_then(operator)
                .filter(|(operator, strength)| *strength >= least && (!negated || *operator == Operator::In))
            else {
                self.at = before;
                return Ok(left);
            };
            self.at += 1;
            let right = self.binary(strength + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
            if negated {
                left = Expr::Not(Box::new(left));
            }
        }
    }

    fn unary(&mut self) -> Result<Expr, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST} levels"));
        }
        let is_not = matches!(self.peek(), Some(Token::Word(word)) if word == "not");
        let read = if is_not || matches!(self.peek(), Some(Token::Sign("!"))) {
            self.at += 1;
            Expr::Not(Box::new(self.binary(NOT)?))
        } else if self.takes("-") {
            Expr::Negate(Box::new(self.binary(NEGATE)?))
        } else {
            let primary = self.primary()?;
            self.postfix(primary)?
        };
        self.depth -= 1;
        Ok(read)
    }

    fn primary(&mut self) -> Result<Expr, Refusal> {
        Ok(match self.next()? {
            Token::Number(number) => Expr::Number(*number),
            Token::Text(text) => Expr::Text(text.clone()),
            Token::Word(word) => match word.as_str() {
                "true" => Expr::Bool(true),
                "false" => Expr::Bool(false),
                "nil" => Expr::Nil,
                "result" => Expr::Result,
                name if self.takes("(") => self.call(name)?,
                name => return Err(format!("it reads `{name}`, which is not known")),
            },
            Token::Sign("#") => Expr::Element,
            Token::Sign(".") => {
                self.at -= 1;
                Expr::Element
            }
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.needs(")")?;
                inner
            }
            Token::Sign("[") => Expr::List(self.arguments("]")?),
            token @ Token::Sign(_) => {
                return Err(format!("it has {} where a value is needed", shown(token)));
            }
        })
    }

    fn postfix(&mut self, mut of: Expr) -> Result<Expr, Refusal> {
        loop {
            if self.takes(".") {
                let Token::Word(member) = self.next()? else { return Err("a member has no name".to_owned()) };
                if self.takes("(") {
                    return Err(format!("it calls the method `{member}`"));
                }
                of = Expr::Member(Box::new(of), member.clone());
            } else if self.takes("[") {
                let index = self.expression()?;
                if self.takes(":") {
                    return Err("it takes a slice".to_owned());
                }
                self.needs("]")?;
                of = Expr::Index(Box::new(of), Box::new(index));
            } else {
                return Ok(of);
            }
        }
    }

    fn call(&mut self, name: &str) -> Result<Expr, Refusal> {
        let quantifier = match name {
            "all" => Quantifier::All,
            "any" => Quantifier::Any,
            "none" => Quantifier::None,
            _ => return Ok(Expr::Call(name.to_owned(), self.arguments(")")?)),
        };
        let over = self.expression()?;
        self.needs(",")?;
        let in_braces = self.takes("{");
        let predicate = self.expression()?;
        if in_braces {
            self.needs("}")?;
        }
        self.needs(")")?;
        Ok(Expr::Quantifier(quantifier, Box::new(over), Box::new(predicate)))
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Expr>, Refusal> {
        let mut arguments = vec![];
        if self.takes(end) {
            return Ok(arguments);
        }
        loop {
            if matches!(self.peek(), Some(Token::Sign("{"))) {
                return Err("it calls a function with a predicate that has no counterpart".to_owned());
            }
            arguments.push(self.expression()?);
            if self.takes(end) {
                return Ok(arguments);
            }
            self.needs(",")?;
        }
    }
}

fn operator(token: &Token) -> Option<(Operator, u8)> {
    use Operator as O;
    let word = match token {
        Token::Word(word) => word.as_str(),
        Token::Sign(sign) => sign,
        Token::Number(_) | Token::Text(_) => return None,
    };
    Some(match word {
        "||" | "or" => (O::Or, OR),
        "&&" | "and" => (O::And, AND),
        "==" => (O::Equal, COMPARE),
        "!=" => (O::NotEqual, COMPARE),
        "<" => (O::Less, COMPARE),
        "<=" => (O::LessOrEqual, COMPARE),
        ">" => (O::Greater, COMPARE),
        ">=" => (O::GreaterOrEqual, COMPARE),
        "in" => (O::In, COMPARE),
        "contains" => (O::Contains, COMPARE),
        "startsWith" => (O::StartsWith, COMPARE),
        "endsWith" => (O::EndsWith, COMPARE),
        "+" => (O::Add, ADD),
        "-" => (O::Subtract, ADD),
        "*" => (O::Multiply, MULTIPLY),
        "/" => (O::Divide, MULTIPLY),
        "%" => (O::Remainder, MULTIPLY),
        _ => return None,
    })
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(number) => format!("the number {number}"),
        Token::Text(text) => format!("the text {text:?}"),
        Token::Word(word) => format!("`{word}`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}
