//! Operators of a TensorFlow Lite model: what each runs, and what its settings lead to.

use super::{Buffers, Model};
use crate::{
    findings::Findings,
    flatbuffer::{
        flex,
        reader::{Table, Vector},
    },
    pages::Fault,
    rules,
    stream::Stop,
    tensorflow,
};

/// The operator code that stands for one by name.
const CUSTOM: i64 = 32;
/// The largest built-in code that is known here (`STABLEHLO_CASE`).
const LAST: i64 = 209;
/// Bytes of the settings of a Flex operator that are read.
const MAX_SETTINGS: u64 = 16 << 20;

/// Fields of the settings that name a graph, by the code of the operator.
const GRAPHS: &[(i64, &[usize])] = &[
    (118, &[0, 1]), // IF
    (119, &[0, 1]), // WHILE
    (129, &[0]),    // CALL_ONCE
    (200, &[0, 1]), // STABLEHLO_WHILE
    (206, &[1]),    // STABLEHLO_COMPOSITE
];
/// `STABLEHLO_CASE` has a list of graphs.
const CASE: i64 = 209;

/// An operator code, as the operators of the graphs use it.
#[derive(Debug)]
pub(super) struct Code {
    number: i64,
    name: String,
}

/// What an operator may refer to.
pub(super) struct Around<'a> {
    pub(super) codes: &'a [Code],
    /// The graph that the operator is in.
    pub(super) graph: usize,
    pub(super) graphs: usize,
    pub(super) buffers: &'a Buffers,
}

