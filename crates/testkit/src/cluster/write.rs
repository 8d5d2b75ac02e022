//! Writes, in the order of a real server: the shape of what is sent, ownership, the resource version, defaults, the
//! schema; then the generation, and nothing at all where nothing has changed.

use serde_json::{Value, json};

use super::{
    ask::Ask,
    check::{Fault, Misfit, misfits},
    failure::Failure,
    kinds::Resource,
    managers::{Claim, Managers, Writer},
    patch::{json_patch, merge_patch},
    shape,
    store::{Key, Store},
    workloads,
};

/// A status code and a document.
pub(super) type Answered = (u16, Value);

/// Metadata that the server alone sets.
const SERVERS: [&str; 5] = ["uid", "creationTimestamp", "generation", "resourceVersion", "managedFields"];

pub(super) fn write(store: &mut Store, ask: &Ask) -> Result<Answered, Failure> {
    let resource = store.resource(ask)?;
    let subresource = ask.subresource.as_deref();
    if subresource.is_some_and(|sub| sub != "status" || !resource.has_status) {
        return Err(Failure::no_such_path());
    }
    store.permit(ask.verb(), &resource, ask)?;
    let is_whole = ["", "application/json", "application/yaml"].contains(&ask.content_type.as_str());
    if matches!(ask.method.as_str(), "POST" | "PUT") && !is_whole {
        return Err(unknown_format(&ask.content_type));
    }
    match (ask.method.as_str(), &ask.name) {
        ("POST", None) => create(store, ask, &resource),
        ("PUT", Some(name)) => replace(store, ask, &resource, name),
        ("DELETE", Some(name)) => delete(store, ask, &resource, name),
        ("PATCH", Some(name)) if ask.content_type == "application/apply-patch+yaml" => {
            apply(store, ask, &resource, name)
        }
        ("PATCH", Some(name)) => patch(store, ask, &resource, name),
        _ => Err(Failure::new(405, "MethodNotAllowed", "the server does not allow this method on this path")),
    }
}

fn unknown_format(said: &str) -> Failure {
    let message = format!("the body of the request was in an unknown format - {said}");
    Failure::new(415, "UnsupportedMediaType", message)
}

fn create(store: &mut Store, ask: &Ask, resource: &Resource) -> Result<Answered, Failure> {
    let mut object = ask.body()?;
    refuse_nameless(&object, resource)?;
    identify(&mut object, resource, ask)?;
    let unknown = of_fault(&resource.schema, &object, Fault::Undeclared);
    refuse_unknown(ask, &unknown)?;
    let given =
        |name: &str| object["metadata"][name].as_str().map(str::to_owned).filter(|text| !text.is_empty());
    let generated = || given("generateName").map(|prefix| format!("{prefix}{:05x}", store.version));
    let name = given("name").or_else(generated);
    let name = name.ok_or_else(|| Failure::bad("name or generateName is required"))?;
    if given("resourceVersion").is_some() {
        return Err(Failure::bad("resourceVersion should not be set on objects to be created"));
    }
    object["metadata"]["name"] = json!(name);
    let key = Key::of(resource, ask.namespace.as_deref(), &name);
    if store.objects.contains_key(&key) {
        return Err(Failure::exists(resource, &name));
    }
    let base = blank(&object);
    finish(store, ask, resource, Change { key, live: None, new: object, base, managers: None })
}

fn replace(store: &mut Store, ask: &Ask, resource: &Resource, name: &str) -> Result<Answered, Failure> {
    let mut object = ask.body()?;
    refuse_nameless(&object, resource)?;
    identify(&mut object, resource, ask)?;
    refuse_unknown(ask, &of_fault(&resource.schema, &object, Fault::Undeclared))?;
    let (key, live) = existing(store, ask, resource, name)?;
    if object["metadata"]["resourceVersion"].is_null() && resource.is_custom {
        let what = "Invalid value: 0x0: must be specified for an update".to_owned();
        let misfit = Misfit { path: ".metadata.resourceVersion".to_owned(), what, fault: Fault::Value };
        return Err(Failure::invalid(resource, name, &[misfit]));
    }
    check_version(resource, name, &live, &object)?;
    let base = live.clone();
    finish(store, ask, resource, Change { key, live: Some(live), new: object, base, managers: None })
}

