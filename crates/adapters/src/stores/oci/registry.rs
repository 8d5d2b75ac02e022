//! The few requests of the distribution specification that a store needs, with a login by password or token.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use tagship_domain::Redacted;
use tagship_ports::{PortError, Problem};

use crate::http;

/// Longest wait for an answer that does not move a file.
const ANSWER: Duration = Duration::from_mins(1);
/// How often a request is sent that is not answered, or with "later".
pub(super) const TRIES: u32 = 3;
/// Largest answer that is read into memory, beside blobs, in bytes.
pub(super) const LARGEST: u64 = 4 << 20;

/// A user of a registry.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Redacted<String>,
}

/// One repository of a registry.
pub(super) struct Registry {
    client: Client,
    base: Url,
    repository: String,
    login: Option<Login>,
    token: Mutex<Option<Redacted<String>>>,
}

/// A request that can be sent again.
pub(super) struct Ask<'a> {
    /// What it is about, for messages.
    pub(super) about: &'a str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(header::HeaderName, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// How many bytes the answer may bring, as far as it is known to be long.
    pub(super) size: u64,
}

/// A request whose body cannot be sent again: a file, or what is made while it is sent.
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) url: Url,
    /// The place in the blob of the first byte that is sent.
    pub(super) from: u64,
    /// Bytes of the blob, all of which are there afterwards.
    pub(super) size: u64,
}

impl Registry {
    pub(super) fn new(base: Url, repository: String, login: Option<Login>) -> Result<Self, PortError> {
        Ok(Self { client: http::client(ANSWER)?, base, repository, login, token: Mutex::default() })
    }

    /// The address of something in the repository, e.g. `blobs/sha256:...`.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{}/{path}", self.repository));
        url
    }

    /// An address that the registry answered; it stays where the credentials belong.
    pub(super) fn ours(&self, about: &str, response: &Response) -> Result<Url, PortError> {
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        self.ours_at(about, response, location)
    }

    /// The same for an address that stands elsewhere in the answer.
    pub(super) fn ours_at(
        &self,
        about: &str,
        response: &Response,
        location: Option<&str>,
    ) -> Result<Url, PortError> {
        match location.and_then(|location| response.url().join(location).ok()) {
            Some(url) if url.origin() == self.base.origin() => Ok(url),
            Some(url) => Err(PortError::new(
                Problem::Unsupported,
                about,
                format!("the registry sends us to {} for it", url.host_str().unwrap_or_default()),
            )),
            None => Err(PortError::new(Problem::Invalid, about, "the registry answered no address for it")),
        }
    }

    /// Sends a request, logs in where that is asked for, and follows to a storage, which gets no credentials.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Response, PortError> {
        let mut answered = self.try_hard(ask, &ask.url, true).await?;
        if answered.status() == StatusCode::UNAUTHORIZED {
            self.log_in(ask.about, &answered).await?;
            answered = self.try_hard(ask, &ask.url, true).await?;
        }
        let status = answered.status();
        if (ask.method == Method::GET || ask.method == Method::HEAD)
            && (status == StatusCode::TEMPORARY_REDIRECT || status == StatusCode::FOUND)
        {
            return self.follow(ask, &answered).await;
        }
        Ok(answered)
    }

    /// Sends the rest of a blob.
    pub(super) async fn send_body(&self, about: &str, sent: Sent, body: Body) -> Result<Response, PortError> {
        let Sent { method, url, from, size } = sent;
        let request = self.client.request(method, url).timeout(patience(size));
        let mut request = request.header(header::CONTENT_LENGTH, size - from);
        if from > 0 {
            request = request.header(header::CONTENT_RANGE, format!("{from}-{}", size - 1));
        }
        let request = request.header(header::CONTENT_TYPE, "application/octet-stream").body(body);
        self.authorised(request).send().await.map_err(|error| lost(about, &error))
    }

    /// Sends a request to an address, with credentials only if that is `ours`, and again where it is not answered.
    async fn try_hard(&self, ask: &Ask<'_>, url: &Url, ours: bool) -> Result<Response, PortError> {
        let mut tries = 1;
        loop {
            let request = self.request(ask, url.clone());
            let outcome = if ours { self.authorised(request) } else { request }.send().await;
            let later = match &outcome {
                Ok(response) => {
                    response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS
                }
                Err(_) => true,
            };
            if !later || tries == TRIES {
                return outcome.map_err(|error| lost(ask.about, &error));
            }
            pause(tries).await;
            tries += 1;
        }
    }

    fn request(&self, ask: &Ask<'_>, url: Url) -> RequestBuilder {
        let mut request = self.client.request(ask.method.clone(), url).timeout(patience(ask.size));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        match &ask.body {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        match (token.as_ref(), &self.login) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some(login)) => request.basic_auth(&login.user, Some(login.password.expose())),
            (None, None) => request,
        }
    }

    async fn follow(&self, ask: &Ask<'_>, answered: &Response) -> Result<Response, PortError> {
        let location = answered.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let url = location.and_then(|location| answered.url().join(location).ok());
        match url.filter(|url| url.scheme() == "https" || url.scheme() == self.base.scheme()) {
            Some(url) => self.try_hard(ask, &url, false).await,
            None => {
                Err(PortError::new(Problem::Invalid, ask.about, "the registry sends us to no safe address"))
            }
        }
    }

    /// Whether a login may go to an address that the registry names: any that is encrypted, else the registry itself, which
    /// gets credentials in plain text only on this machine.
    pub(super) fn may_log_in_at(&self, realm: &Url) -> bool {
        let itself = realm.origin() == self.base.origin();
        realm.scheme() == "https" || itself && (self.login.is_none() || http::is_loopback(&self.base))
    }

    /// Gets a token from where the registry says, as its specification of tokens has it.
    async fn log_in(&self, about: &str, refused: &Response) -> Result<(), PortError> {
        let denied = |why: &str| {
            PortError::new(Problem::Denied, about, why).hint(
                "check the user and the password in the environment, and what they may do in the repository",
            )
        };
        let challenge = refused.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let asked = challenge.and_then(|challenge| challenge.strip_prefix("Bearer ")).map(parameters);
        let asked = asked.ok_or_else(|| denied("the registry refuses the credentials"))?;
        let of = |name: &str| asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let realm = of("realm").and_then(|realm| Url::parse(realm).ok());
        let realm = realm.filter(|url| self.may_log_in_at(url));
        let mut realm = realm.ok_or_else(|| denied("the registry names no safe address to log in"))?;
        for name in ["service", "scope"] {
            if let Some(value) = of(name) {
                realm.query_pairs_mut().append_pair(name, value);
            }
        }
        let request = self.client.get(realm);
        let request = match &self.login {
            Some(login) => request.basic_auth(&login.user, Some(login.password.expose())),
            None => request,
        };
        let answered = request.send().await.map_err(|error| lost(about, &error))?;
        if !answered.status().is_success() {
            return Err(denied(&format!("the login was answered with {}", answered.status().as_u16())));
        }
        let answer: Token = serde_json::from_slice(&read(about, answered, LARGEST).await?)
            .map_err(|error| denied(&error.to_string()))?;
        let token = answer.token.or(answer.access_token).ok_or_else(|| denied("the login gave no token"))?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(Redacted::new(token));
        Ok(())
    }
}

