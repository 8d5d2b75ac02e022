//! A YAML document as a tree that remembers where everything stands.
//!
//! Bounded: the text, the number of values after aliases are followed and the depth each have a limit, so that a
//! small hostile file cannot grow. Duplicate keys are kept for the reader to refuse, which knows their path.

use std::{collections::BTreeMap, rc::Rc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use crate::{
    diagnostic::{Span, printable},
    scalar::Scalar,
};

/// Largest configuration that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// Most values in a document, each use of an alias counted in full.
pub(crate) const MAX_VALUES: usize = 50_000;
/// Deepest nesting of lists and mappings.
pub(crate) const MAX_DEPTH: usize = 64;

/// A value with its place in the text.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
    /// Number of values in it, itself included.
    weight: usize,
    /// Levels of lists and mappings in it.
    height: usize,
}

/// A value.
#[derive(Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Rc<Node>,
}

/// Why a text gives no tree.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

/// Reads the one document of a text; an empty text is a null.
pub(crate) fn parse(text: &str) -> Result<Rc<Node>, SyntaxError> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the {MAX_BYTES} that are read", text.len());
        return Err(SyntaxError { span: Span::default(), message, help: None });
    }
    let mut builder =
        Builder { parser: Parser::new_from_str(text), text, anchors: BTreeMap::new(), values: 0 };
    builder.document()
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    anchors: BTreeMap<usize, Rc<Node>>,
    values: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Rc<Node>, SyntaxError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return refuse(span, "the file holds more than one document", Some("remove the `---`"));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or_else(|| Rc::new(Node::new(Span::default(), Value::Scalar(Scalar::Null)))))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, Span { start: span.start.index(), end: span.end.index() })),
            Some(Err(error)) => Err(syntax_error(self.text, &error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>, SyntaxError> {
        let (anchor, value) = match event {
            Event::Alias(id) => return self.alias(id, span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.as_deref(), span)?;
                let plain = style == ScalarStyle::Plain;
                (anchor, Value::Scalar(if plain { Scalar::plain(&text) } else { Scalar::Text(text.into()) }))
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), span)?;
                (anchor, Value::List(self.list(span, depth + 1)?))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), span)?;
                (anchor, Value::Mapping(self.mapping(span, depth + 1)?))
            }
            _ => return refuse(span, "the document is broken here", None),
        };
        self.count(1, span)?;
        let node = Rc::new(Node::new(span, value));
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Vec<Rc<Node>>, SyntaxError> {
        check_depth(depth, start)?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Result<Vec<Entry>, SyntaxError> {
        check_depth(depth, start)?;
        let mut entries = Vec::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(key, _, _, tag), span) => {
                    refuse_tag(tag.as_deref(), span)?;
                    (key.into_owned(), span)
                }
                (_, span) => return refuse(span, "a key must be plain text", None),
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth)?;
            entries.push(Entry { key, key_span, value });
        }
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Rc<Node>, SyntaxError> {
        let Some(node) = self.anchors.get(&id).map(Rc::clone) else {
            return refuse(span, "the alias stands inside of what it stands for", None);
        };
        check_depth(depth + node.height, span)?;
        self.count(node.weight, span)?;
        Ok(node)
    }

    fn count(&mut self, weight: usize, span: Span) -> Result<(), SyntaxError> {
        self.values = self.values.saturating_add(weight);
        if self.values > MAX_VALUES {
            return refuse(span, &format!("the file holds more than {MAX_VALUES} values"), None);
        }
        Ok(())
    }
}

impl Node {
    fn new(span: Span, value: Value) -> Self {
        let (weight, height) = match &value {
            Value::Scalar(_) => (0, 0),
            Value::List(items) => measure(items.iter()),
            Value::Mapping(entries) => measure(entries.iter().map(|entry| &entry.value)),
        };
        Self { span, value, weight: weight + 1, height }
    }

    /// Looks up a key of a mapping; the first one where it stands twice.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Looks up an item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<&Self> {
        match &self.value {
            Value::List(items) => items.get(index).map(AsRef::as_ref),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::List(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar(Scalar::Null) => "nothing".to_owned(),
            Value::Scalar(Scalar::Text(text)) => format!("the text `{}`", printable(text)),
            Value::Scalar(Scalar::Bool(value)) => format!("`{value}`"),
            Value::Scalar(number) => format!("the number {number}"),
        }
    }
}

fn measure<'a>(children: impl Iterator<Item = &'a Rc<Node>>) -> (usize, usize) {
    children.fold((0, 1), |(weight, height), child| (weight + child.weight, height.max(child.height + 1)))
}

fn check_depth(depth: usize, span: Span) -> Result<(), SyntaxError> {
    if depth > MAX_DEPTH {
        return refuse(span, &format!("lists and mappings are nested deeper than {MAX_DEPTH} levels"), None);
    }
    Ok(())
}

fn refuse_tag(tag: Option<&Tag>, span: Span) -> Result<(), SyntaxError> {
    match tag {
        None => Ok(()),
        Some(_) => {
            refuse(span, "tags such as `!!str` are not read", Some("leave the tag out; quote what is text"))
        }
    }
}

fn refuse<T>(span: Span, message: &str, help: Option<&'static str>) -> Result<T, SyntaxError> {
    Err(SyntaxError { span, message: message.to_owned(), help })
}

fn syntax_error(text: &str, error: &ScanError) -> SyntaxError {
    let at = error.marker().index().min(text.chars().count());
    let line = text.lines().nth(error.marker().line().saturating_sub(1)).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let help = indent.contains('\t').then_some("YAML is indented with spaces; replace the tab");
    SyntaxError {
        span: Span { start: at, end: at },
        message: format!("this is not YAML: {}", printable(error.info())),
        help,
    }
}