fn patch(store: &mut Store, ask: &Ask, resource: &Resource, name: &str) -> Result<Answered, Failure> {
    let said = ask.body()?;
    let (key, live) = existing(store, ask, resource, name)?;
    let new = match ask.content_type.as_str() {
        "application/merge-patch+json" => {
            let mut new = live.clone();
            merge_patch(&mut new, &said);
            new
        }
        "application/json-patch+json" => json_patch(&live, &said).map_err(|_which| {
            // Which operation failed is not told.
            Failure::new(422, "Invalid", "the server rejected our request due to an error in our request")
        })?,
        other => return Err(unknown_format(other)),
    };
    let unknown = of_fault(&resource.schema, &new, Fault::Undeclared);
    if ask.is_strict() && !unknown.is_empty() {
        let listed: Vec<String> =
            unknown.iter().map(|misfit| format!("unknown field {:?}", misfit.field())).collect();
        let what = format!("Invalid value: strict decoding error: {}", listed.join(", "));
        let misfit = Misfit { path: ".patch".to_owned(), what, fault: Fault::Value };
        return Err(Failure::invalid(resource, name, &[misfit]));
    }
    check_version(resource, name, &live, &new)?;
    let base = live.clone();
    finish(store, ask, resource, Change { key, live: Some(live), new, base, managers: None })
}

fn apply(store: &mut Store, ask: &Ask, resource: &Resource, name: &str) -> Result<Answered, Failure> {
    if ask.query("fieldManager").is_none_or(str::is_empty) {
        return Err(Failure::bad(
            "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    if ask.query("force").is_some_and(|force| force != "false") {
        // Real servers take it. Nothing of ours may: it takes fields from people.
        return Err(Failure::new(403, "Forbidden", "forced applies are forbidden in this cluster"));
    }
    let mut said = ask.body()?;
    let version = said["apiVersion"].as_str().unwrap_or_default();
    if version != resource.api_version() {
        return Err(Failure::bad(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, expected: {}",
            resource.api_version()
        )));
    }
    if said["metadata"]["name"].is_null()
        && !store.objects.contains_key(&Key::of(resource, ask.namespace.as_deref(), name))
    {
        return Err(Failure::bad(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )));
    }
    identify(&mut said, resource, ask)?;
    refuse_untyped(resource, ask, name, &said)?;
    if ask.subresource.is_none() && resource.has_status {
        said.as_object_mut().map(|fields| fields.remove("status"));
    }
    let key = Key::of(resource, ask.namespace.as_deref(), name);
    let live = store.objects.get(&key).cloned();
    if live.is_none() {
        if ask.subresource.is_some() {
            return Err(Failure::not_found(resource, name));
        }
        if said["metadata"]["uid"].is_string() {
            // Read in the server's source: nothing is made where a certain object was meant.
            return Err(Failure::stale(resource, name));
        }
        store.permit("create", resource, ask)?;
    }
    let base = live.clone().unwrap_or_else(|| blank(&said));
    let (writer, time, api_version) = (writer(ask, true), store.time(), resource.api_version());
    let claim = Claim { schema: &resource.schema, writer: &writer, api_version: &api_version, now: &time };
    let mut managers = Managers::of(&base);
    let new = managers.apply(&claim, &base, &said).map_err(|conflicts| Failure::owned(&conflicts))?;
    if let Some(live) = &live {
        check_version(resource, name, live, &said)?;
    }
    finish(store, ask, resource, Change { key, live, new, base, managers: Some(managers) })
}

fn delete(store: &mut Store, ask: &Ask, resource: &Resource, name: &str) -> Result<Answered, Failure> {
    let (key, live) = existing(store, ask, resource, name)?;
    let options = if ask.has_body() { ask.body()? } else { Value::Null };
    for field in ["uid", "resourceVersion"] {
        let wanted = &options["preconditions"][field];
        if !wanted.is_null() && *wanted != live["metadata"][field] {
            return Err(Failure::stale(resource, name));
        }
    }
    if !ask.is_dry() && options["dryRun"].is_null() {
        store.forget(&key);
    }
    let details = json!({ "name": name, "group": resource.group, "kind": resource.plural, "uid": live["metadata"]["uid"] });
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details });
    Ok((200, body))
}

