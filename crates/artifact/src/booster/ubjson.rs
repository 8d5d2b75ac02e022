//! UBJSON (ubjson.org, draft 12) as XGBoost writes it: markers, big-endian numbers, typed and counted containers.

use crate::{
    json::{Event, JsonError, Source},
    stream::{Stop, Stream},
};

const MAX_DEPTH: usize = 1000;
/// Bytes of one text that are kept.
const MAX_TEXT: usize = 1 << 16;

/// Whether a head is an object with a first key of a counted length, or an empty counted one.
pub(crate) fn recognise(head: &[u8]) -> bool {
    head.starts_with(b"{L\0\0\0\0\0\0")
        || head.starts_with(b"{i") && head.get(3..).is_some_and(|rest| rest.starts_with(b"learner"))
}

#[derive(Debug)]
struct Open {
    object: bool,
    /// The marker that all values share.
    kind: Option<u8>,
    /// Values to come, where they are counted.
    left: Option<u64>,
    /// A key has been read and its value has not.
    after_key: bool,
}

pub(super) struct Reader<'s, 'a> {
    stream: &'s mut Stream<'a>,
    open: Vec<Open>,
    started: bool,
}

impl<'s, 'a> Reader<'s, 'a> {
    pub(super) fn new(stream: &'s mut Stream<'a>) -> Self {
        Self { stream, open: Vec::new(), started: false }
    }

    fn error(&self, what: &'static str) -> JsonError {
        JsonError::Syntax { at: self.stream.position(), what }
    }

    fn stopped(&self, stop: Stop) -> JsonError {
        match stop {
            Stop::Io(error) => JsonError::Io(error),
            Stop::Truncated(_) | Stop::Damaged(_) | Stop::Reported => self.error("it ends too early"),
        }
    }

    fn byte(&mut self) -> Result<u8, JsonError> {
        self.stream.u8().map_err(|stop| match stop {
            Stop::Io(error) => JsonError::Io(error),
            _ => JsonError::Syntax { at: self.stream.position(), what: "it ends too early" },
        })
    }

    fn fixed<const WIDTH: usize>(&mut self) -> Result<[u8; WIDTH], JsonError> {
        let mut bytes = [0; WIDTH];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// A whole number behind its marker; `None` where the marker is no whole number's.
    fn integer(&mut self, kind: u8) -> Result<Option<i64>, JsonError> {
        Ok(Some(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.fixed()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.fixed()?)),
            b'l' => i64::from(i32::from_be_bytes(self.fixed()?)),
            b'L' => i64::from_be_bytes(self.fixed()?),
            _ => return Ok(None),
        }))
    }

    /// A number behind its marker; `None` where the marker is no number's.
    #[expect(clippy::cast_precision_loss, reason = "counts and links of trees are far below 2^53")]
    fn number(&mut self, kind: u8) -> Result<Option<f64>, JsonError> {
        Ok(match kind {
            b'd' => Some(f64::from(f32::from_be_bytes(self.fixed()?))),
            b'D' => Some(f64::from_be_bytes(self.fixed()?)),
            kind => self.integer(kind)?.map(|number| number as f64),
        })
    }

    /// A length or count with its marker.
    fn length(&mut self) -> Result<u64, JsonError> {
        let kind = self.byte()?;
        let Some(number) = self.integer(kind)? else {
            return Err(self.error("a length that is no whole number"));
        };
        u64::try_from(number)
            .ok()
            .filter(|length| *length <= self.stream.remaining())
            .ok_or_else(|| self.error("a length or count beyond the end of the file"))
    }

    fn text(&mut self) -> Result<String, JsonError> {
        let length = self.length()?;
        let mut bytes = Vec::new();
        if let Err(stop) = self.stream.take(length, MAX_TEXT, &mut bytes) {
            return Err(self.stopped(stop));
        }
        if length <= MAX_TEXT as u64 {
            return String::from_utf8(bytes).ok().ok_or_else(|| self.error("a text that is no UTF-8"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn value(&mut self, kind: u8) -> Result<Event, JsonError> {
        match kind {
            b'{' => self.start(true),
            b'[' => self.start(false),
            b'S' | b'H' => Ok(Event::Text(self.text()?)),
            b'C' => Ok(Event::Text(char::from(self.byte()?).to_string())),
            b'Z' => Ok(Event::Null),
            b'T' => Ok(Event::Bool(true)),
            b'F' => Ok(Event::Bool(false)),
            kind => match self.number(kind)? {
                Some(number) => Ok(Event::Number(number)),
                None => Err(self.error("a marker that does not exist")),
            },
        }
    }

    fn peek(&mut self) -> Result<u8, JsonError> {
        match self.stream.peek() {
            Ok(Some(byte)) => Ok(byte),
            Ok(None) => Err(self.error("it ends too early")),
            Err(stop) => Err(self.stopped(stop)),
        }
    }

    fn start(&mut self, object: bool) -> Result<Event, JsonError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error("objects and arrays lie deeper in each other than readers follow"));
        }
        let mut open = Open { object, kind: None, left: None, after_key: false };
        if self.peek()? == b'$' {
            self.byte()?;
            let kind = self.byte()?;
            // Values without bytes could be counted without end.
            if matches!(kind, b'Z' | b'T' | b'F' | b'N' | b'[' | b'{') || self.peek()? != b'#' {
                return Err(self.error("a container with a type that has no count or no size"));
            }
            open.kind = Some(kind);
        }
        if self.peek()? == b'#' {
            self.byte()?;
            open.left = Some(self.length()?);
        }
        self.open.push(open);
        Ok(if object { Event::ObjectStart } else { Event::ArrayStart })
    }

    fn end(&mut self) -> Option<Event> {
        self.open.pop().map(|open| if open.object { Event::ObjectEnd } else { Event::ArrayEnd })
    }
}

impl Source for Reader<'_, '_> {
    fn next(&mut self) -> Result<Option<Event>, JsonError> {
        let Some(open) = self.open.last() else {
            if self.started {
                return match self.stream.peek() {
                    Ok(None) => Ok(None),
                    Ok(Some(_)) => Err(self.error("something follows the document")),
                    Err(stop) => Err(self.stopped(stop)),
                };
            }
            self.started = true;
            return match self.byte()? {
                b'{' => self.start(true).map(Some),
                _ => Err(self.error("the document is no object")),
            };
        };
        let (object, kind, after_key, left) = (open.object, open.kind, open.after_key, open.left);
        if !after_key {
            if left == Some(0) {
                return Ok(self.end());
            }
            if left.is_none() && self.peek()? == if object { b'}' } else { b']' } {
                self.byte()?;
                return Ok(self.end());
            }
            if object {
                let key = self.text()?;
                if let Some(open) = self.open.last_mut() {
                    open.after_key = true;
                }
                return Ok(Some(Event::Key(key)));
            }
        }
        if let Some(open) = self.open.last_mut() {
            open.after_key = false;
            open.left = open.left.map(|left| left.saturating_sub(1));
        }
        let kind = match kind {
            Some(kind) => kind,
            None => self.byte()?,
        };
        self.value(kind).map(Some)
    }

    fn position(&self) -> u64 {
        self.stream.position()
    }
}
