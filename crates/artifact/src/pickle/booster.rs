//! Models of XGBoost, LightGBM and CatBoost in the state of their classes: bytes or a text, which the native library reads when the
//! pickle is loaded, and trusts. The parser of their own format judges them on their way through.

use std::io::{self, Read};

use super::{
    machine::Machine,
    nodes::{is_latin, latin},
    value::{Element, Kind, Value},
};
use crate::{
    booster,
    findings::Findings,
    flatbuffer, rules,
    stream::{Section, Stop, Stream},
};

/// A library whose models stand in pickles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Catboost,
    Lightgbm,
    Xgboost,
}

/// How a pickle carries a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    Bytes,
    /// A text. It is the model, or each of its signs is one of the model's bytes.
    Text,
}

/// Bytes by which a model is recognised.
const HEAD: u64 = 8;

/// The library whose class this is, and where its state has the model.
fn holder(module: &str, name: &str) -> Option<(Library, &'static [&'static str])> {
    match (module, name) {
        ("catboost.core", _) => Some((Library::Catboost, &["__model"])),
        ("lightgbm.basic", "Booster") => Some((Library::Lightgbm, &["_handle", "handle"])),
        ("xgboost.core", "Booster") => Some((Library::Xgboost, &["handle"])),
        _ => None,
    }
}

/// What a head is the beginning of.
fn recognise(head: &[u8], carried: Carried) -> Option<Library> {
    match carried {
        _ if head.starts_with(b"CBM1") => Some(Library::Catboost),
        _ if head.starts_with(b"{") => Some(Library::Xgboost),
        Carried::Text if head.starts_with(b"tree\n") => Some(Library::Lightgbm),
        _ => None,
    }
}

/// Hands the next `length` bytes to `look`, and judges them where they are a model; whose it is.
pub(super) fn pass(
    stream: &mut Stream<'_>,
    findings: &mut Findings,
    length: u64,
    carried: Carried,
    mut look: impl FnMut(&[u8]),
) -> Result<Option<Library>, Stop> {
    let (start, mut head) = (stream.position(), Vec::new());
    stream.take(length.min(HEAD), 8, &mut head)?;
    let left = length - head.len() as u64;
    let Some(library) = recognise(&head, carried) else {
        look(&head);
        stream.pass(left, look)?;
        return Ok(None);
    };
    let mut zeros = false;
    let watch = |bytes: &[u8]| {
        zeros |= bytes.contains(&0);
        look(bytes);
    };
    let watched = Watched { source: head.chain(Section::new(stream, left)), look: watch };
    findings.enter(&format!("{library:?} model at {start}"));
    let judged = judge(library, carried, Box::new(watched), length, findings);
    // The stream tells itself why it ended too early.
    let behind = start + length;
    let passed = stream.pass(behind.saturating_sub(stream.position()), |_| ());
    match judged {
        _ if passed.is_err() => {}
        Err(Stop::Truncated(at)) => {
            findings.at(&rules::BOOSTER_TRUNCATED, at, "the model ends before all of it is there");
        }
        Err(Stop::Io(error)) => return Err(Stop::Io(error)),
        // The library takes the text as C does.
        _ if library == Library::Lightgbm && zeros => {
            findings.whole(&rules::BOOSTER_SCHEMA, "a sign at which the library takes the text for ended");
        }
        _ => {}
    }
    findings.leave();
    passed.map(|()| Some(library))
}

/// Judges a model to its end.
fn judge(
    library: Library,
    carried: Carried,
    source: Box<dyn Read + '_>,
    length: u64,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let signs = carried == Carried::Text && library != Library::Lightgbm;
    let source = if signs { Box::new(Signs { source, begun: 0 }) } else { source };
    // Of a text there are as many bytes at most.
    let mut model = Stream::nested(source, Some(length));
    let judged = match library {
        Library::Catboost => flatbuffer::scan_catboost_held(&mut model, findings),
        Library::Lightgbm => booster::scan_lightgbm_text(&mut model, findings),
        Library::Xgboost => booster::scan_snapshot(&mut model, findings),
    };
    model.drain(|_, _| ())?;
    judged
}

/// Bytes that somebody looks at when they are read.
struct Watched<R, F> {
    source: R,
    look: F,
}

impl<R: Read, F: FnMut(&[u8])> Read for Watched<R, F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        (self.look)(&out[..read]);
        Ok(read)
    }
}

/// The bytes that the signs of a text stand for.
struct Signs<R> {
    source: R,
    /// The first byte of a sign that was cut.
    begun: u8,
}

impl<R: Read> Read for Signs<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.source.read(out)?;
            let mut bytes = Vec::new();
            latin(&out[..read], &mut self.begun, |decoded| bytes.extend_from_slice(decoded));
            // There are never more of them than there were.
            out[..bytes.len()].copy_from_slice(&bytes);
            if read == 0 || !bytes.is_empty() {
                return Ok(bytes.len());
            }
        }
    }
}

impl Machine<'_, '_> {
    /// From here on, bytes and texts may be models.
    pub(super) fn expect_models(&mut self, module: &str, name: &str) {
        self.boosters |= holder(module, name).is_some();
    }

    /// Whose model the result of a call is: bytes as protocols before 5 write them.
    pub(super) fn model_part(&self, callee: u32, arguments: &[Value]) -> Option<Element> {
        let callee = &self.globals[callee as usize];
        let latin = |codec: &Value| matches!(codec, Value::Text(codec) if is_latin(self.texts.get(*codec)));
        let whole = match (callee.module.as_str(), callee.name.as_str(), arguments) {
            ("builtins", "bytearray", [bytes]) if !matches!(bytes, Value::Latin(_)) => bytes,
            ("builtins", "bytearray", [text @ Value::Latin(_), codec])
            | ("_codecs", "encode", [text @ Value::Latin(_), codec])
                if latin(codec) =>
            {
                text
            }
            _ => return None,
        };
        self.model_of(*whole).map(Element::Model)
    }

    /// Whose model a value is, where it was judged.
    fn model_of(&self, value: Value) -> Option<Library> {
        match value {
            Value::Buffer(number) | Value::Latin(number) => self.buffers.get(number as usize)?.model,
            Value::Object(id) => match self.heap.get(id).element {
                Element::Model(library) => Some(library),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes a class of a booster that gets a model which was not judged.
    pub(super) fn check_model(&mut self, class: u32, state: Value) {
        let class = &self.globals[class as usize];
        let Some((library, keys)) = holder(&class.module, &class.name) else { return };
        let name = format!("{}.{}", class.module, class.name);
        let is_place = |key: Value| matches!(key, Value::Text(key) if keys.contains(&self.texts.get(key)));
        // A text is a model of LightGBM as it stands, and one of the others only once it was made bytes of.
        let is_judged = |value: Value| {
            value == Value::None
                || self.model_of(value) == Some(library)
                    && matches!(value, Value::Latin(_)) == (library == Library::Lightgbm)
        };
        let state = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Dict));
        let judged = state
            .is_some_and(|state| state.chunks_exact(2).all(|pair| !is_place(pair[0]) || is_judged(pair[1])));
        if !judged {
            let message = "a model in a form that is not followed; pickle it again with protocol 2 or later and a release of the \
                library that is not older than 2022, or save it in the library's own format";
            self.note_about(&rules::PICKLE_LIMIT, &name, message);
        }
    }
}