impl Model<'_> {
    /// An operator by name is native code of the application, or TensorFlow's.
    pub(super) fn operator_code(&mut self, code: &Table) -> Result<Code, Fault> {
        // As readers do it: the larger of the old code of one byte and the new one, both with a sign.
        let old = self.buffer.scalar(code, 0, 1, 0)?;
        let old = if old > 127 { old.cast_signed() - 256 } else { old.cast_signed() };
        let number = old.max(self.buffer.signed_scalar(code, 3)?);
        let name = self.buffer.text(code, 1)?;
        let at = Some(code.at);
        if let Some(operator) = name.strip_prefix("Flex") {
            let message = "the model runs this operator of TensorFlow";
            let rule = tensorflow::judge_operator(operator).unwrap_or(&rules::TFLITE_FLEX);
            self.findings.about(rule, at, &name, message);
        } else if number == CUSTOM {
            let message = "this operator needs native code that is not in the file";
            self.findings.about(&rules::TFLITE_CUSTOM, at, &name, message);
        }
        if number < 0 {
            self.bad(code, "operator_codes", format!("operator code {number} cannot be"));
        } else if number > LAST {
            let message = "this built-in operator is not known here";
            self.findings.about(&rules::TFLITE_OPERATOR, at, number.to_string(), message);
        }
        Ok(Code { number, name })
    }

    pub(super) fn operator(
        &mut self,
        operator: &Table,
        tensors: usize,
        around: &Around<'_>,
    ) -> Result<(), Fault> {
        let inputs = self.buffer.integers(operator, 1)?;
        let outputs = self.buffer.integers(operator, 2)?;
        let intermediates = self.buffer.integers(operator, 8)?;
        // An input that is left out is written as -1, and so is an intermediate.
        let optional = inputs.iter().chain(&intermediates).filter(|index| **index != -1);
        let is_tensor = |index: &i32| usize::try_from(*index).is_ok_and(|index| index < tensors);
        if let Some(missing) = optional.chain(&outputs).find(|index| !is_tensor(index)) {
            self.bad(operator, "operators", format!("tensor {missing} does not exist"));
        }
        let settings = self.buffer.vector(operator, 5, 1)?;
        self.buffer.vector(operator, 7, 1)?;
        let old = self.buffer.child(operator, 4)?;
        let new = self.buffer.child(operator, 12)?;
        for options in [&old, &new].into_iter().flatten() {
            self.buffer.reach_over(options)?;
        }
        let index = self.buffer.scalar(operator, 0, 4, 0)?;
        let Some(code) = usize::try_from(index).ok().and_then(|index| around.codes.get(index)) else {
            self.bad(operator, "operators", format!("operator code {index} does not exist"));
            return Ok(());
        };
        if let Some(options) = old.or(new) {
            self.graphs_of(&options, code.number, around)?;
        }
        if let Some(expected) = code.name.strip_prefix("Flex") {
            self.flex(operator, settings, expected)?;
        }
        Ok(())
    }

    /// The graphs that control flow goes to.
    fn graphs_of(&mut self, options: &Table, code: i64, around: &Around<'_>) -> Result<(), Fault> {
        let mut named = Vec::new();
        if code == CASE {
            named.extend(self.buffer.integers(options, 0)?.into_iter().map(i64::from));
        }
        let fields = GRAPHS.iter().find(|(own, _)| *own == code).map_or(&[][..], |(_, fields)| fields);
        for field in fields {
            named.push(self.buffer.signed_scalar(options, *field)?);
        }
        for graph in named {
            match usize::try_from(graph).ok().filter(|graph| *graph < around.graphs) {
                Some(callee) => {
                    self.calls.insert((around.graph, callee));
                }
                None => self.bad(options, "operators", format!("graph {graph} does not exist")),
            }
        }
        Ok(())
    }

    /// The delegate takes the operator from the settings, not from the name of the code.
    fn flex(&mut self, operator: &Table, inside: Option<Vector>, expected: &str) -> Result<(), Fault> {
        let at = self.buffer.scalar(operator, 9, 8, 0)?;
        let count = self.buffer.scalar(operator, 10, 8, 0)?;
        let settings = match inside {
            Some(inside) if at <= 1 => inside,
            None if at > 1 => Vector { at, count },
            _ => {
                self.bad(operator, expected, "a Flex operator without settings, or with two");
                return Ok(());
            }
        };
        if settings.count > MAX_SETTINGS {
            return Err(Fault::Limit { at: settings.at, what: "longer settings than are followed" });
        }
        let bytes = self.buffer.bytes(settings.at, settings.count)?;
        let Some(flex) = flex::read(&bytes) else {
            self.bad(operator, expected, "the settings do not tell which operator of TensorFlow this is");
            return Ok(());
        };
        if flex.name != expected || flex.operator != expected {
            let message = format!("the settings name `{}` and `{}`", flex.name, flex.operator);
            self.bad(operator, expected, message);
        }
        self.flex_node(flex.node, &flex.operator, settings.at)?;
        for name in [flex.name, flex.operator] {
            let unknown = (!tensorflow::computes(&name)).then_some(&rules::TF_UNKNOWN);
            if let Some(rule) = tensorflow::judge_operator(&name).or(unknown) {
                let message = "the model runs this operator of TensorFlow";
                self.findings.about(rule, Some(settings.at), name, message);
            }
        }
        Ok(())
    }

    /// The node that the delegate builds, with all that it is set to. Its inputs are tensors of the graph, which are not followed.
    fn flex_node(&mut self, node: &[u8], operator: &str, at: u64) -> Result<(), Fault> {
        if tensorflow::takes_a_path(operator) {
            let message = "the place at which this operator reads or writes is not followed";
            self.findings.about(&rules::TF_LIMIT, Some(at), operator, message);
        }
        let mut found = Findings::new();
        if let Err(Stop::Io(error)) = tensorflow::scan_node(node, &mut found) {
            return Err(Fault::Io(error));
        }
        for finding in found.into_list(None) {
            let Some(rule) = rules::find(&finding.rule) else { continue };
            let target = finding.target.unwrap_or_else(|| operator.to_owned());
            self.findings.about(rule, Some(at), target, finding.message);
        }
        Ok(())
    }
}
