//! Splits JSON text into events. No recursion: what is open is a list.

use std::io::{self, Read};

use super::{Event, Source};

/// Containers inside each other. Python's reader gives up at about as many.
const MAX_DEPTH: usize = 1000;
/// Bytes of one text that are kept; it may be longer.
const MAX_TEXT: usize = 1 << 20;
/// Bytes of a number.
const MAX_NUMBER: usize = 4096;

/// Why a document could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    /// The operating system refused to go on reading.
    #[error("{0}")]
    Io(io::Error),
    /// The text is not JSON.
    #[error("{what} at byte {at}")]
    Syntax {
        /// Offset in the document.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value; the end of the array too, where it is still empty.
    Value {
        or_end: bool,
    },
    /// A key; the end of the object too, where it is still empty.
    Key {
        or_end: bool,
    },
    /// A comma or the end of what is open.
    Next,
    End,
}

/// Reads a document from bytes.
pub(crate) struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    next: usize,
    filled: usize,
    base: u64,
    /// Whether each open container is an object.
    open: Vec<bool>,
    expect: Expect,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; 16 * 1024],
            next: 0,
            filled: 0,
            base: 0,
            open: Vec::new(),
            expect: Expect::Value { or_end: false },
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        if self.next == self.filled {
            self.base += self.filled as u64;
            self.next = 0;
            self.filled = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(read) => break read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(JsonError::Io(error)),
                }
            };
        }
        Ok(self.buffer[self.next..self.filled].first().copied())
    }

    fn byte(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek()?.ok_or_else(|| self.error("it ends too early"))?;
        self.next += 1;
        Ok(byte)
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError::Syntax { at: self.position(), what }
    }

    /// The next byte that is no white space.
    fn significant(&mut self) -> Result<Option<u8>, JsonError> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(Some(byte));
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn value(&mut self, first: u8) -> Result<Event, JsonError> {
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Next };
        match first {
            b'{' => self.start(true),
            b'[' => self.start(false),
            b'"' => Ok(Event::Text(self.text()?)),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn start(&mut self, object: bool) -> Result<Event, JsonError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error("objects and arrays lie deeper in each other than readers follow"));
        }
        self.next += 1;
        self.open.push(object);
        if object {
            self.expect = Expect::Key { or_end: true };
            Ok(Event::ObjectStart)
        } else {
            self.expect = Expect::Value { or_end: true };
            Ok(Event::ArrayStart)
        }
    }

    fn end(&mut self) -> Event {
        self.next += 1;
        let object = self.open.pop();
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Next };
        if object == Some(true) { Event::ObjectEnd } else { Event::ArrayEnd }
    }

    fn word(&mut self) -> Result<Event, JsonError> {
        let mut word = Vec::new();
        while let Some(byte) = self.peek()?.filter(u8::is_ascii_alphabetic) {
            if word.len() > 8 {
                break;
            }
            word.push(byte);
            self.next += 1;
        }
        match word.as_slice() {
            b"true" => Ok(Event::Bool(true)),
            b"false" => Ok(Event::Bool(false)),
            b"null" => Ok(Event::Null),
            b"NaN" => Ok(Event::Number(f64::NAN)),
            b"Infinity" => Ok(Event::Number(f64::INFINITY)),
            _ => Err(self.error("a word or character that is no value")),
        }
    }

    fn number(&mut self) -> Result<Event, JsonError> {
        let mut text = String::new();
        while let Some(byte) =
            self.peek()?.filter(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b'I'))
        {
            if byte == b'I' {
                let negative = text == "-";
                return match self.word()? {
                    Event::Number(number) if negative => Ok(Event::Number(-number)),
                    _ => Err(self.error("a malformed number")),
                };
            }
            if text.len() >= MAX_NUMBER {
                return Err(self.error("a number of too many digits"));
            }
            text.push(char::from(byte));
            self.next += 1;
        }
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let whole = digits.split(['.', 'e', 'E']).next().unwrap_or("");
        let sound = whole.bytes().all(|b| b.is_ascii_digit())
            && (whole == "0" || !whole.starts_with('0'))
            && !whole.is_empty()
            && !digits.ends_with('.')
            && !digits.contains(".e")
            && !digits.contains(".E");
        match text.parse() {
            Ok(number) if sound => Ok(Event::Number(number)),
            _ => Err(self.error("a malformed number")),
        }
    }

    fn text(&mut self) -> Result<String, JsonError> {
        self.next += 1;
        let mut bytes = Vec::new();
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => {
                    let decoded = self.escape()?;
                    if bytes.len() < MAX_TEXT {
                        bytes.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                0..=0x1f => return Err(self.error("a control character inside a text")),
                byte if bytes.len() < MAX_TEXT => bytes.push(byte),
                _ => {}
            }
        }
        let cut = bytes.len() >= MAX_TEXT;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            // A long text may be cut inside a character.
            Err(error) if cut => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            Err(_) => Err(self.error("a text that is no UTF-8")),
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        Ok(match self.byte()? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let high = self.unit()?;
                // Half of a pair alone stands for no character; Python keeps it.
                if !(0xd800..0xdc00).contains(&high) || self.peek()? != Some(b'\\') {
                    return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.next += 1;
                if self.byte()? != b'u' {
                    return Err(self.error("half of a surrogate pair"));
                }
                let low = self.unit()?;
                let joined = 0x10000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("an escape that JSON does not have")),
        })
    }

    fn unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit =
                char::from(self.byte()?).to_digit(16).ok_or_else(|| self.error("a malformed escape"))?;
            unit = unit << 4 | digit;
        }
        Ok(unit)
    }
}

impl<R: Read> Source for Reader<R> {
    fn next(&mut self) -> Result<Option<Event>, JsonError> {
        loop {
            let Some(byte) = self.significant()? else {
                return if self.expect == Expect::End {
                    Ok(None)
                } else {
                    Err(self.error("it ends too early"))
                };
            };
            let event = match (self.expect, byte) {
                (Expect::Value { or_end: true }, b']') | (Expect::Key { or_end: true }, b'}') => self.end(),
                (Expect::Value { .. }, first) => self.value(first)?,
                (Expect::Key { .. }, b'"') => {
                    let key = self.text()?;
                    if self.significant()? != Some(b':') {
                        return Err(self.error("a key without a colon"));
                    }
                    self.next += 1;
                    self.expect = Expect::Value { or_end: false };
                    Event::Key(key)
                }
                (Expect::Next, b',') => {
                    self.next += 1;
                    let object = self.open.last() == Some(&true);
                    self.expect =
                        if object { Expect::Key { or_end: false } } else { Expect::Value { or_end: false } };
                    continue;
                }
                (Expect::Next, b']') if self.open.last() == Some(&false) => self.end(),
                (Expect::Next, b'}') if self.open.last() == Some(&true) => self.end(),
                (Expect::End, _) => return Err(self.error("something follows the document")),
                _ => return Err(self.error("something that does not belong here")),
            };
            return Ok(Some(event));
        }
    }

    fn position(&self) -> u64 {
        self.base + self.next as u64
    }
}
