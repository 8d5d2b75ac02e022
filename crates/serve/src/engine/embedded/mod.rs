//! The embedded backend: the tract library, held to onnxruntime's answers.
//!
//! Loading is check, rewrite, load, self-test. Two attempts are made: rewritten with a symbolic batch, then with a
//! batch of one and a loop over rows (recurrent networks of two directions load only so). A model that fails both is
//! refused.
//!
//! This module and the ones below are the only ones of the workspace that name tract.

mod check;
mod declared;
mod operators;
mod plan;
mod rewrite;
mod values;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::Framework as _;

use self::{
    declared::Declared,
    plan::{Looped, Plan, Rows},
};
use super::{EngineError, Runnable, model::guarded, self_test};

/// Rows of the self-test: one would prove nothing, two may hide behind a symmetric pair.
const TEST_ROWS: usize = 3;

/// Loads the model in `bytes`; where it came from `file`, external data is read from beside that.
pub(super) fn load(bytes: &[u8], file: Option<&Path>) -> Result<Arc<dyn Runnable>, EngineError> {
    // A bare file name has the parent "", which tract takes for the current directory.
    load_proto(decode(bytes)?, file.and_then(Path::parent))
}

/// For backends that read ONNX by themselves: refuses data outside the model's directory, and tells what the file
/// knows about its inputs.
#[cfg(feature = "ort")]
pub(super) fn inspect(bytes: &[u8]) -> Result<self_test::Hints, EngineError> {
    let proto = decode(bytes)?;
    check::stays_inside(&proto)?;
    Ok(check::hints(&proto))
}

/// Checks, rewrites, plans and tests a decoded model; external data is read from `directory`.
fn load_proto(mut proto: ModelProto, directory: Option<&Path>) -> Result<Arc<dyn Runnable>, EngineError> {
    check::check(&proto)?;
    let classes = rewrite::lower(&mut proto)?;
    let declared = Declared::read(&proto, &classes)?;
    let hints = check::hints(&proto);

    let mut stateful = proto.clone();
    rewrite::give_initial_states(&mut stateful);
    let symbolic = guarded("load", || {
        let plan = Plan::build(&stateful, directory, &declared, Rows::Any)?;
        self_test::rows_agree(&plan, &plan, TEST_ROWS, &declared.batched, &hints)?;
        Ok(plan)
    });
    drop(stateful);
    let first = match symbolic {
        Ok(plan) => return Ok(Arc::new(plan)),
        Err(error) if !declared.batched.contains(&true) => return Err(error),
        Err(error) => error,
    };

    let looped = guarded("load", || {
        let one = Looped::new(Plan::build(&proto, directory, &declared, Rows::Exactly(1))?)?;
        // Rows of a loop cannot influence each other; a plan of two rows shows whether they should.
        let two = Plan::build(&proto, directory, &declared, Rows::Exactly(2))?;
        self_test::rows_agree(&two, &one, 2, &declared.batched, &hints)?;
        Ok(one)
    });
    match looped {
        Ok(looped) => Ok(Arc::new(looped)),
        // Rows that depend on each other are the more useful news than what happened afterwards.
        Err(_) if matches!(first, EngineError::RowsCoupled { .. }) => Err(first),
        Err(second @ EngineError::RowsCoupled { .. }) => Err(second),
        Err(second) => {
            let detail =
                format!("with any batch: {}; with a batch of one: {}", first.reason(), second.reason());
            Err(EngineError::Load { detail })
        }
    }
}

fn decode(mut bytes: &[u8]) -> Result<ModelProto, EngineError> {
    let proto = tract_onnx::onnx().proto_model_for_read(&mut bytes);
    let proto = proto.map_err(|error| EngineError::NotOnnx { detail: format!("{error:#}") })?;
    match &proto.graph {
        None => Err(EngineError::NotOnnx { detail: "the file holds no graph".to_owned() }),
        Some(graph) if graph.output.is_empty() => {
            Err(EngineError::NotOnnx { detail: "the graph has no outputs".to_owned() })
        }
        Some(_) => Ok(proto),
    }
}
