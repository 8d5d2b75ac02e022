//! How a target routes requests beyond weights: clients that stay on their side, requests that are led by a header, and
//! copies for a shadow version.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{traffic::Weight, version::Version};

/// What a target does with the requests of a model, beside sharing them by weight. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Requests that carry this header are not shared at random: the same value always goes to the same version while
    /// weights stay, and while a candidate's weight only grows, no value leaves the candidate again.
    #[serde(default)]
    pub sticky: Option<HeaderName>,
    /// The version that answers copies of requests.
    #[serde(default)]
    pub shadow: Option<Shadow>,
    /// The version that answers the requests that carry a header, whatever the weights; the others are shared by weight.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
}

/// A version that answers the requests that carry a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// The version.
    pub version: Version,
    /// The header's name.
    pub header: HeaderName,
    /// The header's whole value; case matters.
    pub exact: HeaderText,
}

/// Which requests are meant: those whose header has exactly this value.
///
/// Exact values are what Argo Rollouts' `setHeaderRoute`, Flagger's `match` and the Gateway API's `HTTPHeaderMatch` have in
/// common; patterns differ between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    /// The header's name.
    pub header: HeaderName,
    /// Its whole value; case matters.
    pub exact: HeaderText,
}

/// A version without traffic that answers copies of requests, for comparison only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// The version.
    pub version: Version,
    /// Share of the requests that other versions answered by weight; above 0.
    pub share: Weight,
}

/// Name of an HTTP header, in lower case: a token of RFC 9110, section 5.6.2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HeaderName(String);

/// Value of an HTTP header as it stands on the wire: printable ASCII, with spaces inside only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HeaderText(String);

/// A text that is not the value of a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "header value {text:?} is not allowed: it takes 1 to {} printable ASCII characters, and no space at an end",
    HeaderText::MAX_LENGTH
)]
pub struct HeaderTextError {
    text: String,
}

/// A text that is not the name of a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "header name {text:?} is not allowed: it takes 1 to {} letters, digits and !#$%&'*+-.^_`|~",
    HeaderName::MAX_LENGTH
)]
pub struct HeaderNameError {
    text: String,
}

impl Routing {
    /// Whether requests are only shared by weight.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

impl HeaderMatch {
    /// The same with the version that answers.
    pub fn to(&self, version: &Version) -> Matched {
        let HeaderMatch { header, exact } = self.clone();
        Matched { version: version.clone(), header, exact }
    }
}

impl Matched {
    /// Which requests it answers.
    pub fn rule(&self) -> HeaderMatch {
        HeaderMatch { header: self.header.clone(), exact: self.exact.clone() }
    }
}

impl HeaderText {
    /// Longest value, in bytes.
    pub const MAX_LENGTH: usize = 256;

    /// Reads a value.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds what a header's value does not keep on its way.
    pub fn new(text: impl Into<String>) -> Result<Self, HeaderTextError> {
        let text = text.into();
        let is_kept = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !is_kept || text.trim() != text {
            return Err(HeaderTextError { text });
        }
        Ok(Self(text))
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderName {
    /// Longest name, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// Reads a name; case does not matter in headers.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds what cannot stand in a header's name.
    pub fn new(text: impl Into<String>) -> Result<Self, HeaderNameError> {
        let text = text.into();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(is_token) {
            return Err(HeaderNameError { text });
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HeaderName {
    type Error = HeaderNameError;
    fn try_from(text: String) -> Result<Self, HeaderNameError> {
        Self::new(text)
    }
}

impl From<HeaderName> for String {
    fn from(name: HeaderName) -> String {
        name.0
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HeaderMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.header, self.exact)
    }
}

impl TryFrom<String> for HeaderText {
    type Error = HeaderTextError;
    fn try_from(text: String) -> Result<Self, HeaderTextError> {
        Self::new(text)
    }
}

impl From<HeaderText> for String {
    fn from(value: HeaderText) -> String {
        value.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for HeaderText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HeaderValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Value of an HTTP header.",
            "type": "string",
            "minLength": 1,
            "maxLength": Self::MAX_LENGTH,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        })
    }
}

impl JsonSchema for HeaderName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HeaderName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Name of an HTTP header.",
            "type": "string",
            "pattern": "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]{1,128}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_named_by_a_token_of_any_case() {
        assert_eq!(HeaderName::new("X-User-Id").unwrap().as_str(), "x-user-id");
        for wrong in ["", "x user", "x:user", "x-user\n", "größe", &"x".repeat(129)] {
            let error = HeaderName::new(wrong).unwrap_err().to_string();
            assert!(error.contains("letters, digits"), "{error}");
        }
    }

    #[test]
    fn a_value_is_what_a_header_keeps_on_its_way() {
        assert_eq!(HeaderText::new("Beta users; q=1").unwrap().as_str(), "Beta users; q=1");
        for wrong in ["", " beta", "beta ", "be\tta", "beta\n", "größe", &"x".repeat(257)] {
            let error = HeaderText::new(wrong).unwrap_err().to_string();
            assert!(error.contains("printable ASCII"), "{error}");
        }
        let matched: Routing =
            serde_json::from_str(r#"{"match":{"version":"v1.1.0","header":"X-Cohort","exact":"beta"}}"#)
                .unwrap();
        let rule = matched.matched.as_ref().unwrap().rule();
        assert_eq!(rule.to_string(), "x-cohort: beta");
        assert_eq!(matched.matched, Some(rule.to(&Version::new(1, 1, 0))));
        assert!(!matched.is_plain());
    }

    #[test]
    fn a_routing_without_members_is_none() {
        let none: Routing = serde_json::from_str("{}").unwrap();
        assert_eq!(none, Routing::default());
        let wrong = serde_json::from_str::<Routing>(r#"{"sticky":"a b"}"#).unwrap_err().to_string();
        assert!(wrong.contains(r#"header name "a b" is not allowed"#), "{wrong}");
    }
}
