//! Issues, pull requests, comments, reactions, permissions, dispatches.

use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, shape, world::World};

/// Longest text of a comment or issue, in characters.
const LONGEST: usize = 65_536;

pub(super) fn issues(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", []) => list(world, ask),
        ("POST", []) => open(world, ask),
        ("PATCH", [number]) => change(world, ask, number),
        ("GET", [number, "comments"]) => {
            let Some(number) = known(world, number) else { return Answer::not_found() };
            let of_issue = world.comments.iter().filter(|(issue, _)| *issue == number);
            Answer::page(ask, of_issue.map(|(_, comment)| comment.clone()).collect(), None)
        }
        ("POST", [number, "comments"]) => comment(world, ask, number),
        ("PATCH", ["comments", id]) => change_comment(world, ask, id),
        ("DELETE", ["comments", id]) => {
            let before = world.comments.len();
            world.comments.retain(|(_, comment)| !shape::has_id(comment, id));
            if world.comments.len() == before { Answer::not_found() } else { Answer::nothing() }
        }
        ("POST", ["comments", id, "reactions"]) => react(world, ask, id),
        _ => Answer::not_found(),
    }
}

pub(super) fn pull(world: &World, number: &str) -> Answer {
    let number = number.parse().ok();
    number
        .and_then(|number: u64| world.pulls.get(&number).cloned())
        .map_or_else(Answer::not_found, Answer::ok)
}

pub(super) fn permission(world: &World, login: &str) -> Answer {
    // Someone who is no collaborator of a public repository may read it; an unknown login does not exist.
    let Some(access) = world.access.get(login) else { return Answer::not_found() };
    let mut user = shape::user(login);
    user["role_name"] = json!(access);
    Answer::ok(json!({ "permission": access, "role_name": access, "user": user }))
}

pub(super) fn dispatch(world: &mut World, ask: &Ask, workflow: Option<&str>) -> Answer {
    if let Some(workflow) = workflow
        && !world.workflows.contains(workflow)
    {
        return Answer::not_found();
    }
    let wanted = if workflow.is_some() { "ref" } else { "event_type" };
    if ask.text(wanted).is_none() {
        return Answer::error(422, &format!("Invalid request. {wanted:?} wasn't supplied."));
    }
    world.dispatches.push((workflow.map(str::to_owned), ask.body.clone()));
    Answer::nothing()
}

fn known(world: &World, number: &str) -> Option<u64> {
    number.parse().ok().filter(|number| world.issues.contains_key(number))
}

fn list(world: &World, ask: &Ask) -> Answer {
    let (state, creator) = (ask.query("state").unwrap_or("open"), ask.query("creator"));
    let fits = |issue: &&Value| {
        (state == "all" || issue["state"] == state)
            && creator.is_none_or(|creator| issue["user"]["login"] == creator)
    };
    // The newest first.
    let found = world.issues.values().rev().filter(fits).cloned().collect();
    Answer::page(ask, found, None)
}

fn open(world: &mut World, ask: &Ask) -> Answer {
    let number = world.issues.keys().last().copied().unwrap_or(0) + 1;
    let (title, body) = (ask.text("title").unwrap_or_default(), ask.text("body").unwrap_or_default());
    if body.chars().count() > LONGEST {
        return Answer::invalid(
            "Issue",
            "body",
            "too_long",
            "body is too long (maximum is 65536 characters)",
        );
    }
    let mut issue = shape::issue(world, number, title, body);
    issue["labels"] = ask.body.get("labels").cloned().unwrap_or_else(|| json!([]));
    world.issues.insert(number, issue.clone());
    Answer::created(issue)
}

fn change(world: &mut World, ask: &Ask, number: &str) -> Answer {
    let Some(issue) = known(world, number).and_then(|number| world.issues.get_mut(&number)) else {
        return Answer::not_found();
    };
    shape::merge(issue, Some(&ask.body));
    Answer::ok(issue.clone())
}

fn comment(world: &mut World, ask: &Ask, number: &str) -> Answer {
    let Some(number) = known(world, number) else { return Answer::not_found() };
    if world.locked.contains(&number) {
        return Answer::error(403, "Unable to create comment because issue is locked.");
    }
    let body = ask.text("body").unwrap_or_default();
    if body.chars().count() > LONGEST {
        return Answer::invalid(
            "IssueComment",
            "body",
            "custom",
            "body is too long (maximum is 65536 characters)",
        );
    }
    let comment = shape::comment(world, number, &world.login.clone(), body);
    world.comments.push((number, comment.clone()));
    Answer::created(comment)
}

fn change_comment(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let found = world.comments.iter_mut().find(|(_, comment)| shape::has_id(comment, id));
    let Some((_, comment)) = found else { return Answer::not_found() };
    shape::merge(comment, Some(&ask.body));
    Answer::ok(comment.clone())
}

fn react(world: &mut World, ask: &Ask, id: &str) -> Answer {
    let Some(id) = id
        .parse()
        .ok()
        .filter(|id: &u64| world.comments.iter().any(|(_, comment)| comment["id"].as_u64() == Some(*id)))
    else {
        return Answer::not_found();
    };
    let content = ask.body["content"].clone();
    let there = world.reactions.iter().find(|(comment, there)| *comment == id && there["content"] == content);
    if let Some((_, there)) = there {
        return Answer::ok(there.clone());
    }
    let number = world.next_id();
    let reaction = json!({
        "id": number, "node_id": "RX_1", "user": shape::user(&world.login), "content": content,
        "created_at": world.time(),
    });
    world.reactions.push((id, reaction.clone()));
    Answer::created(reaction)
}
