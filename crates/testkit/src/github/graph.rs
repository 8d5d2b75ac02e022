//! What is asked of the GraphQL API: who the token is, how long a chain is, and moving references on a condition.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, objects::leads_to, world::World};

/// What the host calls the repository there.
const ID: &str = "R_shop";

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answer {
    let query = ask.text("query").unwrap_or_default();
    let variables = &ask.body["variables"];
    if query.contains("updateRefs") {
        return match moved(world, &variables["input"]) {
            Ok(()) => Answer::ok(json!({ "data": { "updateRefs": { "clientMutationId": null } } })),
            Err(why) => refused("updateRefs", why),
        };
    }
    if query.contains("totalCount") {
        let length = chain(world, variables["oid"].as_str().unwrap_or_default());
        let object = if length == 0 { Value::Null } else { json!({ "history": { "totalCount": length } }) };
        return Answer::ok(json!({ "data": { "repository": { "id": ID, "object": object } } }));
    }
    if world.tells_viewer {
        Answer::ok(json!({ "data": { "viewer": { "login": world.login } } }))
    } else {
        Answer::forbidden("metadata=read")
    }
}

/// What a token hears that may not.
const NOT_ALLOWED: &str = "Resource not accessible by integration";

/// As the host refuses: with a good status.
fn refused(field: &str, why: &str) -> Answer {
    let kind = if why == NOT_ALLOWED { "FORBIDDEN" } else { "UNPROCESSABLE" };
    Answer::ok(json!({ "data": { field: null }, "errors": [{ "type": kind, "message": why }] }))
}

/// All of the updates, or none.
fn moved(world: &mut World, input: &Value) -> Result<(), &'static str> {
    if world.protects_refs {
        return Err("Cannot update this protected ref.");
    }
    if !world.moves_refs {
        return Err(NOT_ALLOWED);
    }
    if input["repositoryId"] != ID {
        return Err("Could not resolve to a node");
    }
    let mut refs = world.refs.clone();
    for update in input["refUpdates"].as_array().into_iter().flatten() {
        let text = |key: &str| update[key].as_str().unwrap_or_default();
        let (name, before, after) = (text("name"), text("beforeOid"), text("afterOid"));
        let there = refs.get(name).map(String::as_str).unwrap_or_default();
        if !before.is_empty() && there != before {
            return Err("Reference cannot be updated: it does not point at the expected object");
        }
        if !world.commits.contains_key(after) {
            return Err("Object does not exist");
        }
        if update["force"] != json!(true) && !leads_to(world, there, after) {
            return Err("Update is not a fast forward");
        }
        refs.insert(name.to_owned(), after.to_owned());
    }
    world.refs = refs;
    Ok(())
}

fn chain(world: &World, tip: &str) -> usize {
    let mut length = 0;
    let mut next = world.commits.get(tip);
    while let Some(commit) = next {
        length += 1;
        next = commit["parents"][0]["sha"].as_str().and_then(|parent| world.commits.get(parent));
    }
    length
}