/// How long an answer that moves so many bytes is waited for: a line of one megabyte a second is the slowest.
fn patience(size: u64) -> Duration {
    ANSWER + Duration::from_secs(size / 1_000_000)
}

/// Waits before a request is sent again, longer each time.
pub(super) async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(200 << tries)).await;
}

#[derive(serde::Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// `name="value"` pairs of a challenge.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, more)) = after.split_once('"') else { break };
        found.push((name.trim_start_matches([',', ' ']).to_owned(), value.to_owned()));
        rest = more;
    }
    found
}

/// Reads an answer of at most so many bytes.
pub(super) async fn read(about: &str, mut response: Response, limit: u64) -> Result<Vec<u8>, PortError> {
    // As much as is announced, and no more than may come: what grows by doubling holds three times as much for a moment.
    let announced = response.content_length().unwrap_or_default().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(about, &error))? {
        if bytes.len() as u64 + chunk.len() as u64 > limit {
            let message = format!("more than {limit} bytes came");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An answer that is none of those that were hoped for.
pub(super) async fn refused(about: &str, response: Response) -> PortError {
    let status = response.status();
    let text = read(about, response, LARGEST).await.unwrap_or_default();
    let text: String = String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    let problem = match status.as_u16() {
        401 | 403 => Problem::Denied,
        404 => Problem::NotFound,
        405 => Problem::Unsupported,
        // Runs that send the same blob at the same time can make a registry forget it for a moment.
        400 if text.contains("MANIFEST_BLOB_UNKNOWN") => Problem::Unreachable,
        400 if text.contains("DIGEST_INVALID") => Problem::Invalid,
        429 | 500.. => Problem::Unreachable,
        _ => Problem::Invalid,
    };
    let said: String = text.chars().take(300).collect();
    let failed = PortError::new(problem, about, format!("the registry answered {} {said}", status.as_u16()));
    match problem {
        Problem::Denied => {
            failed.hint("check what the credentials in the environment may do in the repository")
        }
        Problem::NotFound => failed.hint("check the name of the repository"),
        _ => failed,
    }
}

/// A request that was not answered, or an answer that broke off.
pub(super) fn lost(about: &str, error: &reqwest::Error) -> PortError {
    PortError::new(Problem::Unreachable, about, http::cause(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_taken_apart_with_commas_in_its_scope() {
        let text =
            r#"realm="https://auth.example.org/token",service="registry",scope="repository:a/b:pull,push""#;
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = [
            of("realm", "https://auth.example.org/token"),
            of("service", "registry"),
            of("scope", "repository:a/b:pull,push"),
        ];
        assert_eq!(parameters(text), wanted);
        assert_eq!(parameters("nonsense"), []);
    }
}
