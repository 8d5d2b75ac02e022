//! Commands in comments on pull requests: followed, refused, answered.

use std::fs;

use serde_json::{Value, json};

use crate::hosted::{Hosted, PULL, Step};

/// A canary that waits for a person with a tenth of the traffic.
const WAITS: &str = "        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }\n";

/// A repository whose production serves v0.1.0 and whose pull request brought v0.2.0, which waits for a person.
fn paused() -> Hosted {
    let hosted = Hosted::new();
    hosted.push().done.assert_code(0);
    let config = fs::read_to_string(hosted.bench.clone.path().join("tagship.yml")).unwrap();
    hosted.bench.clone.write("tagship.yml", config + WAITS);
    hosted.bench.put("v2");
    hosted.bench.push("Bring v2");
    hosted.propose(false);
    hosted.github.world(|world| {
        world.pulls.get_mut(&PULL).unwrap()["state"] = json!("closed");
        world.access.insert("ada".to_owned(), "write".to_owned());
    });
    let pushed = hosted.push();
    pushed.done.assert_code(0);
    assert_eq!(pushed.output("reason-code"), "digest-changed", "a pause is no failed step");
    assert!(status_comment(&hosted).contains("v0.2.0"), "{}", status_comment(&hosted));
    hosted
}

/// Someone writes a comment, and the workflow that listens to comments runs.
fn say(hosted: &Hosted, author: &str, text: &str) -> (u64, Step) {
    let id = hosted.github.world(|world| world.add_comment(PULL, author, text));
    let payload: Value = json!({
        "action": "created", "repository": { "default_branch": "main", "full_name": "acme/shop" },
        "sender": { "login": author, "type": "User" },
        "issue": { "number": PULL, "state": "closed", "pull_request": {} },
        "comment": {
            "id": id, "body": text, "created_at": "2026-11-24T12:00:00Z",
            "user": { "login": author, "type": if author.ends_with("[bot]") { "Bot" } else { "User" } },
        },
    });
    (id, hosted.step(&["run"], "issue_comment", &payload))
}

/// Our comments other than the status: the answers.
fn answers(hosted: &Hosted) -> Vec<String> {
    hosted.github.world(|world| {
        let bodies = world.comment_bodies(PULL).into_iter();
        bodies.filter(|body| body.starts_with("<!-- tagship:answer")).map(str::to_owned).collect()
    })
}

fn status_comment(hosted: &Hosted) -> String {
    hosted.github.world(|world| {
        let bodies = world.comment_bodies(PULL).into_iter();
        bodies.filter(|body| body.starts_with("<!-- tagship:status ")).map(str::to_owned).collect()
    })
}

fn reactions(hosted: &Hosted, comment: u64) -> Vec<String> {
    hosted.github.world(|world| {
        let of = world.reactions.iter().filter(|(id, _)| *id == comment);
        of.map(|(_, reaction)| reaction["content"].as_str().unwrap_or_default().to_owned()).collect()
    })
}

#[test]
fn a_promotion_is_followed_and_answered() {
    let hosted = paused();
    let (id, step) = say(&hosted, "ada", "/tagship promote\nlooks good");
    step.done.assert_code(0);
    assert_eq!(step.output("decision"), "promote");
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.2.0"));
    assert_eq!(reactions(&hosted, id), ["eyes", "rocket"]);
    let answers = answers(&hosted);
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers[0].contains("asked by ada"), "{}", answers[0]);
    assert!(status_comment(&hosted).contains("is live in production"));
}

#[test]
fn who_may_not_write_is_refused_and_changes_nothing() {
    let hosted = paused();
    hosted.github.world(|world| world.access.insert("mallory".to_owned(), "read".to_owned()));
    let before = hosted.bench.published();
    for (author, text) in [("mallory", "/tagship promote"), ("nobody", "/tagship rollback")] {
        let (id, step) = say(&hosted, author, text);
        step.done.assert_code(0);
        assert_eq!(step.output("decision"), "refused");
        assert_eq!(reactions(&hosted, id), ["confused"]);
    }
    assert!(
        answers(&hosted).iter().all(|answer| answer.contains("may not write")),
        "{:#?}",
        answers(&hosted)
    );
    for (author, text) in [("renovate[bot]", "/tagship promote"), ("ada", "thanks!\n/tagship promote")] {
        let (id, step) = say(&hosted, author, text);
        step.done.assert_code(0);
        assert_eq!(step.output("decision"), "skip");
        assert!(reactions(&hosted, id).is_empty());
    }
    assert_eq!(answers(&hosted).len(), 2, "what is no command gets no answer");
    assert_eq!(hosted.bench.published(), before);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn a_lock_a_question_and_a_mistake_are_answered() {
    let hosted = paused();
    say(&hosted, "ada", "/tagship lock incident 12").1.done.assert_code(0);
    say(&hosted, "ada", "/tagship status").1.done.assert_code(0);
    say(&hosted, "ada", "/tagship promot").1.done.assert_code(0);
    say(&hosted, "ada", "/tagship help").1.done.assert_code(0);
    let all = answers(&hosted);
    assert!(all[0].contains("production is locked"), "{}", all[0]);
    assert!(all[1].contains("v0.1.0") && all[1].contains("incident 12"), "{}", all[1]);
    assert!(all[2].contains("Not done") && all[2].contains("promote-full"), "{}", all[2]);
    assert!(all[3].contains("/tagship rollback"), "{}", all[3]);
    let (_, step) = say(&hosted, "ada", "/tagship unlock");
    assert_eq!(step.output("reason-code"), "unlocked");
}

#[test]
fn a_command_on_another_pull_request_says_where_to_go() {
    let hosted = paused();
    hosted.github.world(|world| {
        world.add_pull(8, &"c".repeat(40), false);
        world.pulls.get_mut(&8).unwrap()["state"] = json!("closed");
    });
    let id = hosted.github.world(|world| world.add_comment(8, "ada", "/tagship promote"));
    let payload = json!({
        "action": "created", "repository": { "default_branch": "main", "full_name": "acme/shop" },
        "issue": { "number": 8, "state": "closed", "pull_request": {} },
        "comment": { "id": id, "body": "/tagship promote", "created_at": "2026-11-24T12:00:00Z",
            "user": { "login": "ada", "type": "User" } },
    });
    let step = hosted.step(&["run"], "issue_comment", &payload);
    step.done.assert_code(0);
    assert_eq!(step.output("reason-code"), "another-pull-request");
    let said = hosted.github.world(|world| world.comment_bodies(8).concat());
    assert!(said.contains("was brought by #") && said.contains("say it on #"), "{said}");
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"));
}
