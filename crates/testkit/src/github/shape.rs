//! Things as GitHub's published description has them, with every field that it demands.

use serde_json::{Value, json};

use super::world::{REPOSITORY, World};

/// Puts one address into many fields.
pub(super) fn with_urls(mut value: Value, fields: &str) -> Value {
    for field in fields.split_whitespace() {
        value[field] = json!("https://example.org/x");
    }
    value
}

pub(super) fn user(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let user = json!({
        "login": login, "id": 1, "node_id": "U_1", "type": kind, "site_admin": false, "gravatar_id": "",
    });
    with_urls(
        user,
        "avatar_url events_url followers_url following_url gists_url html_url organizations_url \
         received_events_url repos_url starred_url subscriptions_url url",
    )
}

pub(super) fn person(name: &str, email: &str, date: &str) -> Value {
    json!({ "name": name, "email": email, "date": date })
}

pub(super) fn repository(world: &World) -> Value {
    let (owner, name) = REPOSITORY.split_once('/').unwrap_or_default();
    let time = world.time();
    let repository = json!({
        "id": 1, "node_id": "R_1", "name": name, "full_name": REPOSITORY, "owner": user(owner),
        "description": null, "fork": false, "private": false, "default_branch": "main", "forks": 0,
        "forks_count": 0, "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false,
        "has_discussions": false, "has_downloads": true, "homepage": null, "language": null, "archived": world.archived,
        "disabled": false, "mirror_url": null, "open_issues": 0, "open_issues_count": 0, "license": null,
        "pushed_at": time, "size": 1, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
        "created_at": time, "updated_at": time, "network_count": 0, "subscribers_count": 0,
    });
    with_urls(
        repository,
        "archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url compare_url \
         contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url \
         git_refs_url git_tags_url hooks_url html_url issue_comment_url issue_events_url issues_url keys_url \
         labels_url languages_url merges_url milestones_url notifications_url pulls_url releases_url \
         stargazers_url statuses_url subscribers_url subscription_url tags_url teams_url trees_url url clone_url \
         git_url ssh_url svn_url",
    )
}

pub(super) fn issue(world: &mut World, number: u64, title: &str, body: &str) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let issue = json!({
        "id": id, "node_id": format!("I_{id}"), "number": number, "title": title, "body": body,
        "state": "open", "locked": false, "user": user(&world.login), "labels": [], "assignee": null,
        "milestone": null, "comments": 0, "closed_at": null, "created_at": time, "updated_at": time,
        "author_association": "NONE", "state_reason": null,
    });
    with_urls(issue, "comments_url events_url html_url labels_url repository_url url")
}

pub(super) fn pull(world: &mut World, number: u64, head: &str, from_fork: bool) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let mut repository = repository(world);
    let base = repository.clone();
    if from_fork {
        repository["full_name"] = json!("someone/shop");
    }
    let branch = |sha: &str, repository: Value| json!({ "label": "x:y", "ref": "y", "sha": sha, "user": user("ada"), "repo": repository });
    let links =
        ["comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self"];
    let links: serde_json::Map<String, Value> =
        links.iter().map(|name| ((*name).to_owned(), json!({ "href": "https://example.org/x" }))).collect();
    let pull = json!({
        "id": id, "node_id": format!("PR_{id}"), "number": number, "title": "A pull request", "body": null,
        "state": "open", "locked": false, "user": user("ada"), "labels": [], "assignee": null,
        "milestone": null, "head": branch(head, repository), "base": branch(&"0".repeat(40), base),
        "created_at": time, "updated_at": time, "closed_at": null, "merged_at": null, "merge_commit_sha": null,
        "author_association": "NONE", "auto_merge": null, "_links": links, "additions": 1, "changed_files": 1,
        "comments": 0, "commits": 1, "deletions": 0, "mergeable": true, "mergeable_state": "clean",
        "merged": false, "maintainer_can_modify": false, "merged_by": null, "review_comments": 0,
    });
    with_urls(
        pull,
        "comments_url commits_url diff_url html_url issue_url patch_url review_comment_url review_comments_url \
         statuses_url url",
    )
}

pub(super) fn comment(world: &mut World, issue: u64, login: &str, body: &str) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let comment = json!({
        "id": id, "node_id": format!("IC_{id}"), "body": body, "user": user(login), "created_at": time,
        "updated_at": time, "author_association": "NONE",
        "issue_url": format!("{}/repos/{REPOSITORY}/issues/{issue}", world.base),
    });
    with_urls(comment, "html_url url")
}

pub(super) fn reference(world: &World, name: &str, sha: &str) -> Value {
    let kind = if world.tags.contains_key(sha) { "tag" } else { "commit" };
    let object = with_urls(json!({ "type": kind, "sha": sha }), "url");
    with_urls(json!({ "ref": name, "node_id": "REF_1", "object": object }), "url")
}

pub(super) fn release(world: &mut World, tag: &str) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let uploads = world.base.replace("/api/v3", "/api/uploads");
    let release = json!({
        "id": id, "node_id": format!("RE_{id}"), "tag_name": tag, "target_commitish": "main", "name": null,
        "body": null, "draft": false, "prerelease": false, "immutable": false, "created_at": time,
        "published_at": null, "author": user(&world.login), "assets": [],
        "upload_url": format!("{uploads}/repos/{REPOSITORY}/releases/{id}/assets{{?name,label}}"),
    });
    with_urls(release, "assets_url html_url tarball_url zipball_url url")
}

