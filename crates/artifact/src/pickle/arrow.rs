//! Arrow's arrays, which pandas 3 keeps texts in: a type, lengths, and the buffers that hold the elements.
//!
//! pyarrow makes an array of what a pickle says and checks nothing (pyarrow 26, `_reconstruct_array_data`): offsets beyond
//! the data, or too short a buffer, make whoever reads the array read other memory. So all of it is checked here, as
//! `Array.validate` would; what cannot be checked leaves the analysis incomplete. Unlike there, nothing is said of a decimal's
//! precision, nor of characters that one text begins and the next ends: neither leads out of a buffer.

#[cfg(test)]
mod tests;

use super::{
    allow::Usage,
    content::Content,
    machine::Machine,
    value::{Element, Kind, Value},
};
use crate::rules;

/// Buffers whose content is known at a time.
const MAX_BUFFERS: usize = 1 << 17;

/// How an Arrow type keeps its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Each in this many bits.
    Fixed(u8),
    /// One behind another in a buffer of their own, with the offset of each, of four or eight bytes.
    Variable { wide: bool, text: bool },
}

/// What a check of an array gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Sound,
    /// It contradicts itself.
    Broken,
    /// It could not be followed.
    Unknown,
}

/// The layout of a type that `type_for_alias` gives; `None` for what is not checked: nested types, views, nulls.
fn layout(alias: &str) -> Option<Layout> {
    Some(match alias {
        "bool" => Layout::Fixed(1),
        "int8" | "uint8" => Layout::Fixed(8),
        "int16" | "uint16" | "halffloat" => Layout::Fixed(16),
        "int32" | "uint32" | "float" | "date32" | "date32[day]" | "time32[s]" | "time32[ms]" => {
            Layout::Fixed(32)
        }
        "int64" | "uint64" | "double" | "date64" | "date64[ms]" | "time64[us]" | "time64[ns]"
        | "timestamp[s]" | "timestamp[ms]" | "timestamp[us]" | "timestamp[ns]" | "duration[s]"
        | "duration[ms]" | "duration[us]" | "duration[ns]" => Layout::Fixed(64),
        "string" => Layout::Variable { wide: false, text: true },
        "large_string" => Layout::Variable { wide: true, text: true },
        "binary" => Layout::Variable { wide: false, text: false },
        "large_binary" => Layout::Variable { wide: true, text: false },
        _ => return None,
    })
}

impl Machine<'_, '_> {
    /// Whether the bytes that come next are meant for Arrow: its function waits for them, or a `bytearray` for it.
    pub(super) fn is_lending(&self) -> bool {
        let Some(function) = self.py_buffer else { return false };
        match self.run.stack.as_slice() {
            [.., Value::Global(last)] if *last == function => true,
            [.., Value::Global(before), Value::Global(last)] if *before == function => {
                let last = &self.globals[*last as usize];
                last.module == "builtins" && last.name == "bytearray"
            }
            _ => false,
        }
    }

    /// Bytes whose content is known.
    pub(super) fn buffer(&mut self, content: Content) -> Value {
        // Python has one object for each text of no or one byte, and refers to it from everywhere.
        if content.length < 2
            && !content.mutable
            && let Some(at) = self.buffers.iter().take(512).position(|known| *known == content)
        {
            return u32::try_from(at).map_or(Value::Bytes, Value::Buffer);
        }
        if self.buffers.len() >= MAX_BUFFERS {
            return Value::Bytes;
        }
        self.buffers.push(content);
        u32::try_from(self.buffers.len() - 1).map_or(Value::Bytes, Value::Buffer)
    }

    /// A value met again that Arrow could keep, and somebody else change.
    pub(super) fn meet_again(&mut self, value: Value) {
        let mutable = match value {
            Value::Buffer(number) => self.buffers[number as usize].mutable,
            Value::Object(id) if self.holds_bytes(value) => {
                matches!(self.heap.get(id).element, Element::Buffer(_))
            }
            _ => false,
        };
        if mutable {
            self.note_about(
                &rules::ARROW_BROKEN,
                "pyarrow.lib.py_buffer",
                "the bytes of an Arrow array are used elsewhere too, where they could be changed",
            );
        }
    }

    /// Whether it is a `bytearray`, or Arrow's buffer around bytes.
    fn holds_bytes(&self, value: Value) -> bool {
        self.heap.class_of(value).is_some_and(|class| {
            let named = &self.globals[class as usize];
            Some(class) == self.py_buffer || (named.module == "builtins" && named.name == "bytearray")
        })
    }

    /// What the result of a call is to Arrow: a type, or bytes whose content is known.
    pub(super) fn arrow_element(&mut self, callee: u32, usage: Usage, arguments: &[Value]) -> Element {
        let name = self.globals[callee as usize].name.as_str();
        match (usage, arguments) {
            (Usage::ArrowType, [Value::Text(alias), ..]) if name == "type_for_alias" => {
                layout(self.texts.get(*alias)).map_or(Element::Unknown, Element::Arrow)
            }
            (Usage::ArrowType, _) if name == "timestamp" => Element::Arrow(Layout::Fixed(64)),
            (Usage::ArrowType, _) if name == "decimal128" => Element::Arrow(Layout::Fixed(128)),
            (Usage::ArrowBuffer, [value]) => {
                self.content_of(*value).map_or(Element::Unknown, Element::Buffer)
            }
            (Usage::Literal, []) if name == "bytearray" && self.py_buffer.is_some() => {
                match self.buffer(Content::of(&[]).changeable(true)) {
                    Value::Buffer(number) => Element::Buffer(number),
                    _ => Element::Unknown,
                }
            }
            (Usage::Literal, [Value::Buffer(number)]) if name == "bytearray" => Element::Buffer(*number),
            _ => Element::Unknown,
        }
    }

