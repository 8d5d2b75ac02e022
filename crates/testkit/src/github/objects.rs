//! Git objects and references.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    ask::Ask,
    shape,
    world::{World, hash},
};

const URL: &str = "https://example.org/x";

pub(super) fn answer(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("POST", ["blobs"]) => add_blob(world, ask),
        ("GET", ["blobs", id]) => blob(world, id),
        ("POST", ["trees"]) => add_tree(world, ask),
        ("GET", ["trees", id]) => tree(world, id),
        ("POST", ["commits"]) => commit_of(world, ask),
        ("GET", ["commits", id]) => {
            world.commits.get(*id).cloned().map_or_else(Answer::not_found, Answer::ok)
        }
        ("POST", ["tags"]) => add_tag(world, ask),
        ("GET", ["tags", id]) => world.tags.get(*id).cloned().map_or_else(Answer::not_found, Answer::ok),
        ("GET", ["ref", rest @ ..]) => {
            let name = format!("refs/{}", rest.join("/"));
            let found = world.refs.get(&name).map(|sha| shape::reference(world, &name, sha));
            found.map_or_else(Answer::not_found, Answer::ok)
        }
        ("GET", ["matching-refs", rest @ ..]) => {
            let prefix = format!("refs/{}", rest.join("/"));
            let names = world.refs.iter().filter(|(name, _)| name.starts_with(&prefix));
            let found = names.map(|(name, sha)| shape::reference(world, name, sha)).collect();
            Answer::page(ask, found, None)
        }
        ("POST", ["refs"]) => create_ref(world, ask),
        ("PATCH", ["refs", rest @ ..]) => move_ref(world, ask, &format!("refs/{}", rest.join("/"))),
        _ => Answer::not_found(),
    }
}

/// Adds a commit, named by its content.
pub(super) fn add_commit(
    world: &mut World,
    tree: &str,
    parents: &[&str],
    message: &str,
    (author, committer): (&Value, &Value),
) -> String {
    let id = hash("commit", format!("{tree}{parents:?}{message}{author}{committer}").as_bytes());
    let parents: Vec<Value> =
        parents.iter().map(|parent| json!({ "sha": parent, "url": URL, "html_url": URL })).collect();
    let commit = json!({
        "sha": id, "node_id": "C_1", "url": URL, "html_url": URL, "author": author, "committer": committer,
        "tree": { "sha": tree, "url": URL }, "message": message, "parents": parents,
        "verification": {
            "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
        },
    });
    world.commits.insert(id.clone(), commit);
    id
}

/// Whether a commit is another one or comes before it.
pub(super) fn leads_to(world: &World, older: &str, newer: &str) -> bool {
    let mut open = vec![newer.to_owned()];
    while let Some(id) = open.pop() {
        if id == older {
            return true;
        }
        let parents = world.commits.get(&id).and_then(|commit| commit["parents"].as_array());
        open.extend(
            parents.into_iter().flatten().filter_map(|parent| Some(parent["sha"].as_str()?.to_owned())),
        );
    }
    false
}

fn add_blob(world: &mut World, ask: &Ask) -> Answer {
    let content = ask.text("content").unwrap_or_default();
    let bytes = match ask.text("encoding") {
        Some("base64") => STANDARD.decode(content).unwrap_or_default(),
        _ => content.as_bytes().to_vec(),
    };
    let id = hash("blob", &bytes);
    world.blobs.insert(id.clone(), bytes);
    Answer::created(json!({ "sha": id, "url": URL }))
}

fn blob(world: &World, id: &str) -> Answer {
    let Some(bytes) = world.blobs.get(id) else { return Answer::not_found() };
    // The host breaks lines, at 60 characters.
    let encoded = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Answer::ok(json!({
        "sha": id, "node_id": "B_1", "size": bytes.len(), "url": URL, "encoding": "base64",
        "content": lines.join("\n") + "\n",
    }))
}

