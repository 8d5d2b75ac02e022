//! Cuts code into tokens as PyTorch does (`torch/csrc/jit/frontend/lexer.h`): comments end with their line, texts with the
//! quote that began them, or with three of them.

/// Bytes of a word or a text that are kept; longer ones are none that are looked for.
const LONGEST: usize = 64;

/// A piece of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Token {
    /// The beginning or the end.
    #[default]
    None,
    Word(String),
    /// A text as it is written, without its quotes.
    Text(String),
    Sign(u8),
}

/// Where the lexer is, byte by byte.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    piece: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    Comment,
    /// One or two quotes, and nothing else yet.
    Opening {
        quote: u8,
        two: bool,
    },
    Text(Text),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Text {
    quote: u8,
    triple: bool,
    escaped: bool,
    /// Quotes in a row.
    run: u8,
}

impl Lexer {
    /// Takes the next byte and hands on the tokens that it ends.
    pub(super) fn next(&mut self, byte: u8, mut found: impl FnMut(Token)) {
        match self.state {
            State::Comment if byte == b'\n' => self.state = State::Code,
            State::Comment => {}
            State::Code => self.code(byte, &mut found),
            State::Opening { quote, two: false } if byte == quote => {
                self.state = State::Opening { quote, two: true };
            }
            State::Opening { quote, two: true } if byte == quote => {
                self.state = State::Text(Text { quote, triple: true, escaped: false, run: 0 });
            }
            // Two quotes and something else are an empty text.
            State::Opening { two: true, .. } => {
                found(Token::Text(String::new()));
                self.state = State::Code;
                self.code(byte, &mut found);
            }
            State::Opening { quote, two: false } => {
                self.text(byte, Text { quote, triple: false, escaped: false, run: 0 }, &mut found);
            }
            State::Text(text) => self.text(byte, text, &mut found),
        }
    }

    fn code(&mut self, byte: u8, found: &mut impl FnMut(Token)) {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            return self.keep(byte);
        }
        if !self.piece.is_empty() {
            found(Token::Word(self.take()));
        }
        match byte {
            b'#' => self.state = State::Comment,
            b'"' | b'\'' => self.state = State::Opening { quote: byte, two: false },
            // A backslash at the end of a line joins it to the next one.
            b'\\' => {}
            byte if byte.is_ascii_whitespace() => {}
            byte => found(Token::Sign(byte)),
        }
    }

    fn text(&mut self, byte: u8, text: Text, found: &mut impl FnMut(Token)) {
        let run = if byte == text.quote && !text.escaped { text.run + 1 } else { 0 };
        let needed = if text.triple { 3 } else { 1 };
        // A text that its line cuts is an error to PyTorch; what follows is judged as code.
        if run == needed || (byte == b'\n' && !text.triple && !text.escaped) {
            let mut whole = self.take();
            if text.triple {
                // Two of the three quotes that end it were kept on the way.
                whole.truncate(whole.trim_end_matches(char::from(text.quote)).len());
            }
            found(Token::Text(whole));
            self.state = State::Code;
        } else {
            self.keep(byte);
            self.state = State::Text(Text { escaped: byte == b'\\' && !text.escaped, run, ..text });
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.piece.len() <= LONGEST {
            self.piece.push(byte);
        }
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.piece)).into_owned()
    }
}
