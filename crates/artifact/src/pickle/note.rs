//! The machine's findings: where they are, the opcodes around them, and what values are called in them.

use tagship_domain::validation::Severity;

use super::{
    machine::Machine,
    value::{Kind, Value},
};
use crate::{
    rules::{self, Rule},
    stream::Stop,
};

impl Machine<'_, '_> {
    /// Adds a finding at the opcode in execution.
    pub(super) fn note(&mut self, rule: &'static Rule, message: impl Into<String>) {
        let listed = self.findings.listed();
        self.findings.at(rule, self.at, message);
        self.explain(rule, listed, self.at);
    }

    /// Adds a finding about a thing at the opcode in execution.
    pub(super) fn note_about(&mut self, rule: &'static Rule, target: &str, message: impl Into<String>) {
        let listed = self.findings.listed();
        self.findings.about(rule, Some(self.at), target, message);
        self.explain(rule, listed, self.at);
    }

    /// Adds that the stream ends in the middle of what begins at this offset.
    pub(super) fn note_cut(&mut self, offset: u64) {
        let (rule, listed) = (&rules::PICKLE_TRUNCATED, self.findings.listed());
        self.findings.at(rule, offset, "the file ends in the middle of the pickle; write or fetch it again");
        self.explain(rule, listed, offset);
    }

    /// Shows the opcodes around a finding, unless it is one that is listed already.
    fn explain(&mut self, rule: &Rule, place: usize, at: u64) {
        if self.findings.listed() > place && rule.severity > Severity::Info {
            self.trace.explain(place, at, self.findings);
        }
    }

    /// Adds a finding after which a loader could not go on either.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.note(rule, message);
        Stop::Reported
    }

    /// Gives up: the file needs more memory to follow than there is.
    pub(super) fn limit(&mut self) -> Stop {
        self.fail(
            &rules::PICKLE_LIMIT,
            "the pickle holds more objects than are followed; the rest was not judged",
        )
    }

    /// What a value is, for a message.
    pub(super) fn describe(&self, value: Value) -> String {
        match value {
            Value::None => "None".to_owned(),
            Value::Number | Value::Int(_) => "a number".to_owned(),
            Value::Text(_) | Value::LongText | Value::Latin(_) | Value::Parser => "a text".to_owned(),
            Value::Bytes | Value::Buffer(_) => "bytes".to_owned(),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Global(number) => self.name(number),
            Value::Refused => "something that was refused".to_owned(),
            Value::Object(id) => match self.heap.get(id).kind {
                Kind::Tuple => "a tuple".to_owned(),
                Kind::List => "a list".to_owned(),
                Kind::Dict => "a dict".to_owned(),
                Kind::Set | Kind::FrozenSet => "a set".to_owned(),
                Kind::Instance(class) => format!("the result of {}", self.name(class)),
            },
        }
    }

    pub(super) fn name(&self, global: u32) -> String {
        let global = &self.globals[global as usize];
        format!("{}.{}", global.module, global.name)
    }
}
