//! Refusals in the server's form: a `Status` with code, reason, message and causes.

use serde_json::{Value, json};

use super::{
    check::{Fault, Misfit},
    kinds::Resource,
};

/// A refused request.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Failure {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: json!({}) }
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.details = json!({ "name": name, "group": resource.group, "kind": resource.plural });
        self
    }

    pub(super) fn not_found(resource: &Resource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", resource.qualified()))
            .about(resource, name)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    /// Somebody wrote in between.
    pub(super) fn stale(resource: &Resource, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: the object has been modified; please apply your changes to \
             the latest version and try again",
            resource.qualified()
        );
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// Fields belong to others: a message and a field each.
    pub(super) fn owned(conflicts: &[(String, String)]) -> Self {
        let (number, plural) = (conflicts.len(), if conflicts.len() == 1 { "" } else { "s" });
        let listed: Vec<String> = conflicts.iter().map(|(said, field)| format!("{said}: {field}")).collect();
        let message = format!("Apply failed with {number} conflict{plural}: {}", listed.join(", "));
        let cause = |(message, field): &(String, String)| json!({ "reason": "FieldManagerConflict", "message": message, "field": field });
        let causes: Vec<Value> = conflicts.iter().map(cause).collect();
        Self { details: json!({ "causes": causes }), ..Self::new(409, "Conflict", message) }
    }

    pub(super) fn invalid(resource: &Resource, name: &str, misfits: &[Misfit]) -> Self {
        let listed: Vec<String> =
            misfits.iter().map(|misfit| format!("{}: {}", misfit.field(), misfit.what)).collect();
        let kind = match resource.group.as_str() {
            "" => resource.kind.clone(),
            group => format!("{}.{group}", resource.kind),
        };
        let message = format!("{kind} {name:?} is invalid: {}", listed.join(", "));
        let mut failure = Self::new(422, "Invalid", message).about(resource, name);
        let cause = |misfit: &Misfit| {
            let reason = match misfit.fault {
                Fault::Type => "FieldValueTypeInvalid",
                Fault::Missing => "FieldValueRequired",
                Fault::Undeclared | Fault::Value => "FieldValueInvalid",
            };
            json!({ "reason": reason, "message": misfit.what, "field": misfit.field() })
        };
        failure.details["causes"] = misfits.iter().map(cause).collect();
        failure
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let details = json!({ "retryAfterSeconds": seconds });
        Self { details, ..Self::new(429, "TooManyRequests", "Too many requests, please try again later.") }
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": self.details, "code": self.code,
        })
    }
}