    /// The number of a buffer's content, where it is known.
    fn content_of(&self, value: Value) -> Option<u32> {
        match value {
            Value::Buffer(number) => Some(number),
            Value::Object(id) => match self.heap.get(id).element {
                Element::Buffer(number) => Some(number),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the state of a class of pandas around an array of Arrow holds one, which is checked.
    pub(super) fn holds_arrow(&self, state: Value) -> bool {
        let items = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Dict)).unwrap_or_default();
        let (mut some, mut all) = (false, true);
        for item in items.chunks_exact(2) {
            let [Value::Text(key), value] = *item else { return false };
            if matches!(self.texts.get(key), "_pa_array" | "_data") {
                let class = self.heap.class_of(value).map(|class| self.globals[class as usize].usage);
                some = true;
                all &= class == Some(Some(Usage::ArrowArray));
            }
        }
        some && all
    }

    /// Notes an array that does not fit its buffers, or of which that is not known.
    pub(super) fn check_arrow(&mut self, arguments: &[Value]) {
        let fit = match arguments {
            [data] => self.fit(*data).unwrap_or(Fit::Unknown),
            _ => Fit::Unknown,
        };
        let name = "pyarrow.lib._restore_array";
        match fit {
            // Another reading of the stream could give it other buffers.
            Fit::Sound if self.run.plain.is_none() => {}
            Fit::Broken => self.note_about(
                &rules::ARROW_BROKEN,
                name,
                "an Arrow array that reaches beyond its buffers; whoever reads it reads other memory",
            ),
            Fit::Sound | Fit::Unknown => self.note_about(
                &rules::ARROW_UNKNOWN,
                name,
                "an Arrow array whose type or buffers are not followed; \
                 write it again with pickle protocol 4 or later, or as Parquet",
            ),
        }
    }

    /// Whether type, length, nulls, offset and buffers of an array agree. `None` where they are not followed.
    fn fit(&self, data: Value) -> Option<Fit> {
        let [
            Value::Object(kind),
            Value::Int(length),
            Value::Int(nulls),
            Value::Int(offset),
            buffers,
            children,
            Value::None,
        ] = *self.heap.recall(data).filter(|_| self.heap.is(data, Kind::Tuple))?
        else {
            return None;
        };
        let Element::Arrow(layout) = self.heap.get(kind).element else { return None };
        if !self.heap.recall(children)?.is_empty() || !self.heap.is(buffers, Kind::List) {
            return None;
        }
        let (Ok(length), Ok(offset)) = (u64::try_from(length), u64::try_from(offset)) else {
            return Some(Fit::Broken);
        };
        let mut contents = Vec::new();
        for buffer in self.heap.recall(buffers)? {
            contents.push(if *buffer == Value::None { None } else { Some(self.arrow_buffer(*buffer)?) });
        }
        let (validity, elements) = contents.split_first()?;
        let fits = match (layout, elements) {
            (Layout::Fixed(bits), [data]) => {
                let needed = ((offset + length) * u64::from(bits)).div_ceil(8);
                data.map_or(0, |data| data.length) >= needed
            }
            (Layout::Variable { wide, text }, [offsets, data]) => {
                variable(*offsets, *data, (wide, text), (offset, length))
            }
            _ => false,
        };
        Some(if fits { valid(*validity, i64::from(nulls), (offset, length)) } else { Fit::Broken })
    }

    /// What a buffer of Arrow's holds, where that is known.
    fn arrow_buffer(&self, value: Value) -> Option<Content> {
        let class = self.heap.class_of(value)?;
        let number = self.content_of(value).filter(|_| Some(class) == self.py_buffer)?;
        Some(self.buffers[number as usize])
    }
}

/// Whether there is an offset more than elements, and all lie within the data.
fn variable(
    offsets: Option<Content>,
    data: Option<Content>,
    (wide, text): (bool, bool),
    (offset, length): (u64, u64),
) -> bool {
    let Some(data) = data else { return false };
    let offsets = offsets.unwrap_or_default();
    let width = if wide { 8 } else { 4 };
    let enough = offsets.length / width > offset + length || (offsets.length == 0 && offset + length == 0);
    // A character that ends outside of the last text is read to its end.
    enough && offsets.offsets(wide).is_some_and(|last| last <= data.length) && (data.text || !text)
}

/// Whether the bits that say which elements are there are enough, and as many are missing as is said; -1 says nothing.
fn valid(validity: Option<Content>, nulls: i64, (offset, length): (u64, u64)) -> Fit {
    let Some(validity) = validity else {
        return if matches!(nulls, -1 | 0) { Fit::Sound } else { Fit::Broken };
    };
    if validity.length < (offset + length).div_ceil(8) || nulls < -1 {
        return Fit::Broken;
    }
    match (u64::try_from(nulls), validity.zeros(offset, offset + length)) {
        (Err(_), _) => Fit::Sound,
        (Ok(nulls), Some(zeros)) if nulls == zeros => Fit::Sound,
        (Ok(_), Some(_)) => Fit::Broken,
        (Ok(_), None) => Fit::Unknown,
    }
}
