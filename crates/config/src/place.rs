//! A place in a configuration: a value and the keys that lead to it, and the errors that were found there.

use std::{cell::RefCell, rc::Rc};

use crate::{
    diagnostic::{ConfigErrors, Diagnostic, Location, MAX_DIAGNOSTICS, SourceText, Span},
    tree::{self, Entry, Node, Value},
};

/// A configuration text, its tree, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    text: SourceText<'a>,
    root: Rc<Node>,
    found: RefCell<Vec<Diagnostic>>,
}

/// A place in it. A place that does not exist points to the nearest one around it that does.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    source: &'a Source<'a>,
    node: Option<&'a Node>,
    key_span: Span,
    path: String,
}

impl<'a> Source<'a> {
    pub(crate) fn parse(file: &'a str, text: &'a str) -> Result<Self, ConfigErrors> {
        let text_body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = SourceText::new(file, text_body);
        match tree::parse(text_body) {
            Ok(root) => Ok(Self { text, root, found: RefCell::default() }),
            Err(error) => {
                let help = error.help.map(str::to_owned);
                Err(ConfigErrors { diagnostics: vec![text.diagnostic(error.span, "", error.message, help)] })
            }
        }
    }

    pub(crate) fn root(&self) -> Place<'_> {
        Place { source: self, node: Some(&self.root), key_span: self.root.span, path: String::new() }
    }

    /// Whether as many errors were found as are reported.
    pub(crate) fn is_full(&self) -> bool {
        self.count() >= MAX_DIAGNOSTICS
    }

    /// How many errors were found so far.
    fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// The errors that were found, in the order of the text.
    pub(crate) fn errors(&self) -> Result<(), ConfigErrors> {
        if self.found.borrow().is_empty() { Ok(()) } else { Err(self.sorted()) }
    }

    /// What was read, unless errors were found.
    pub(crate) fn finish<T>(&self, read: Option<T>) -> Result<T, ConfigErrors> {
        self.errors()?;
        read.ok_or_else(|| {
            self.root().report("the file says nothing that can be read".to_owned(), None);
            self.sorted()
        })
    }

    fn sorted(&self) -> ConfigErrors {
        let mut diagnostics = self.found.borrow().clone();
        diagnostics.sort_by_key(|found| (found.location.line, found.location.column));
        ConfigErrors { diagnostics }
    }
}

impl<'a> Place<'a> {
    pub(crate) fn node(&self) -> Option<&'a Node> {
        self.node
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The place of a key below.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.node.and_then(|node| node.entry(key)).map_or_else(|| self.below(key), |entry| self.enter(entry))
    }

    /// The place of an entry of the mapping here, which may be the second one with its key.
    pub(crate) fn enter(&self, entry: &'a Entry) -> Self {
        Self { node: Some(&entry.value), key_span: entry.key_span, ..self.below(&entry.key) }
    }

    fn below(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        Self { source: self.source, node: None, key_span: self.key_span, path }
    }

    /// The place of a list item below.
    pub(crate) fn index(&self, index: usize) -> Self {
        let node = self.node.and_then(|node| node.item(index));
        let key_span = node.map_or(self.key_span, |node| node.span);
        Self { source: self.source, node, key_span, path: format!("{}[{index}]", self.path) }
    }

    /// How many errors the whole text has so far: what judges parts together asks whether each is sound by itself.
    pub(crate) fn errors_so_far(&self) -> usize {
        self.source.count()
    }

    /// Where it is.
    pub(crate) fn location(&self) -> Location {
        self.source.text.location(self.span(), &self.path)
    }

    /// Reports that the value here is wrong.
    pub(crate) fn report(&self, message: String, help: Option<String>) {
        self.push(self.span(), message, help);
    }

    /// Reports that the key that leads here is wrong.
    pub(crate) fn report_key(&self, message: String, help: Option<String>) {
        self.push(self.key_span, message, help);
    }

    fn push(&self, span: Span, message: String, help: Option<String>) {
        if !self.source.is_full() {
            let found = self.source.text.diagnostic(span, &self.path, message, help);
            self.source.found.borrow_mut().push(found);
        }
    }

    /// A word is shown itself; a list or a mapping by the key that holds it.
    fn span(&self) -> Span {
        match self.node {
            Some(Node { span, value: Value::Scalar(_), .. }) if span.end > span.start => *span,
            _ => self.key_span,
        }
    }
}
