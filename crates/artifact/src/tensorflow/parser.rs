//! What is known while a model is read.

use tagship_domain::signature::Signature;

use crate::{
    findings::Findings,
    protobuf::{Fault, Messages},
    rules::{self, Rule},
    stream::{Stop, Stream},
};

pub(super) struct Parser<'p, 'a> {
    pub(super) stream: &'p mut Stream<'a>,
    pub(super) findings: &'p mut Findings,
    pub(super) depth: usize,
    /// Nodes of all graphs and functions.
    pub(super) nodes: u64,
    /// Files that the model reads, as it names them.
    pub(super) assets: Vec<String>,
    pub(super) signatures: Vec<(String, Signature)>,
}

impl Parser<'_, '_> {
    /// Adds a finding after which reading cannot go on.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.findings.at(rule, self.stream.position(), message);
        Stop::Reported
    }

    /// Notes a field that the format does not define, or defines with another type.
    pub(super) fn unknown(&mut self, message: &str, number: u32) {
        let at = Some(self.stream.position());
        let target = format!("{message} field {number}");
        self.findings.about(
            &rules::TF_FIELD,
            at,
            target,
            "this field is not known here; what it holds was not judged",
        );
    }
}

impl<'a> Messages<'a> for Parser<'_, 'a> {
    fn stream(&mut self) -> &mut Stream<'a> {
        self.stream
    }

    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }

    fn fault(&mut self, fault: Fault, message: String) -> Stop {
        let rule = match fault {
            Fault::Nesting => &rules::TF_NESTING,
            Fault::Wire => &rules::TF_WIRE,
            Fault::TooLong => &rules::TF_LIMIT,
        };
        self.fail(rule, message)
    }
}
