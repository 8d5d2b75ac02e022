//! Answers in the host's form: JSON, errors, pages, files.

use serde_json::{Value, json};

use super::ask::Ask;

/// An answer before it is on the wire.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
    /// A file's bytes, in place of JSON.
    pub(super) file: Option<Vec<u8>>,
}

impl Answer {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body, file: None }
    }

    pub(super) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(super) fn created(body: Value) -> Self {
        Self::new(201, body)
    }

    /// The bytes of a file, or what a storage says.
    pub(super) fn file_with(status: u16, bytes: Vec<u8>) -> Self {
        Self { file: Some(bytes), ..Self::new(status, Value::Null) }
    }

    /// What is sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match &self.file {
            Some(bytes) => bytes.clone(),
            None if self.body.is_null() => Vec::new(),
            None => self.body.to_string().into_bytes(),
        }
    }

    /// What is asked for lies elsewhere.
    pub(super) fn found_at(location: String) -> Self {
        let mut answer = Self::new(302, Value::Null);
        answer.headers.push(("location".to_owned(), location));
        answer
    }

    /// Done, with nothing to say.
    pub(super) fn nothing() -> Self {
        Self::new(204, Value::Null)
    }

    pub(super) fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self::new(status, body)
    }

    pub(super) fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// A field that does not fit.
    pub(super) fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let mut answer = Self::error(422, "Validation Failed");
        answer.body["errors"] =
            json!([{ "resource": resource, "field": field, "code": code, "message": message }]);
        answer
    }

    pub(super) fn forbidden(permission: &str) -> Self {
        let mut answer = Self::error(403, "Resource not accessible by integration");
        answer.headers.push(("x-accepted-github-permissions".to_owned(), permission.to_owned()));
        answer
    }

    /// One page of a list. `key` names the list inside the page where it is not the page itself.
    pub(super) fn page(ask: &Ask, items: Vec<Value>, key: Option<(&str, Value)>) -> Self {
        let number = |name: &str, default: usize| {
            ask.query(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
        };
        let (page, size) = (number("page", 1), number("per_page", 30).min(100));
        let total = items.len();
        let last = total.div_ceil(size).max(1);
        let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let body = match key {
            None => Value::Array(shown),
            Some((key, mut around)) => {
                around["total_count"] = json!(total);
                around[key] = Value::Array(shown);
                around
            }
        };
        let mut answer = Self::ok(body);
        if page < last {
            let link = |page: usize, rel: &str| {
                format!("<{}>; rel=\"{rel}\"", ask.url_with(&[("page", page), ("per_page", size)]))
            };
            answer
                .headers
                .push(("link".to_owned(), format!("{}, {}", link(page + 1, "next"), link(last, "last"))));
        }
        answer
    }
}