fn add_tree(world: &mut World, ask: &Ask) -> Answer {
    let Some(entries) = ask.body["tree"].as_array().filter(|entries| !entries.is_empty()) else {
        return Answer::error(422, "Invalid tree info");
    };
    let mut tree = BTreeMap::new();
    for entry in entries {
        let Some(path) = entry["path"].as_str().filter(|_| entry["mode"] == "100644") else {
            return Answer::error(422, "tree.path or tree.mode is wrong");
        };
        let id = match (entry["content"].as_str(), entry["sha"].as_str()) {
            (Some(text), None) => {
                let id = hash("blob", text.as_bytes());
                world.blobs.insert(id.clone(), text.as_bytes().to_vec());
                id
            }
            (None, Some(id)) if world.blobs.contains_key(id) => id.to_owned(),
            _ => return Answer::error(422, "tree.sha is not a valid blob"),
        };
        tree.insert(path.to_owned(), id);
    }
    let id = world.add_entries(tree);
    let mut answer = self::tree(world, &id);
    answer.status = 201;
    answer
}

fn tree(world: &World, id: &str) -> Answer {
    let Some(entries) = world.trees.get(id) else { return Answer::not_found() };
    let entries: Vec<Value> = entries
        .iter()
        .map(|(path, blob)| {
            let size = world.blobs.get(blob).map(Vec::len);
            json!({ "path": path, "mode": "100644", "type": "blob", "sha": blob, "size": size, "url": URL })
        })
        .collect();
    Answer::ok(json!({ "sha": id, "url": URL, "tree": entries, "truncated": false }))
}

fn commit_of(world: &mut World, ask: &Ask) -> Answer {
    let parents: Vec<&str> =
        ask.body["parents"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let tree = ask.text("tree").unwrap_or_default().to_owned();
    if !world.trees.contains_key(&tree) {
        return Answer::error(422, "Tree SHA does not exist");
    }
    if let Some(absent) = parents.iter().find(|parent| !world.commits.contains_key(**parent)) {
        return Answer::error(422, &format!("Parent SHA does not exist or is not a commit object: {absent}"));
    }
    let people = (&ask.body["author"], &ask.body["committer"]);
    let id = add_commit(world, &tree, &parents, ask.text("message").unwrap_or_default(), people);
    world.commits.get(&id).cloned().map_or_else(Answer::not_found, Answer::created)
}

fn add_tag(world: &mut World, ask: &Ask) -> Answer {
    let object = ask.text("object").unwrap_or_default();
    if !world.commits.contains_key(object) {
        return Answer::error(422, "Object does not exist");
    }
    let id = hash("tag", ask.body.to_string().as_bytes());
    let tag = json!({
        "sha": id, "node_id": "T_1", "url": URL, "tag": ask.body["tag"], "message": ask.body["message"],
        "tagger": ask.body["tagger"], "object": { "sha": object, "type": ask.body["type"], "url": URL },
    });
    world.tags.insert(id, tag.clone());
    Answer::created(tag)
}

fn create_ref(world: &mut World, ask: &Ask) -> Answer {
    let (name, sha) = (ask.text("ref").unwrap_or_default(), ask.text("sha").unwrap_or_default());
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        return Answer::error(422, "Reference name must start with 'refs' and have at least two slashes");
    }
    if world.tag_rule && name.starts_with("refs/tags/") {
        let message = "Repository rule violations found: creations being restricted";
        return Answer::invalid("Reference", "pre_receive", "custom", message);
    }
    if !world.commits.contains_key(sha) && !world.tags.contains_key(sha) {
        return Answer::error(422, "Object does not exist");
    }
    if world.refs.contains_key(name) {
        return Answer::error(422, "Reference already exists");
    }
    world.refs.insert(name.to_owned(), sha.to_owned());
    Answer::created(shape::reference(world, name, sha))
}

fn move_ref(world: &mut World, ask: &Ask, name: &str) -> Answer {
    let sha = ask.text("sha").unwrap_or_default();
    let Some(there) = world.refs.get(name) else { return Answer::error(422, "Reference does not exist") };
    if !world.commits.contains_key(sha) {
        return Answer::error(422, "Object does not exist");
    }
    if ask.body["force"] != json!(true) && !leads_to(world, there, sha) {
        return Answer::error(422, "Update is not a fast forward");
    }
    world.refs.insert(name.to_owned(), sha.to_owned());
    Answer::ok(shape::reference(world, name, sha))
}
