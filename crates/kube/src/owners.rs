//! Whose an object is: Tagship's, and of which model, or somebody else's.

use serde_json::Value;
use tagship_domain::ModelName;
use tagship_ports::{PortError, Problem};

use crate::{
    cluster::{Kind, MANAGER},
    object::{is_going, text},
};

/// The label of what Tagship made.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The annotation that says for which model.
pub(crate) const MODEL: &str = "tagship/model";

/// Refuses an object that Tagship did not make, that serves another model, or that is about to go.
pub(crate) fn refuse_others(
    operation: &str,
    kind: Kind,
    object: &Value,
    model: &ModelName,
) -> Result<(), PortError> {
    let (kind, name) = (kind.parts().3, text(object, "/metadata/name"));
    let marks = &object["metadata"];
    if marks["labels"][MANAGED_BY] != MANAGER || !marks["annotations"][MODEL].is_string() {
        let message = format!("{kind} {name} is not Tagship's{}", written_by(&managers(object, |_| true)));
        return Err(PortError::new(Problem::Conflict, operation, message)
            .hint(format!("give `name` another value; Tagship makes the {kind} and owns it")));
    }
    let serves = text(object, "/metadata/annotations/tagship~1model");
    if serves != model.as_str() {
        let message = format!("{kind} {name} serves model {serves}");
        return Err(
            PortError::new(Problem::Conflict, operation, message).hint("give each model a `name` of its own")
        );
    }
    if is_going(object) {
        let message = format!("{kind} {name} is still being deleted");
        return Err(PortError::new(Problem::Unreachable, operation, message));
    }
    Ok(())
}

/// Managers other than Tagship that own something of an object, its status aside.
pub(crate) fn managers(object: &Value, owns: impl Fn(&Value) -> bool) -> Vec<&str> {
    let owners = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let others = owners.filter(|owner| {
        owner["manager"] != MANAGER && owner["subresource"].is_null() && owns(&owner["fieldsV1"])
    });
    let mut names: Vec<&str> = others.filter_map(|owner| owner["manager"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub(crate) fn written_by(managers: &[&str]) -> String {
    if managers.is_empty() { String::new() } else { format!("; written by {}", managers.join(", ")) }
}