pub(super) fn asset(world: &mut World, name: &str, media: &str, size: usize, digest: Option<&str>) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let asset = json!({
        "id": id, "node_id": format!("RA_{id}"), "name": name, "label": null, "content_type": media,
        "size": size, "digest": digest, "state": "uploaded", "download_count": 0,
        "uploader": user(&world.login), "created_at": time, "updated_at": time,
    });
    with_urls(asset, "browser_download_url url")
}

pub(super) fn deployment(world: &mut World, fields: &Value) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let or = |field: &str, default: Value| fields.get(field).cloned().unwrap_or(default);
    let deployment = json!({
        "id": id, "node_id": format!("DE_{id}"), "sha": or("ref", json!("")), "ref": or("ref", json!("")),
        "task": or("task", json!("deploy")), "environment": or("environment", json!("production")),
        "payload": or("payload", json!({})), "description": or("description", Value::Null),
        "creator": user(&world.login), "created_at": time, "updated_at": time,
        "transient_environment": or("transient_environment", json!(false)),
        "production_environment": or("production_environment", json!(false)),
    });
    with_urls(deployment, "repository_url statuses_url url")
}

pub(super) fn deployment_status(world: &mut World, fields: &Value) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut status = json!({
        "id": id, "node_id": format!("DES_{id}"), "state": text("state"), "description": text("description"),
        "log_url": text("log_url"), "target_url": text("log_url"),
        "environment": text("environment"), "creator": user(&world.login), "created_at": time,
        "updated_at": time,
    });
    if let Some(url) = fields.get("environment_url") {
        status["environment_url"] = url.clone();
    }
    with_urls(status, "deployment_url repository_url url")
}

pub(super) fn check_run(world: &mut World, fields: &Value) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let or = |field: &str, default: Value| fields.get(field).cloned().unwrap_or(default);
    let mut output = json!({
        "title": null, "summary": null, "text": null, "annotations_count": 0,
        "annotations_url": "https://example.org/x",
    });
    merge(&mut output, fields.get("output"));
    let completed = fields.get("conclusion").is_some();
    let status = if completed { json!("completed") } else { or("status", json!("queued")) };
    json!({
        "id": id, "node_id": format!("CR_{id}"), "head_sha": or("head_sha", json!("")),
        "name": or("name", json!("")), "url": "https://example.org/x", "html_url": null,
        "details_url": or("details_url", Value::Null), "external_id": or("external_id", json!("")),
        "status": status, "conclusion": or("conclusion", Value::Null), "started_at": time,
        "completed_at": if completed { json!(time) } else { Value::Null }, "check_suite": { "id": 1 },
        "output": output, "app": null, "pull_requests": [],
    })
}

pub(super) fn status(world: &mut World, fields: &Value) -> Value {
    let (id, time) = (world.next_id(), world.time());
    let or = |field: &str, default: Value| fields.get(field).cloned().unwrap_or(default);
    json!({
        "id": id, "node_id": format!("ST_{id}"), "state": or("state", json!("pending")),
        "context": or("context", json!("default")), "description": or("description", Value::Null),
        "target_url": or("target_url", Value::Null), "avatar_url": null, "url": "https://example.org/x",
        "created_at": time, "updated_at": time, "creator": user(&world.login),
    })
}

pub(super) fn workflow_run(world: &World, id: u64, sha: &str) -> Value {
    let (repository, time) = (repository(world), world.time());
    let person = json!({ "name": "Ada", "email": "ada@example.com" });
    let run = json!({
        "id": id, "node_id": format!("WFR_{id}"), "name": "deliver", "head_branch": "main", "head_sha": sha,
        "path": ".github/workflows/deliver.yml", "run_number": 1, "run_attempt": 1, "event": "push",
        "display_title": "A commit", "status": "waiting", "conclusion": null, "workflow_id": 1,
        "created_at": time, "updated_at": time, "pull_requests": [], "repository": repository,
        "head_repository": repository,
        "head_commit": {
            "id": sha, "tree_id": sha, "message": "A commit", "timestamp": time, "author": person, "committer": person,
        },
    });
    with_urls(
        run,
        "url html_url jobs_url logs_url check_suite_url cancel_url rerun_url artifacts_url workflow_url",
    )
}

pub(super) fn pending_deployment(environment: &str, people: &[&str], team: Option<&str>) -> Value {
    let team = team.map(|name| {
        let team = json!({
            "id": 1, "node_id": "T_1", "name": name, "slug": name, "description": null, "permission": "pull",
            "parent": null, "type": "organization", "organization_id": 1,
        });
        let team = with_urls(team, "url html_url members_url repositories_url");
        json!({ "type": "Team", "reviewer": team })
    });
    let people = people.iter().map(|login| json!({ "type": "User", "reviewer": user(login) }));
    json!({
        "environment": with_urls(json!({ "id": 1, "node_id": "EN_1", "name": environment }), "url html_url"),
        "wait_timer": 0, "wait_timer_started_at": null, "current_user_can_approve": false,
        "reviewers": people.chain(team).collect::<Vec<_>>(),
    })
}

/// Whether a thing has the id that stands in an address.
pub(super) fn has_id(thing: &Value, id: &str) -> bool {
    id.parse().is_ok_and(|id: u64| thing["id"].as_u64() == Some(id))
}

/// Takes over the fields that are given.
pub(super) fn merge(into: &mut Value, fields: Option<&Value>) {
    for (key, value) in fields.and_then(Value::as_object).into_iter().flatten() {
        into[key.as_str()] = value.clone();
    }
}
