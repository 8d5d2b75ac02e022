//! Model-local functions: their bodies are graphs, and expanding them must end, and end small.

use std::collections::HashMap;

use super::{
    graph::Graph,
    operators::{Operator, Uses, canonical},
    opset::Opset,
    parser::Parser,
    wire::{Messages as _, Wire},
};
use crate::{rules, stream::Stop};

/// Functions per model.
const MAX_FUNCTIONS: usize = 20_000;
/// Nodes that a model may have once all functions are expanded.
const MAX_EXPANDED: u64 = 10_000_000;

/// The functions of a model, by the operator that they implement.
#[derive(Debug, Default)]
pub(super) struct Functions {
    list: Vec<Function>,
    numbers: HashMap<Operator, usize>,
}

#[derive(Debug)]
struct Function {
    operator: Operator,
    opsets: Vec<Opset>,
}

impl Functions {
    /// Whether an operator is a function of this model.
    pub(super) fn defines(&self, operator: &Operator) -> bool {
        self.numbers.contains_key(operator)
    }

    /// Operator sets that a scope imports; `None` for the model itself.
    pub(super) fn opsets(&self, scope: u32) -> Option<&[Opset]> {
        self.list.get((scope as usize).checked_sub(1)?).map(|function| function.opsets.as_slice())
    }
}

impl Parser<'_, '_> {
    /// Reads a function of this many bytes.
    pub(super) fn function(&mut self, length: u64, functions: &mut Functions) -> Result<(), Stop> {
        if functions.list.len() >= MAX_FUNCTIONS {
            return Err(
                self.fail(&rules::ONNX_LIMIT, "more functions than are followed; the rest was not judged")
            );
        }
        self.scope = u32::try_from(functions.list.len() + 1).unwrap_or(u32::MAX);
        let mut body = Graph::default();
        let mut opsets = Vec::new();
        let (mut domain, mut name, mut overload) = (String::new(), String::new(), String::new());
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (4, Wire::Bytes(length)) => {
                    let input = parser.name(length)?;
                    body.inputs.push((input, None));
                }
                (5, Wire::Bytes(length)) => {
                    let output = parser.name(length)?;
                    body.outputs.push((output, None));
                }
                (7, Wire::Bytes(length)) => parser.node(length, &mut body)?,
                (9, Wire::Bytes(length)) => parser.import(length, &mut opsets)?,
                (10, Wire::Bytes(length)) => domain = canonical(parser.text(length)?),
                (11, Wire::Bytes(length)) => parser.default_attribute(length)?,
                (13, Wire::Bytes(length)) => overload = parser.text(length)?,
                (2 | 3, Wire::Varint(_)) | (6 | 8 | 12 | 14, Wire::Bytes(_)) => {}
                _ => parser.unknown("FunctionProto", number),
            }
            Ok(())
        })?;
        for name in self.resolve(&body) {
            self.dangling(name);
        }
        self.scope = 0;
        let operator = Operator { domain, name, overload };
        if functions.numbers.insert(operator.clone(), functions.list.len()).is_some() {
            let target = operator.name.clone();
            self.findings.about(&rules::ONNX_TWICE, None, target, "this function is defined twice");
        }
        functions.list.push(Function { operator, opsets });
        Ok(())
    }

    /// Checks that no function reaches itself and that expanding them all stays small.
    pub(super) fn check_functions(&mut self, uses: &Uses, functions: &Functions) {
        let mut calls: Vec<Vec<(usize, u64)>> = vec![Vec::new(); functions.list.len() + 1];
        let mut plain = vec![0u64; functions.list.len() + 1];
        // In the order of the file, so that it is always the same function that is named.
        let mut sorted: Vec<_> = uses.iter().collect();
        sorted.sort_by_key(|(_, used)| used.at);
        for ((scope, operator), used) in sorted {
            let scope = *scope as usize;
            match functions.numbers.get(operator) {
                Some(callee) => calls[scope].push((callee + 1, used.count)),
                None => plain[scope] += used.count,
            }
        }
        let mut expanded: Vec<Option<u64>> = vec![None; calls.len()];
        let mut entered = vec![false; calls.len()];
        for root in 0..calls.len() {
            let mut path = vec![root];
            while let Some(scope) = path.last().copied() {
                if expanded[scope].is_some() {
                    path.pop();
                    continue;
                }
                entered[scope] = true;
                let next =
                    calls[scope].iter().map(|(callee, _)| *callee).find(|callee| expanded[*callee].is_none());
                match next {
                    Some(callee) if entered[callee] => {
                        let name = functions.list[callee - 1].operator.name.clone();
                        self.findings.about(&rules::RECURSION, None, name, "this function reaches itself");
                        return;
                    }
                    Some(callee) => path.push(callee),
                    None => {
                        let inner = calls[scope].iter().fold(0u64, |sum, (callee, count)| {
                            sum.saturating_add(count.saturating_mul(expanded[*callee].unwrap_or(0)))
                        });
                        expanded[scope] = Some(plain[scope].saturating_add(inner));
                        path.pop();
                    }
                }
            }
        }
        if expanded.iter().flatten().any(|nodes| *nodes > MAX_EXPANDED) {
            self.note(
                &rules::FUNCTION_BOMB,
                format!("expanding all functions gives more than {MAX_EXPANDED} nodes"),
            );
        }
    }
}
