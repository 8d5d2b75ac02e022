//! Settings of an adapter, from what a configuration says below its kind.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

/// Reads the settings of an adapter; `what` names it, e.g. `target exec`.
pub(crate) fn read<T: DeserializeOwned>(what: &str, settings: &Map<String, Value>) -> Result<T, PortError> {
    serde_json::from_value(Value::Object(settings.clone())).map_err(|error| wrong(what, error.to_string()))
}

/// Settings that are no good.
pub(crate) fn wrong(what: &str, message: impl Into<String>) -> PortError {
    PortError::new(Problem::Invalid, operation(what), message)
}

/// The secret in an environment variable that the settings name.
pub(crate) fn secret(
    what: &str,
    name: &str,
    secret: &dyn Fn(&str) -> Option<String>,
    hint: &str,
) -> Result<tagship_domain::redacted::Redacted<String>, PortError> {
    let value = secret(name).filter(|value| !value.is_empty());
    value.map(tagship_domain::redacted::Redacted::new).ok_or_else(|| {
        let message = format!("environment variable {name} is not set");
        PortError::new(Problem::Denied, operation(what), message).hint(hint)
    })
}

fn operation(what: &str) -> String {
    format!("read the settings of {what}")
}
