//! How a metrics API is reached: credentials, certificates and patience, by the same keys wherever they are configured.
//!
//! The keys are taken out of what a configuration says before the rest of it is read, so that each adapter has settings of its
//! own only. Credentials go over an encrypted connection, or to this machine.

use std::path::Path;

use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tagship_domain::Duration;
use tagship_ports::PortError;

use super::{
    fetch,
    login::{Login, LoginKeys},
};
use crate::{disk, http, settings};

/// The keys, as they are written.
const KEYS: [&str; 5] = ["token-env", "user-env", "password-env", "ca-file", "timeout"];
/// Most bytes of a file with certificates.
const LARGEST: u64 = 1 << 20;

/// What the keys say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AccessKeys {
    /// Name of the environment variable that holds a bearer token.
    token_env: Option<String>,
    /// Names of the environment variables that hold a user and a password.
    user_env: Option<String>,
    password_env: Option<String>,
    /// Certificates that are trusted beside the system's, in PEM.
    ca_file: Option<String>,
    /// Longest wait for an answer.
    timeout: Option<Duration>,
}

/// A way to an API.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// Who asks.
    pub(crate) client: Client,
    /// The credentials that are sent.
    pub(crate) login: Login,
    /// Longest wait for an answer.
    pub(crate) timeout: Duration,
}

/// The settings of an adapter and how what it asks is reached; `what` names it, e.g. `metric source http`.
pub(crate) fn read<T: DeserializeOwned>(
    what: &str,
    given: &Map<String, Value>,
) -> Result<(T, AccessKeys), PortError> {
    let (keys, own) = given.clone().into_iter().partition(|(key, _)| KEYS.contains(&key.as_str()));
    let own = settings::read(what, &own).map_err(|mut error| {
        // Whoever has mistyped a key is told of all that there are.
        if error.message.contains("unknown field") {
            error.message = format!("{}; `{}` say how it is reached", error.message, KEYS.join("`, `"));
        }
        error
    })?;
    Ok((own, settings::read(what, &keys)?))
}

impl Access {
    /// Opens the way to an address; relative paths are relative to `root`.
    pub(crate) fn open(
        what: &str,
        keys: AccessKeys,
        root: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
        url: &Url,
    ) -> Result<Self, PortError> {
        let ca = keys.ca_file.as_deref().map(|file| certificates(what, root, file)).transpose()?;
        let logins = LoginKeys { token: keys.token_env, user: keys.user_env, password: keys.password_env };
        let login = Login::of(what, &logins, variable)?;
        if !matches!(login, Login::None) {
            keep_secret(what, url)?;
        }
        let client = fetch::client(what, keys.timeout, ca.as_deref(), url)?;
        Ok(Self { client, login, timeout: fetch::waits(keys.timeout) })
    }
}

/// Refuses an address to which a secret would travel without encryption.
pub(crate) fn keep_secret(what: &str, url: &Url) -> Result<(), PortError> {
    if url.scheme() == "https" || http::is_loopback(url) {
        return Ok(());
    }
    let message = format!("{} gets no credentials without encryption", fetch::shown(url));
    Err(settings::wrong(what, message).hint("name an https address, or no credentials"))
}

/// The bytes of a file with certificates.
fn certificates(what: &str, root: &Path, file: &str) -> Result<Vec<u8>, PortError> {
    let wrong = |why: String| {
        settings::wrong(what, format!("`ca-file` {file}: {why}")).hint("name a file with certificates in PEM")
    };
    match disk::read_bounded(&root.join(file), LARGEST) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(wrong("there is no such file".to_owned())),
        Err(error) => Err(wrong(error.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_always_send_a_key_are_asked_encrypted_only() {
        let kinds = [
            ("datadog", r#"{"url":"http://dog.example","query":"q"}"#),
            ("newrelic", r#"{"url":"http://relic.example","account":1,"query":"q"}"#),
        ];
        for (kind, settings) in kinds {
            let settings: Map<String, Value> = serde_json::from_str(settings).unwrap();
            let opening = super::super::Opening {
                kind: tagship_domain::analysis::MetricKind::Value,
                settings: &settings,
                root: Path::new("."),
                variable: &|_| Some("key".to_owned()),
                backends: None,
            };
            let error = match kind {
                "datadog" => super::super::datadog::Datadog::open(&opening).map(drop),
                _ => super::super::newrelic::NewRelic::open(&opening).map(drop),
            };
            let error = error.unwrap_err().to_string();
            assert!(error.contains("without encryption"), "{kind}: {error}");
        }
    }

    const SECRETS: [&[&str]; 2] = [&["token-env"], &["user-env", "password-env"]];

    fn opened(url: &str, keys: &[&str]) -> Result<Access, PortError> {
        let given = keys.iter().map(|key| ((*key).to_owned(), Value::from("NAME"))).collect();
        let (_, keys): (Map<String, Value>, _) = read("metric source x", &given)?;
        Access::open(
            "metric source x",
            keys,
            Path::new("."),
            &|name| Some(name.to_owned()),
            &url.parse().unwrap(),
        )
    }

    #[test]
    fn secrets_travel_encrypted_or_not_at_all() {
        for keys in SECRETS {
            for good in [
                "https://prometheus.example:9090",
                "http://127.0.0.1:9090",
                "http://localhost",
                "http://[::1]:9",
            ] {
                assert!(opened(good, keys).is_ok(), "{good}");
            }
            for bad in ["http://prometheus.example:9090", "http://10.0.0.1", "http://localhost.example"] {
                let error = opened(bad, keys).unwrap_err();
                assert!(error.to_string().contains("gets no credentials without encryption"), "{error}");
            }
        }
        assert!(opened("http://prometheus.example:9090", &[]).is_ok(), "nothing is secret");
    }
}
