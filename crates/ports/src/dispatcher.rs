//! Starting the next stage: what a run does in its own name starts no other run by itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{PortError, Problem};

/// Longest name of an event, in characters.
const MAX_NAME: usize = 100;
/// Most keys at the top of an event's payload.
const MAX_KEYS: usize = 10;
/// A payload must be smaller than this, in bytes of JSON.
const MAX_PAYLOAD: usize = 64 * 1024;
/// Most inputs of a workflow.
const MAX_INPUTS: usize = 25;

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispatch {
    /// An event that workflows listen to by its name.
    Event {
        /// At most 100 characters.
        name: String,
        /// At most 10 keys and less than 64 KB.
        payload: Map<String, Value>,
    },
    /// One workflow.
    Workflow {
        /// Its file name.
        file: String,
        /// Branch or tag that it runs on.
        reference: String,
        /// Its inputs, at most 25.
        inputs: BTreeMap<String, String>,
    },
}

/// Starts runs.
///
/// The one port without idempotence: nothing tells afterwards whether a run was started. Where an answer got lost it
/// is not tried again; the error says that the run may have started.
#[async_trait]
pub trait Dispatcher: Send + Sync {
    /// Starts a run.
    async fn dispatch(&self, dispatch: &Dispatch) -> Result<(), PortError>;
}

impl Dispatch {
    /// What it is, for messages.
    pub fn what(&self) -> String {
        match self {
            Self::Event { name, .. } => format!("event {name}"),
            Self::Workflow { file, reference, .. } => format!("workflow {file} on {reference}"),
        }
    }

    /// Whether it keeps the limits of its fields.
    ///
    /// # Errors
    /// [`Problem::Invalid`] with the limit that it breaks.
    pub fn check(&self) -> Result<(), PortError> {
        let no = |message: String| {
            Err(PortError::new(Problem::Invalid, format!("dispatch {}", self.what()), message))
        };
        match self {
            Self::Event { name, payload } => {
                let bytes = Value::Object(payload.clone()).to_string().len();
                if name.is_empty() || name.chars().count() > MAX_NAME {
                    return no(format!("an event's name has 1 to {MAX_NAME} characters"));
                }
                if payload.len() > MAX_KEYS {
                    return no(format!("its payload has {} keys, at most {MAX_KEYS}", payload.len()));
                }
                if bytes >= MAX_PAYLOAD {
                    return no(format!("its payload has {bytes} bytes, less than {MAX_PAYLOAD}"));
                }
                Ok(())
            }
            Self::Workflow { inputs, .. } if inputs.len() > MAX_INPUTS => {
                no(format!("it has {} inputs, at most {MAX_INPUTS}", inputs.len()))
            }
            Self::Workflow { .. } => Ok(()),
        }
    }
}
