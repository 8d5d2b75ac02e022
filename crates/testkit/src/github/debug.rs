//! The host as a program of its own sees it from outside: everything it holds, what was asked of it, and its faults, below
//! `/debug`. The real host has nothing like it.

use serde_json::{Value, json};

use super::{Fault, Inner, answer::Answer, ask::Ask};

/// Answers what lies below `/debug`.
///
/// | request | what |
/// |---|---|
/// | `GET state` | everything that people see, and the references |
/// | `GET requests` | what was received, and how much of it counts against the limit |
/// | `DELETE requests` | forgets it |
/// | `POST pulls` `{number, head, from-fork}` | opens a pull request |
/// | `POST faults` `{fault, status, method, path, always}` | fails the next such request, or all |
/// | `DELETE faults` | fails no more |
pub(super) fn answer(inner: &mut Inner, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", ["state"]) => Answer::ok(state(inner)),
        ("GET", ["requests"]) => {
            let all: Vec<Value> = inner
                .received
                .iter()
                .map(|request| json!({ "method": request.method, "target": request.target, "status": request.status }))
                .collect();
            let counted = inner.received.iter().filter(|request| request.status != 304).count();
            Answer::ok(json!({ "counted": counted, "all": all }))
        }
        ("DELETE", ["requests"]) => {
            inner.received.clear();
            Answer::nothing()
        }
        ("POST", ["pulls"]) => {
            let number = ask.body["number"].as_u64().unwrap_or(1);
            inner.world.add_pull(number, ask.text("head").unwrap_or_default(), ask.body["from-fork"] == true);
            Answer::created(inner.world.pulls[&number].clone())
        }
        ("POST", ["faults"]) => {
            let Some(fault) = fault(ask) else { return Answer::error(422, "fault names none that is known") };
            let (method, path) = (ask.text("method").unwrap_or("*"), ask.text("path").unwrap_or_default());
            if ask.body["always"] == true {
                inner.faults.always(method, path, fault);
            } else {
                inner.faults.next(method, path, fault);
            }
            Answer::nothing()
        }
        ("DELETE", ["faults"]) => {
            inner.faults.clear();
            Answer::nothing()
        }
        _ => Answer::not_found(),
    }
}

fn state(inner: &Inner) -> Value {
    let world = &inner.world;
    json!({
        "refs": world.refs, "comments": world.comments, "reactions": world.reactions, "releases": world.releases,
        "deployments": world.deployments, "deployment_states": world.deployment_states(),
        "deployment_statuses": world.deployment_statuses, "statuses": world.statuses,
        "check_runs": world.check_runs, "issues": world.issues, "pulls": world.pulls, "dispatches": world.dispatches,
    })
}

fn fault(ask: &Ask) -> Option<Fault> {
    let status = || ask.body["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(500);
    let after = ask.body["after"].as_u64();
    Some(match ask.text("fault")? {
        "status" => Fault::Status(status()),
        "status-after" => Fault::StatusAfter(status()),
        "too-many" => Fault::TooMany(after),
        "secondary" => Fault::Secondary(after),
        "silence" => Fault::Silence,
        "cut-before" => Fault::CutBefore,
        "cut-after" => Fault::CutAfter,
        "half-answer" => Fault::HalfAnswer,
        "stale" => Fault::Stale,
        "garbage" => Fault::Garbage,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };

    use serde_json::{Value, json};

    use super::super::FakeGitHub;

    /// Status and body of an answer; status 0 where the connection ended without one.
    fn ask(github: &FakeGitHub, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(github.server_url().trim_start_matches("http://")).unwrap();
        let (body, token) = (body.to_string(), github.token());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nauthorization: Bearer {token}\r\nuser-agent: test\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    #[test]
    fn a_process_can_be_looked_at_and_disturbed_from_outside() {
        let github = FakeGitHub::start();
        let comments = "/api/v3/repos/acme/shop/issues/7/comments";
        let pull = json!({ "number": 7, "head": "a".repeat(40) });
        assert_eq!(ask(&github, "POST", "/debug/pulls", &pull).0, 201);
        let fault = json!({ "fault": "status", "status": 502, "method": "POST", "path": "/comments" });
        assert_eq!(ask(&github, "POST", "/debug/faults", &fault).0, 204);
        let comment = json!({ "body": "hello" });
        assert_eq!(ask(&github, "POST", comments, &comment).0, 502);
        assert_eq!(ask(&github, "POST", comments, &comment).0, 201);
        let (_, state) = ask(&github, "GET", "/debug/state", &json!({}));
        assert_eq!(state["comments"].as_array().map(Vec::len), Some(1));
        let (_, requests) = ask(&github, "GET", "/debug/requests", &json!({}));
        assert_eq!(requests["counted"], 2, "looking from outside is no request of the host");
    }
}
