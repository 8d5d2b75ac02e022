//! Operators that a model uses, against what it imports, defines itself, and what the standard and the runtime have.

use super::{
    function::Functions,
    operators::{CODE, COMPILED, Operator, Uses, is_built_in, standard},
    opset::Opset,
    parser::Parser,
};
use crate::rules;

impl Parser<'_, '_> {
    /// Checks every operator that a model uses: imported, and standard, built into the usual runtime, or a function.
    pub(super) fn check_operators(&mut self, uses: &Uses, model: &[Opset], functions: &Functions) {
        let mut sorted: Vec<_> = uses.iter().collect();
        sorted.sort_by_key(|(_, used)| used.at);
        for ((scope, operator), used) in sorted {
            let at = Some(used.at);
            let Operator { domain, name, .. } = operator;
            let target = if domain.is_empty() { name.clone() } else { format!("{domain}::{name}") };
            let opsets = functions.opsets(*scope).unwrap_or(model);
            if !opsets.iter().any(|opset| opset.domain == *domain) {
                self.findings.about(
                    &rules::ONNX_OPSET,
                    at,
                    &target,
                    "the operator set of this operator is not imported",
                );
            }
            if CODE.contains(&name.as_str()) {
                self.findings.about(
                    &rules::CODE_OPERATOR,
                    at,
                    &target,
                    "this operator runs code that the model names",
                );
                continue;
            }
            if functions.defines(operator) || is_built_in(domain, name) {
                continue;
            }
            if domain == "com.microsoft" && COMPILED.contains(&name.as_str()) {
                let message =
                    "this operator hands a compiled program to a driver, which nothing here can judge";
                self.findings.about(&rules::COMPILED_OPERATOR, at, &target, message);
                continue;
            }
            match standard(domain) {
                Some(known) if known.binary_search(&name.as_str()).is_ok() => {}
                Some(_) => {
                    let message = "the standard does not define this operator";
                    self.findings.about(&rules::ONNX_OPERATOR, at, &target, message);
                }
                None => {
                    let message = "this operator needs a native library beside the runtime; review it, or export without";
                    self.findings.about(&rules::CUSTOM_DOMAIN, at, &target, message);
                }
            }
        }
    }
}
