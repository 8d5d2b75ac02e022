//! Commits as people look at them: checks, statuses, pull requests, files; deployments.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, shape, world::World};

pub(super) fn commits(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match segments {
        [sha, "pulls"] => {
            let Some(sha) = resolve(world, sha) else { return no_commit(sha) };
            let numbers = world.pulls_of.get(&sha).into_iter().flatten();
            let found = numbers.filter_map(|number| world.pulls.get(number).cloned()).collect();
            Answer::page(ask, found, None)
        }
        [sha, "check-runs"] => {
            let Some(sha) = resolve(world, sha) else { return no_commit(sha) };
            Answer::page(ask, check_runs(world, ask, &sha), Some(("check_runs", json!({}))))
        }
        [sha, "status"] => {
            let Some(sha) = resolve(world, sha) else { return no_commit(sha) };
            let mut newest: BTreeMap<String, Value> = BTreeMap::new();
            for (_, status) in world.statuses.iter().filter(|(there, _)| *there == sha) {
                newest.insert(status["context"].to_string(), status.clone());
            }
            let around = json!({
                "state": "pending", "sha": sha, "repository": shape::repository(world),
                "commit_url": "https://example.org/x", "url": "https://example.org/x",
            });
            Answer::page(ask, newest.into_values().collect(), Some(("statuses", around)))
        }
        rest => {
            let name = rest.join("/");
            match resolve(world, &name).and_then(|sha| world.commits.get(&sha)) {
                Some(commit) => Answer::ok(json!({
                    "sha": commit["sha"], "node_id": "C_1", "url": "https://example.org/x",
                    "html_url": "https://example.org/x", "comments_url": "https://example.org/x",
                    "author": shape::user("ada"), "committer": shape::user("ada"), "parents": commit["parents"],
                    "commit": {
                        "author": commit["author"], "committer": commit["committer"],
                        "message": commit["message"], "tree": commit["tree"], "comment_count": 0,
                        "url": "https://example.org/x",
                    },
                })),
                None => no_commit(&name),
            }
        }
    }
}

/// What a revision names: a commit's id or its beginning, a branch, a tag.
pub(super) fn resolve(world: &World, name: &str) -> Option<String> {
    if world.commits.contains_key(name) {
        return Some(name.to_owned());
    }
    let head = if name == "HEAD" { "main" } else { name };
    let reference =
        ["refs/heads/", "refs/tags/"].iter().find_map(|place| world.refs.get(&format!("{place}{head}")));
    if let Some(sha) = reference {
        let tag = world.tags.get(sha).and_then(|tag| tag["object"]["sha"].as_str());
        return Some(tag.unwrap_or(sha).to_owned());
    }
    let mut begin = world.commits.keys().filter(|id| name.len() >= 7 && id.starts_with(name));
    begin.next().filter(|_| begin.next().is_none()).cloned()
}

/// Runs that wait for approval, which is all that is known of runs.
pub(super) fn waiting(world: &World, ask: &Ask) -> Answer {
    let wanted = |sha: &str| ask.query("head_sha").is_none_or(|wanted| wanted == sha);
    let waits = ask.query("status") == Some("waiting");
    let runs = world.waiting.iter().filter(|(_, sha, _)| waits && wanted(sha));
    let runs = runs.map(|(id, sha, _)| shape::workflow_run(world, *id, sha)).collect();
    Answer::page(ask, runs, Some(("workflow_runs", json!({}))))
}

pub(super) fn pending(world: &World, id: &str) -> Answer {
    let of = world.waiting.iter().filter(|(there, ..)| there.to_string() == id);
    Answer::ok(of.flat_map(|(_, _, pending)| pending.clone()).collect())
}

fn no_commit(name: &str) -> Answer {
    Answer::error(422, &format!("No commit found for SHA: {name}"))
}

fn check_runs(world: &World, ask: &Ask, sha: &str) -> Vec<Value> {
    let name = ask.query("check_name");
    let fits = |run: &&Value| run["head_sha"] == sha && name.is_none_or(|name| run["name"] == name);
    let of_commit = world.check_runs.iter().filter(fits);
    if ask.query("filter") == Some("all") {
        return of_commit.cloned().collect();
    }
    let mut latest: BTreeMap<String, Value> = BTreeMap::new();
    for run in of_commit {
        // Runs of another app or workflow are others of the same name.
        latest.insert(format!("{} {}", run["name"], run["check_suite"]), run.clone());
    }
    latest.into_values().collect()
}

pub(super) fn add_check_run(world: &mut World, ask: &Ask) -> Answer {
    let run = shape::check_run(world, &ask.body);
    world.check_runs.push(run.clone());
    Answer::created(run)
}

pub(super) fn change_check_run(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let Some(run) = world.check_runs.iter_mut().find(|run| shape::has_id(run, id)) else {
        return Answer::not_found();
    };
    let mut output = run["output"].clone();
    shape::merge(&mut output, ask.body.get("output"));
    shape::merge(run, Some(&ask.body));
    run["output"] = output;
    Answer::ok(run.clone())
}

