//! Notifier `webhook`: the notice itself, as `tagship/notice/v1` or `tagship/incident/v1`, signed where there is a secret.

use std::fmt::Write as _;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::Sha256;
use tagship_domain::{Document, Redacted, incident::IncidentNotice, notice::Notice, schema};
use tagship_ports::{Alerter, Notifier, PortError, Problem};

use super::post::Post;
use crate::settings;

const WHAT: &str = "notifier webhook";
/// Header of the signature: `sha256=` and the HMAC of the body in hexadecimal digits.
const SIGNATURE: &str = "x-tagship-signature-256";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WebhookSettings {
    /// Name of the environment variable that holds the address.
    url_env: String,
    /// Name of the environment variable that holds the key of signatures.
    #[serde(default)]
    secret_env: Option<String>,
}

/// Any receiver of JSON.
#[derive(Debug, Clone)]
pub struct Webhook {
    post: Post,
    key: Option<Redacted<String>>,
}

impl Webhook {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: WebhookSettings = settings::read(WHAT, given)?;
        let key = |name: &String| {
            settings::secret(WHAT, name, secret, "set it to the key of signatures, or leave `secret-env` out")
        };
        Ok(Self {
            post: Post::new(WHAT, &given.url_env, secret)?,
            key: given.secret_env.as_ref().map(key).transpose()?,
        })
    }
}

/// The value of the header.
pub(super) fn signature(key: &[u8], body: &[u8]) -> Result<String, PortError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|error| PortError::new(Problem::Invalid, "sign a notice", error.to_string()))?;
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

impl Webhook {
    /// Sends a document, signed where there is a key.
    async fn deliver<T: Document>(&self, document: &T) -> Result<(), PortError> {
        let body = schema::to_json_line(document)
            .map_err(|error| PortError::new(Problem::Invalid, "write a notice", error.to_string()))?;
        let signature =
            self.key.as_ref().map(|key| signature(key.expose().as_bytes(), body.as_bytes())).transpose()?;
        let headers: Vec<_> = signature.map(|signature| (SIGNATURE, signature)).into_iter().collect();
        self.post.send(body, &headers).await
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn notify(&self, notice: &Notice) -> Result<(), PortError> {
        self.deliver(notice).await
    }
}

#[async_trait]
impl Alerter for Webhook {
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError> {
        self.deliver(notice).await
    }
}