/// A write on its way.
struct Change {
    key: Key,
    live: Option<Value>,
    /// The object as it is to be.
    new: Value,
    /// What ownership is compared with.
    base: Value,
    /// The owners, where an apply has found them already.
    managers: Option<Managers>,
}

/// Completes an object, checks it, finds its owners, and keeps it.
fn finish(store: &mut Store, ask: &Ask, resource: &Resource, change: Change) -> Result<Answered, Failure> {
    let Change { key, live, mut new, base, managers } = change;
    let taken_over = taken_over(live.as_ref(), ask, &new);
    keep_what_is_not_theirs(ask, resource, live.as_ref(), &mut new);
    shape::prune(&resource.schema, &mut new);
    shape::fill(&resource.schema, &mut new);
    let mut wrong = misfits(&resource.schema, &new);
    wrong.extend(workloads::misfits(resource, &new));
    if !wrong.is_empty() {
        return Err(Failure::invalid(resource, &key.name, &wrong));
    }
    let managers = managers.or(taken_over).unwrap_or_else(|| {
        let (writer, time, api_version) = (writer(ask, false), store.time(), resource.api_version());
        let claim =
            Claim { schema: &resource.schema, writer: &writer, api_version: &api_version, now: &time };
        let mut managers = Managers::of(&base);
        // Defaults come before ownership is found, so that whoever brings them owns them. An apply is compared without.
        managers.update(&claim, &base, &new);
        managers
    });
    let metadata = &mut new["metadata"];
    metadata["managedFields"] = managers.written();
    let Some(live) = live else {
        metadata["uid"] = json!(format!("00000000-0000-4000-8000-{:012x}", store.version));
        metadata["creationTimestamp"] = json!(store.time());
        metadata["generation"] = json!(1);
        if ask.is_dry() {
            return Ok((201, new));
        }
        return Ok((201, store.keep(key, new)));
    };
    if ask.subresource.is_none() && is_new_generation(resource, &live, &new) {
        new["metadata"]["generation"] = json!(live["metadata"]["generation"].as_u64().unwrap_or(0) + 1);
    }
    if new == live || ask.is_dry() {
        return Ok((200, new));
    }
    Ok((200, store.keep(key, new)))
}

/// The owners that a patch of `managedFields` names, as clients write them that change from one way of writing to another
/// (`csaupgrade` of client-go). Read there, not measured.
fn taken_over(live: Option<&Value>, ask: &Ask, new: &Value) -> Option<Managers> {
    let said = &new["metadata"]["managedFields"];
    let is_changed = ask.method == "PATCH" && said.as_array().is_some_and(|said| !said.is_empty());
    live.filter(|live| is_changed && live["metadata"]["managedFields"] != *said).map(|_| Managers::of(new))
}

/// What the caller cannot change: the server's metadata, and either the status or everything but the status.
fn keep_what_is_not_theirs(ask: &Ask, resource: &Resource, live: Option<&Value>, new: &mut Value) {
    if let (Some("status"), Some(live)) = (ask.subresource.as_deref(), live) {
        let status = new.get("status").cloned();
        new.clone_from(live);
        put(new, "status", status);
        return;
    }
    if resource.has_status {
        put(new, "status", live.and_then(|live| live.get("status").cloned()));
    }
    for field in SERVERS {
        let kept = live.and_then(|live| live["metadata"].get(field).cloned());
        put(&mut new["metadata"], field, kept);
    }
}

fn put(object: &mut Value, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object[field] = value,
        None => drop(object.as_object_mut().map(|fields| fields.remove(field))),
    }
}

/// Metadata does not count, but for annotations of a Deployment; nor does a status that has a path of its own.
fn is_new_generation(resource: &Resource, live: &Value, new: &Value) -> bool {
    let counted = |object: &Value| {
        let mut object = object.clone();
        let annotations = object["metadata"].get("annotations").cloned();
        put(&mut object, "metadata", annotations.filter(|_| resource.qualified() == "deployments.apps"));
        if resource.has_status {
            put(&mut object, "status", None);
        }
        object
    };
    counted(live) != counted(new)
}

