//! One request as data: what is sent, what it means to repeat it, and what it needs.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;

/// What repeating a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    Read,
    /// It writes what is named by its content, unseen by people: doing it twice is doing it once.
    Object,
    /// It sets something to a value: doing it twice is doing it once.
    Update,
    /// Each time makes a new thing.
    Create,
}

impl Effect {
    /// Whether the same request may be sent again when nobody knows what became of the first.
    pub(crate) fn is_repeatable(self) -> bool {
        self != Self::Create
    }

    /// Whether the host counts it as content that people see, which must not come in bursts.
    pub(crate) fn is_paced(self) -> bool {
        matches!(self, Self::Update | Self::Create)
    }
}

/// What is sent along.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Bytes {
        bytes: Vec<u8>,
        media: &'static str,
    },
    /// Streamed from disk.
    File {
        path: PathBuf,
        /// The first byte that is sent.
        from: u64,
        size: u64,
        media: &'static str,
    },
}

/// Which server it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Rest,
    Graphql,
    Uploads,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What it is for, in the words of an error: `update the comment of pull request 7`.
    pub(crate) about: String,
    pub(crate) server: Server,
    pub(crate) method: Method,
    /// Below the server's base, percent-encoded.
    pub(crate) path: String,
    /// Percent-encoded, without `?`.
    pub(crate) query: String,
    pub(crate) body: Body,
    pub(crate) effect: Effect,
    /// The workflow permission that it needs, `issues: write`.
    pub(crate) needs: &'static str,
}

impl Call {
    fn new(about: impl Into<String>, method: Method, path: String, body: Body, effect: Effect) -> Self {
        let (server, query) = (Server::Rest, String::new());
        Self { about: about.into(), server, method, path, query, body, effect, needs: "contents: read" }
    }

    /// Reads.
    pub(crate) fn get(about: impl Into<String>, path: String) -> Self {
        Self::new(about, Method::GET, path, Body::Empty, Effect::Read)
    }

    /// Makes a new thing.
    pub(crate) fn create(about: impl Into<String>, path: String, body: Value) -> Self {
        Self::new(about, Method::POST, path, Body::Json(body), Effect::Create)
    }

    /// Makes a git object.
    pub(crate) fn object(about: impl Into<String>, path: String, body: Value) -> Self {
        Self::new(about, Method::POST, path, Body::Json(body), Effect::Object)
    }

    /// Changes a thing.
    pub(crate) fn update(about: impl Into<String>, path: String, body: Value) -> Self {
        Self::new(about, Method::PATCH, path, Body::Json(body), Effect::Update)
    }

    /// Removes a thing.
    pub(crate) fn delete(about: impl Into<String>, path: String) -> Self {
        Self::new(about, Method::DELETE, path, Body::Empty, Effect::Update)
    }

    /// Says which permission it needs.
    pub(crate) fn needs(mut self, permission: &'static str) -> Self {
        self.needs = permission;
        self
    }

    /// Adds to the query.
    pub(crate) fn query(mut self, key: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(key);
        self.query.push('=');
        self.query.push_str(&encode(value));
        self
    }

    /// Sends it to another server.
    pub(crate) fn to(mut self, server: Server) -> Self {
        self.server = server;
        self
    }

    /// Sends other bytes than JSON.
    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Says that doing it twice is doing it once, although it is a POST.
    pub(crate) fn repeatable(mut self) -> Self {
        self.effect = Effect::Update;
        self
    }
}

/// A path of segments, each percent-encoded: a ref or a file is one segment, its slashes included, as the host's own
/// clients send it.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| path + "/" + &encode(segment))
}

/// Percent-encodes everything but letters, digits, `-`, `_`, `.` and `~` (RFC 3986, unreserved).
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_an_address() {
        assert_eq!(path(&["git", "a/../b?c#d"]), "/git/a%2F..%2Fb%3Fc%23d");
        assert_eq!(path(&["git", "ref", "tags/churn#1"]), "/git/ref/tags%2Fchurn%231");
        let call = Call::get("x", path(&["x"])).query("a", "b&c=d").query("e", "é");
        assert_eq!(call.query, "a=b%26c%3Dd&e=%C3%A9");
    }
}
