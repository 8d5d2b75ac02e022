//! A request, taken apart: which object of which kind is meant, and what is to become of it.

use serde_json::Value;

use crate::github::http::Request;

use super::failure::Failure;

/// A request about objects.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: String,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) namespace: Option<String>,
    pub(super) plural: String,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
    query: Vec<(String, String)>,
    pub(super) content_type: String,
    agent: String,
    /// Whether the account of clients asks, and not somebody whom a test plays.
    pub(super) is_account: bool,
    body: Vec<u8>,
}

impl Ask {
    /// Takes a request apart; absent where its path names no kind.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let [plural, rest @ ..] = rest else { return None };
        if rest.len() > 2 {
            return None;
        }
        let part = |at: usize| rest.get(at).map(|part| (*part).to_owned());
        let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
        Some(Self {
            method: request.method.clone(),
            group: group.to_owned(),
            version: version.to_owned(),
            namespace,
            plural: (*plural).to_owned(),
            name: part(0),
            subresource: part(1),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
            content_type: header("content-type").split(';').next().unwrap_or_default().trim().to_owned(),
            agent: header("user-agent"),
            is_account: request.header("authorization").is_some(),
            body: request.body.clone(),
        })
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_watch(&self) -> bool {
        self.method == "GET" && matches!(self.query("watch"), Some("true" | "1"))
    }

    /// Whether somebody asks what may be done.
    pub(super) fn is_review(&self) -> bool {
        self.group == "authorization.k8s.io" && self.plural == "selfsubjectaccessreviews"
    }

    pub(super) fn is_dry(&self) -> bool {
        self.query("dryRun") == Some("All")
    }

    pub(super) fn is_strict(&self) -> bool {
        self.query("fieldValidation") == Some("Strict")
    }

    /// Who writes: by name, else the first word of the program's name, as servers do.
    pub(super) fn manager(&self) -> String {
        let named = self.query("fieldManager").filter(|name| !name.is_empty());
        let agent = self.agent.split(['/', ' ']).next().filter(|word| !word.is_empty());
        named.or(agent).unwrap_or("unknown").to_owned()
    }

    /// The body; an apply may be YAML.
    pub(super) fn body(&self) -> Result<Value, Failure> {
        let from_json = serde_json::from_slice(&self.body);
        if self.content_type == "application/apply-patch+yaml" && from_json.is_err() {
            return serde_yaml::from_slice(&self.body)
                .map_err(|error| Failure::bad(format!("error decoding YAML: {error}")));
        }
        from_json.map_err(|error| Failure::bad(format!("the body of the request is no JSON: {error}")))
    }

    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// The verb of access rules.
    pub(super) fn verb(&self) -> &'static str {
        match (self.method.as_str(), &self.name) {
            _ if self.is_watch() => "watch",
            ("GET", Some(_)) => "get",
            ("GET", None) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", _) => "delete",
            _ => "unknown",
        }
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(value))
}

/// Percent-decoding, as in queries.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (high, low) = (hex(rest.next()), hex(rest.next()));
                let code = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(code.unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