fn existing(store: &Store, ask: &Ask, resource: &Resource, name: &str) -> Result<(Key, Value), Failure> {
    let key = Key::of(resource, ask.namespace.as_deref(), name);
    let live = store.objects.get(&key).cloned();
    live.map(|live| (key, live)).ok_or_else(|| Failure::not_found(resource, name))
}

/// Of a built-in kind the path says what it is; of the others whoever writes must.
fn refuse_nameless(object: &Value, resource: &Resource) -> Result<(), Failure> {
    let missing = ["apiVersion", "kind"].into_iter().find(|field| object[*field].is_null());
    match missing.filter(|_| resource.is_custom) {
        Some(field) => Err(Failure::bad(format!("Object '{field}' is missing in the body of the request"))),
        None => Ok(()),
    }
}

/// Fills in what the path says already, and refuses what contradicts it.
fn identify(object: &mut Value, resource: &Resource, ask: &Ask) -> Result<(), Failure> {
    if !object.is_object() {
        return Err(Failure::bad("the body of the request is no object"));
    }
    for (field, expected) in [("apiVersion", resource.api_version()), ("kind", resource.kind.clone())] {
        match object[field].as_str() {
            None => object[field] = json!(expected),
            Some(said) if said == expected => {}
            Some(said) => {
                return Err(Failure::bad(format!(
                    "{field} of the object is {said:?}, the path says {expected:?}"
                )));
            }
        }
    }
    for (field, expected) in [("name", &ask.name), ("namespace", &ask.namespace)] {
        let Some(expected) = expected else { continue };
        match object["metadata"][field].as_str() {
            None => object["metadata"][field] = json!(expected),
            Some(said) if said == expected => {}
            Some(said) => {
                let message = format!(
                    "the {field} of the object ({said}) does not match that of the request ({expected})"
                );
                return Err(Failure::bad(message));
            }
        }
    }
    Ok(())
}

/// The object before anyone has said anything about it.
fn blank(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": { "name": metadata["name"], "namespace": metadata["namespace"] },
    })
}

fn check_version(resource: &Resource, name: &str, live: &Value, said: &Value) -> Result<(), Failure> {
    let version = &said["metadata"]["resourceVersion"];
    let is_stale = !version.is_null() && version != "" && *version != live["metadata"]["resourceVersion"];
    if is_stale { Err(Failure::stale(resource, name)) } else { Ok(()) }
}

fn of_fault(schema: &super::schema::Schema, object: &Value, fault: Fault) -> Vec<Misfit> {
    misfits(schema, object).into_iter().filter(|misfit| misfit.fault == fault).collect()
}

/// A strict create or replace.
fn refuse_unknown(ask: &Ask, unknown: &[Misfit]) -> Result<(), Failure> {
    if !ask.is_strict() || unknown.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> =
        unknown.iter().map(|misfit| format!("unknown field {:?}", misfit.field())).collect();
    Err(Failure::bad(format!("strict decoding error: {}", listed.join(", "))))
}

/// An apply whose fields are unknown or of another type is a failure of the server's own, whatever else was asked for.
fn refuse_untyped(resource: &Resource, ask: &Ask, name: &str, said: &Value) -> Result<(), Failure> {
    let wrong = misfits(&resource.schema, said);
    let wrong: Vec<String> = wrong
        .iter()
        .filter(|misfit| {
            matches!(misfit.fault, Fault::Undeclared | Fault::Type) || misfit.what.starts_with("associative")
        })
        .map(Misfit::sentence)
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let (namespace, version) = (ask.namespace.as_deref().unwrap_or_default(), resource.api_version());
    let listed = if wrong.len() == 1 { wrong.concat() } else { format!("errors:\n  {}", wrong.join("\n  ")) };
    let message = format!(
        "failed to create typed patch object ({namespace}/{name}; {version}, Kind={}): {listed}",
        resource.kind
    );
    Err(Failure::new(500, "", message))
}

fn writer(ask: &Ask, applies: bool) -> Writer {
    Writer { name: ask.manager(), applies, subresource: ask.subresource.clone() }
}
