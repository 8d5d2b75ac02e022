//! Refusals of the host in the words of the ports: what is wrong, and what to change.

use serde_json::Value;
use tagship_domain::Duration;
use tagship_ports::{PortError, Problem, state_store::AppendError};

use crate::{
    answer::Answer,
    call::Call,
    retry::{self, Outcome},
    settings::Settings,
};

/// Longest message of the host that is passed on, in characters.
const LONGEST: usize = 500;

/// Kinds of refusals that the crate itself acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no such thing.
    Missing,
    /// Its fields do not fit what is there: it exists, it has moved on, it has no parent.
    Unprocessable,
    /// A rule of the repository forbids it.
    Rule,
    /// The token may not.
    Forbidden,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Debug, Clone)]
pub(crate) struct CallError {
    pub(crate) port: PortError,
    pub(crate) reason: Reason,
    /// Whether it may have been done all the same.
    pub(crate) unsure: bool,
}

impl From<CallError> for PortError {
    fn from(error: CallError) -> Self {
        error.port
    }
}

impl From<CallError> for AppendError {
    fn from(error: CallError) -> Self {
        Self::Port(error.port)
    }
}

impl From<PortError> for CallError {
    fn from(port: PortError) -> Self {
        Self { port, reason: Reason::Other, unsure: false }
    }
}

/// No answer came.
pub(crate) fn unanswered(call: &Call, outcome: &Outcome) -> CallError {
    let message = match outcome {
        Outcome::Lost { message, .. } => format!("no answer: {message}"),
        Outcome::Answered(answer) => format!("it answered {}", answer.status),
    };
    let port = PortError::new(Problem::Unreachable, &call.about, message);
    CallError {
        port,
        reason: Reason::Other,
        unsure: retry::is_unsure(outcome) && !call.effect.is_repeatable(),
    }
}

/// The host said no. `asked` is how long it wants to be left alone.
pub(crate) fn refusal(
    call: &Call,
    answer: &Answer,
    settings: &Settings,
    asked: Option<Duration>,
) -> CallError {
    let said = said(answer);
    let lower = said.to_lowercase();
    let (problem, reason, message, hint) = if retry::is_limited(answer) {
        limited(&said, asked)
    } else if retry::is_broken(answer.status) {
        (Problem::Unreachable, Reason::Other, format!("the host failed ({}): {said}", answer.status), None)
    } else {
        match answer.status {
            301 | 302 | 307 | 308 => moved(settings),
            401 => (
                Problem::Denied,
                Reason::Forbidden,
                format!("the token is not accepted: {said}"),
                Some("pass a token that has not expired as `github-token`".to_owned()),
            ),
            403 => forbidden(call, answer, settings, &said, &lower),
            404 => (
                Problem::NotFound,
                Reason::Missing,
                "there is none, or the token may not see it".to_owned(),
                Some(format!("the call needs `permissions: {}`", permission(call, answer))),
            ),
            409 => (Problem::Conflict, Reason::Unprocessable, said.clone(), None),
            410 => (
                Problem::NotFound,
                Reason::Missing,
                said.clone(),
                Some("the repository's settings have it switched off".to_owned()),
            ),
            422 => unprocessable(&said, &lower),
            other => (Problem::Invalid, Reason::Other, format!("it answered {other}: {said}"), None),
        }
    };
    let port = PortError { problem, operation: call.about.clone(), message, hint };
    let unsure = retry::is_broken(answer.status) && !call.effect.is_repeatable();
    CallError { port, reason, unsure }
}

type Refused = (Problem, Reason, String, Option<String>);

fn limited(said: &str, asked: Option<Duration>) -> Refused {
    let until = asked.map(|wait| format!(" for {} s", wait.std().as_secs())).unwrap_or_default();
    let message = format!("the host wants no more requests{until}: {said}");
    let hint = "run again later; fewer jobs at a time with one token help";
    (Problem::Unreachable, Reason::Other, message, Some(hint.to_owned()))
}

fn moved(settings: &Settings) -> Refused {
    let message = format!("{} has another name or place now", settings.repository);
    let hint =
        "start a new run, whose GITHUB_REPOSITORY is the new name; a token is never sent along a redirect";
    (Problem::NotFound, Reason::Other, message, Some(hint.to_owned()))
}

fn forbidden(call: &Call, answer: &Answer, settings: &Settings, said: &str, lower: &str) -> Refused {
    let denied = |message: &str, hint: String| {
        (Problem::Denied, Reason::Forbidden, format!("{message}: {said}"), Some(hint))
    };
    if lower.contains("archived") {
        return denied("the repository is archived and cannot be changed", "unarchive it first".to_owned());
    }
    if lower.contains("locked") {
        return denied(
            "the conversation is locked",
            "unlock it, or let reviewers read the step summary".to_owned(),
        );
    }
    if lower.contains("saml") {
        return denied("the organisation wants single sign-on", "authorise the token for it".to_owned());
    }
    let needed = permission(call, answer);
    if settings.from_fork {
        let hint = format!(
            "runs of forks get a token that can only read; write from a `workflow_run` workflow, which has \
             `permissions: {needed}`"
        );
        return denied("the run was caused by a fork", hint);
    }
    denied("the token may not do this", format!("add `permissions: {needed}` to the job"))
}