pub(super) fn add_status(world: &mut World, ask: &Ask, sha: &str) -> Answer {
    if !world.commits.contains_key(sha) {
        return no_commit(sha);
    }
    if ask.text("description").is_some_and(|text| text.chars().count() > 140) {
        return Answer::invalid(
            "Status",
            "description",
            "custom",
            "description is too long (maximum is 140)",
        );
    }
    let status = shape::status(world, &ask.body);
    world.statuses.push((sha.to_owned(), status.clone()));
    Answer::created(status)
}

pub(super) fn contents(world: &World, ask: &Ask, path: &[&str]) -> Answer {
    let path = path.join("/");
    let commit =
        ask.query("ref").and_then(|name| resolve(world, name)).and_then(|sha| world.commits.get(&sha));
    let tree = commit.and_then(|commit| world.trees.get(commit["tree"]["sha"].as_str()?));
    let Some(tree) = tree else { return Answer::error(404, "No commit found for the ref") };
    if let Some(bytes) = tree.get(&path).and_then(|blob| world.blobs.get(blob)) {
        let name = path.rsplit('/').next().unwrap_or_default();
        // Larger files come without their content.
        let (content, encoding) =
            if bytes.len() > 1 << 20 { (String::new(), "none") } else { (STANDARD.encode(bytes), "base64") };
        return Answer::ok(json!({
            "type": "file", "name": name, "path": path, "sha": tree[&path], "size": bytes.len(),
            "content": content, "encoding": encoding, "url": "https://example.org/x",
            "git_url": null, "html_url": null, "download_url": null,
            "_links": { "git": null, "html": null, "self": "https://example.org/x" },
        }));
    }
    let below = format!("{path}/");
    if tree.keys().any(|there| there.starts_with(&below)) {
        Answer::ok(json!([]))
    } else {
        Answer::not_found()
    }
}

pub(super) fn deployments(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", []) => {
            let wanted = |field: &str, deployment: &Value| {
                ask.query(field).is_none_or(|wanted| deployment[field] == wanted)
            };
            let fits = |deployment: &&Value| wanted("environment", deployment) && wanted("sha", deployment);
            let found = world.deployments.iter().rev().filter(fits).cloned().collect();
            Answer::page(ask, found, None)
        }
        ("POST", []) => deploy(world, ask),
        ("GET", [id, "statuses"]) => {
            let of = world.deployment_statuses.iter().rev().filter(|(there, _)| there.to_string() == *id);
            Answer::page(ask, of.map(|(_, status)| status.clone()).collect(), None)
        }
        ("POST", [id, "statuses"]) => add_deployment_status(world, ask, id),
        ("DELETE", [id]) => remove_deployment(world, id),
        _ => Answer::not_found(),
    }
}

fn deploy(world: &mut World, ask: &Ask) -> Answer {
    if resolve(world, ask.text("ref").unwrap_or_default()).is_none() {
        return Answer::error(422, &format!("No ref found for: {}", ask.body["ref"]));
    }
    if ask.body["auto_merge"] != json!(false) {
        return Answer::error(409, "Conflict merging main into the ref");
    }
    if ask.body["required_contexts"] != json!([]) {
        return Answer::error(409, "Conflict: Commit status checks failed for the ref");
    }
    let deployment = shape::deployment(world, &ask.body);
    world.deployments.push(deployment.clone());
    Answer::created(deployment)
}

fn remove_deployment(world: &mut World, id: &str) -> Answer {
    let Some(at) = world.deployments.iter().position(|there| shape::has_id(there, id)) else {
        return Answer::not_found();
    };
    if world.deployments.len() > 1 && world.deployment_states()[at] != "inactive" {
        return Answer::error(422, "We cannot delete an active deployment unless it is the only deployment.");
    }
    world.deployments.remove(at);
    world.deployment_statuses.retain(|(there, _)| there.to_string() != id);
    Answer::nothing()
}

fn add_deployment_status(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let Some(deployment) = world.deployments.iter().find(|there| shape::has_id(there, id)).cloned() else {
        return Answer::not_found();
    };
    if ask.text("description").is_some_and(|text| text.chars().count() > 140) {
        return Answer::invalid("DeploymentStatus", "description", "custom", "description is too long");
    }
    let id = deployment["id"].as_u64().unwrap_or_default();
    if ask.body["state"] == "success" && ask.body["auto_inactive"] != json!(false) {
        end_earlier(world, &deployment);
    }
    let status = shape::deployment_status(world, &ask.body);
    world.deployment_statuses.push((id, status.clone()));
    Answer::created(status)
}

/// What the host does by itself: earlier, lasting, non-production deployments of the environment end.
fn end_earlier(world: &mut World, deployment: &Value) {
    let states: Vec<String> = world.deployment_states().into_iter().map(str::to_owned).collect();
    let others: Vec<u64> = world
        .deployments
        .iter()
        .zip(&states)
        .filter(|(other, state)| {
            other["environment"] == deployment["environment"]
                && other["id"] != deployment["id"]
                && other["production_environment"] == json!(false)
                && state.as_str() == "success"
        })
        .filter_map(|(other, _)| other["id"].as_u64())
        .collect();
    for id in others {
        let status = shape::deployment_status(world, &json!({ "state": "inactive" }));
        world.deployment_statuses.push((id, status));
    }
}
