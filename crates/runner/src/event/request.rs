//! What is asked for by hand or by another program.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tagship_domain::{
    Environment, ModelName, Version,
    event::{self, Command, Continuation, Event, ModelVersion, Request},
};

use super::reader::{Reader, shown};
use crate::error::Failure;

/// Inputs of a manually started workflow; inputs that are not ours are none of our business.
pub(super) fn by_hand(read: Reader<'_>) -> Result<Event, Failure> {
    let request = Request {
        model: input(read, "model", ModelName::new)?,
        environment: input(read, "environment", Environment::new)?,
        version: input(read, "version", str::parse::<Version>)?,
        from: input(read, "from", Environment::new)?,
        command: input(read, "command", str::parse::<Command>)?,
    };
    if request.version.is_some() && request.from.is_some() {
        return Err(Failure::usage("input from: a version is named too")
            .hint("name the version, or the environment whose version is meant"));
    }
    Ok(Event::Manual(request))
}

fn input<'a, T, E: std::fmt::Display>(
    read: Reader<'a>,
    key: &str,
    parse: impl Fn(&'a str) -> Result<T, E>,
) -> Result<Option<T>, Failure> {
    let value = read.find(&format!("/inputs/{key}")).filter(|value| !value.is_empty());
    value.map(parse).transpose().map_err(|error| Failure::usage(format!("input {key}: {error}")))
}

/// Events that other programs send; the sender chooses the name, which arrives as the activity.
pub(super) fn dispatched(read: Reader<'_>) -> Result<Event, Failure> {
    match read.text("/action")? {
        event::MODEL_VERSION_CREATED => payload::<ModelVersion>(read).map(Event::ModelVersion),
        event::CONTINUE => payload::<Continuation>(read).map(Event::Continue),
        other => Ok(read.irrelevant(format!(
            "{} is none of the events that tagship is sent; those are {} and {}",
            shown(other),
            event::MODEL_VERSION_CREATED,
            event::CONTINUE
        ))),
    }
}

/// What the sender put in. Empty texts count as absent, because expressions in workflows leave them behind.
fn payload<T: DeserializeOwned>(read: Reader<'_>) -> Result<T, Failure> {
    let mut fields = match read.payload.get("client_payload") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(read.lacks("/client_payload", "a mapping")),
    };
    fields.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    // A registry's version is a number as often as a text.
    if let Some(number) = fields.get("version").filter(|version| version.is_number()).map(Value::to_string) {
        fields.insert("version".to_owned(), Value::String(number));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        Failure::usage(format!(
            "the repository_dispatch payload has a client_payload that cannot be used: {error}"
        ))
        .hint("docs/guides/triggers.md lists what it carries")
    })
}