fn unprocessable(said: &str, lower: &str) -> Refused {
    if lower.contains("pre_receive") || lower.contains("rule violations") || lower.contains("ruleset") {
        let hint = "a rule for tags or branches restricts this name; let the workflow's app bypass it in the \
                    repository's rulesets";
        return (
            Problem::Denied,
            Reason::Rule,
            format!("a rule of the repository forbids it: {said}"),
            Some(hint.to_owned()),
        );
    }
    if lower.contains("immutable") {
        let hint = "a published release and its tag cannot change; make a new version";
        return (
            Problem::Conflict,
            Reason::Rule,
            format!("the release is immutable: {said}"),
            Some(hint.to_owned()),
        );
    }
    if lower.contains("locked") {
        let hint = "unlock it, or let reviewers read the step summary";
        return (
            Problem::Denied,
            Reason::Forbidden,
            format!("the conversation is locked: {said}"),
            Some(hint.to_owned()),
        );
    }
    if lower.contains("no commit found") {
        return (
            Problem::NotFound,
            Reason::Missing,
            said.to_owned(),
            Some("push the commit first".to_owned()),
        );
    }
    (Problem::Invalid, Reason::Unprocessable, format!("it was not accepted: {said}"), None)
}

/// The permission that the call lacks, in the words of a workflow. The host may name it itself.
fn permission(call: &Call, answer: &Answer) -> String {
    let named = answer.header("x-accepted-github-permissions").filter(|named| !named.is_empty());
    // Alternatives are separated by semicolons; the first is the narrowest.
    let first = named.and_then(|named| named.split(';').next()).map(|first| first.trim().replace('=', ": "));
    first.map_or_else(|| call.needs.to_owned(), |named| named.replace('_', "-"))
}

/// The host's message with what it says about single fields, in one line.
fn said(answer: &Answer) -> String {
    let complaint = answer.complaint();
    let mut parts = vec![complaint.message.clone()];
    for error in complaint.errors.as_array().into_iter().flatten() {
        let field = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let text = error.as_str().map(str::to_owned).or_else(|| field("message")).or_else(|| field("code"));
        parts.extend(match (field("field"), text) {
            (Some(field), Some(text)) => Some(format!("{field}: {text}")),
            (None, text) | (text, None) => text,
        });
    }
    if let Some(text) = complaint.errors.as_str() {
        parts.push(text.to_owned());
    }
    let text = parts.join("; ");
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    let clean = clean.trim_matches([';', ' ']).to_owned();
    if clean.is_empty() { format!("status {}", answer.status) } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str, change: impl Fn(&mut Settings)) -> String {
        let call = Call::get("do it", "/x".to_owned()).needs("issues: write");
        let answer =
            Answer { status, headers: http::HeaderMap::new(), body: body.as_bytes().into(), next: None };
        let mut settings = Settings::new("a", "b", "c", "acme/shop", "t");
        change(&mut settings);
        refusal(&call, &answer, &settings, None).port.to_string()
    }

    #[test]
    fn refusals_say_what_to_change() {
        let said = |message: &str| format!(r#"{{"message":"{message}"}}"#);
        let integration = said("Resource not accessible by integration");
        for (status, body, expected) in [
            (401, said("Bad credentials"), "the token is not accepted"),
            (403, integration.clone(), "add `permissions: issues: write` to the job"),
            (403, said("Repository was archived so is read-only."), "unarchive it"),
            (403, said("Unable to create comment because issue is locked."), "the conversation is locked"),
            (403, said("Resource protected by organization SAML enforcement."), "single sign-on"),
            (404, said("Not Found"), "or the token may not see it"),
            (307, said("Moved"), "acme/shop has another name"),
            (422, said("Repository rule violations found"), "rulesets"),
            (422, said("Cannot upload assets to an immutable release."), "make a new version"),
            (422, r#"{"message":"Validation Failed","errors":[{"field":"pre_receive","message":"creations being restricted"}]}"#.to_owned(), "pre_receive: creations being restricted"),
            (422, r#"{"message":"Validation Failed","errors":[{"field":"body","code":"too_long"}]}"#.to_owned(), "body: too_long"),
            (422, r#"{"message":"Invalid","errors":["first","second"]}"#.to_owned(), "Invalid; first; second"),
            (500, "<html>".to_owned(), "the host failed (500): status 500"),
            (418, said("teapot\\nred"), "it answered 418: teapot red"),
        ] {
            let text = refused(status, &body, |_| {});
            assert!(text.starts_with("do it: ") && text.contains(expected), "{status}: {text}");
        }
        let fork = refused(403, &integration, |settings| settings.from_fork = true);
        assert!(fork.contains("caused by a fork") && fork.contains("workflow_run"), "{fork}");
    }

    #[test]
    fn the_host_may_name_the_permission() {
        let call = Call::get("do it", "/x".to_owned()).needs("issues: write");
        let mut headers = http::HeaderMap::new();
        let value = http::HeaderValue::from_static("pull_requests=write; issues=write");
        headers.insert("x-accepted-github-permissions", value);
        let answer = Answer { status: 403, headers, body: b"{}".as_slice().into(), next: None };
        assert_eq!(permission(&call, &answer), "pull-requests: write");
    }
}
