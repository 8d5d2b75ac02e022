//! What is known while a model is read, and how findings about it are made. Reading itself is in the files of the
//! messages, on top of the wire format in `wire.rs`.

use super::{
    names::{Name, Names},
    operators::Uses,
    size::Sizes,
};
use crate::{
    findings::Findings,
    rules::{self, Rule},
    stream::{Stop, Stream},
    tree::Tree,
};

/// What is known while a model is read.
pub(super) struct Parser<'p, 'a> {
    pub(super) stream: &'p mut Stream<'a>,
    pub(super) findings: &'p mut Findings,
    /// The artifact, where external data is looked for.
    pub(super) tree: &'p dyn Tree,
    /// Path of the model in it.
    pub(super) path: &'p str,
    pub(super) external: Vec<String>,
    pub(super) names: Names,
    pub(super) depth: usize,
    pub(super) uses: Uses,
    pub(super) sizes: Sizes,
    /// Zero for the model, n + 1 for function n: names are unique only within it.
    pub(super) scope: u32,
}

impl Parser<'_, '_> {
    /// Notes a name that is used and not defined anywhere.
    pub(super) fn dangling(&mut self, name: Name) {
        let name = self.names.get(name).to_owned();
        self.findings.about(&rules::ONNX_DANGLING, None, name, "this value is used and never defined");
    }

    /// Adds a finding where the stream stands.
    pub(super) fn note(&mut self, rule: &'static Rule, message: impl Into<String>) {
        self.findings.at(rule, self.stream.position(), message);
    }

    /// Adds a finding after which reading cannot go on.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.note(rule, message);
        Stop::Reported
    }

    /// A name's number, or the end of the analysis where there are too many.
    pub(super) fn number(&mut self, name: &str) -> Result<Name, Stop> {
        match self.names.number(name) {
            Some(number) => Ok(number),
            None => {
                Err(self.fail(&rules::ONNX_LIMIT, "more names than are followed; the rest was not judged"))
            }
        }
    }
}
