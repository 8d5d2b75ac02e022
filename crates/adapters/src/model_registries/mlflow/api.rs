//! Calls to the server: bounded, with the credentials of the environment, to its own address only.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tagship_domain::Redacted;
use tagship_ports::{PortError, Problem};
use tokio::time::timeout;

use crate::{http, places::Opener};

/// Names of the variables that `MLflow`'s own clients read as well.
const SERVER: &str = "MLFLOW_TRACKING_URI";
const TOKEN: &str = "MLFLOW_TRACKING_TOKEN";
const USER: &str = "MLFLOW_TRACKING_USERNAME";
const PASSWORD: &str = "MLFLOW_TRACKING_PASSWORD";
/// Longest wait for an answer; a file may take longer.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest wait for the next bytes of an answer.
pub(super) const STALL: Duration = Duration::from_mins(1);
/// Longest wait for a file.
const FILE: Duration = Duration::from_hours(1);
/// Largest answer that is read into memory, in bytes.
const LARGEST: usize = 8 << 20;
/// How often a question is asked that is not answered, or with "later".
const TRIES: u32 = 3;
/// Scheme of what the server hands out itself.
const PROXIED: &str = "mlflow-artifacts:";

enum Login {
    None,
    Token(Redacted<String>),
    Basic(Redacted<String>, Redacted<String>),
}

/// A server.
pub(super) struct Api {
    client: Client,
    base: Url,
    login: Login,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Api {
    pub(super) fn open(opener: &Opener<'_>) -> Result<Self, PortError> {
        let wrong = |problem, message: String| PortError::new(problem, "open the model registry", message);
        let text = (opener.variable)(SERVER).filter(|text| !text.is_empty()).ok_or_else(|| {
            wrong(Problem::Denied, format!("environment variable {SERVER} is not set"))
                .hint("set it to the address of the MLflow server in the environment of the job")
        })?;
        let mut base = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                wrong(Problem::Invalid, format!("{SERVER} is no address of a server"))
                    .hint("write http(s)://HOST[:PORT]; a directory or a database is no server")
            })?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong(Problem::Invalid, format!("{SERVER} holds credentials"))
                .hint(format!("set {USER} and {PASSWORD}, or {TOKEN}")));
        }
        let secret = |name: &str| (opener.secret)(name).filter(|value| !value.is_empty()).map(Redacted::new);
        let login = match (secret(TOKEN), secret(USER), secret(PASSWORD)) {
            (_, Some(user), Some(password)) => Login::Basic(user, password),
            (Some(token), None, None) => Login::Token(token),
            (None, None, None) => Login::None,
            _ => {
                return Err(wrong(Problem::Denied, format!("only one of {USER} and {PASSWORD} is set"))
                    .hint("set both, or neither"));
            }
        };
        if base.scheme() == "http" && !http::is_loopback(&base) && !matches!(login, Login::None) {
            return Err(wrong(Problem::Invalid, "the credentials would be sent unencrypted".to_owned())
                .hint(format!("name an https address in {SERVER}")));
        }
        base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
        Ok(Self { client: http::client(ANSWER)?, base, login })
    }

    /// The server, without anything secret: what it serves on another address is another place.
    pub(super) fn address(&self) -> String {
        format!("{}{}", shown(&self.base), self.base.path().trim_end_matches('/'))
    }

    /// Asks for a document.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        about: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, PortError> {
        let request = self.client.get(self.url(path, query));
        let response = self.ask(about, &request).await?;
        let bytes = body(about, response).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("its answer is none of the model registry's: {error}");
            PortError::new(Problem::Invalid, about, message)
                .hint(format!("check that {SERVER} names an MLflow server, and no login page before it"))
        })
    }

    /// Changes something; to do it twice is the same as once.
    pub(super) async fn post(&self, about: &str, path: &str, document: &Value) -> Result<(), PortError> {
        let request = self.client.post(self.url(path, &[])).json(document);
        self.ask(about, &request).await.map(|_| ())
    }

    /// Begins to read a file.
    pub(super) async fn file(&self, about: &str, path: &str) -> Result<Response, PortError> {
        let mut url = self.url("mlflow-artifacts/artifacts", &[]);
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.extend(path.split('/'));
        }
        self.ask(about, &self.client.get(url).timeout(FILE)).await
    }

    /// The folder behind an address of the server's own artifacts.
    pub(super) fn proxied(&self, about: &str, uri: &str) -> Result<String, PortError> {
        let refuse = |message: String| {
            PortError::new(Problem::Unsupported, about, message).hint(
                "start the server with --serve-artifacts and --artifacts-destination, and let runs log to it",
            )
        };
        let Some(rest) = uri.strip_prefix(PROXIED) else {
            let scheme = uri.split(':').next().unwrap_or_default();
            return Err(refuse(format!("its files lie at {scheme}:..., which the server does not hand out")));
        };
        let path = match rest.strip_prefix("//") {
            None => rest,
            Some(named) => {
                let (authority, path) = named.split_once('/').unwrap_or((named, ""));
                let own = self.base.host_str().unwrap_or_default();
                let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
                if !authority.is_empty() && host != own {
                    return Err(refuse(format!("its files lie on another server, {host}")));
                }
                path
            }
        };
        Ok(path.trim_matches('/').to_owned())
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}api/2.0/{path}", self.base.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn ask(&self, about: &str, request: &RequestBuilder) -> Result<Response, PortError> {
        let mut tries = 1;
        loop {
            let sent = match request.try_clone() {
                Some(request) => timeout(STALL, self.signed(request).send()).await,
                None => {
                    return Err(PortError::new(Problem::Local, about, "the request cannot be sent again"));
                }
            };
            let outcome = match sent {
                Ok(Ok(response)) if response.status().is_success() => return Ok(response),
                Ok(Ok(response)) => Err(refused(about, response).await),
                Ok(Err(error)) => Err(self.silent(about, &http::cause(&error))),
                Err(_elapsed) => Err(self.silent(about, "no answer in time")),
            };
            match outcome {
                Err(error) if error.problem == Problem::Unreachable && tries < TRIES => {
                    tokio::time::sleep(Duration::from_millis(200 << tries)).await;
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    fn silent(&self, about: &str, why: &str) -> PortError {
        let message = format!("{} does not answer: {why}", shown(&self.base));
        PortError::new(Problem::Unreachable, about, message)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.login {
            Login::None => request,
            Login::Token(token) => request.bearer_auth(token.expose()),
            Login::Basic(user, password) => request.basic_auth(user.expose(), Some(password.expose())),
        }
    }
}

fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The next bytes of an answer, where they come within this time.
pub(super) async fn chunk(
    about: &str,
    response: &mut Response,
    stall: Duration,
) -> Result<Option<Bytes>, PortError> {
    let lost = |why: String| PortError::new(Problem::Unreachable, about, why);
    match timeout(stall, response.chunk()).await {
        Ok(chunk) => chunk.map_err(|error| lost(http::cause(&error))),
        Err(_elapsed) => Err(lost(format!("nothing more came for {} seconds", stall.as_secs()))),
    }
}

/// Reads an answer up to the limit.
async fn body(about: &str, mut response: Response) -> Result<Vec<u8>, PortError> {
    let mut bytes = vec![];
    while let Some(chunk) = chunk(about, &mut response, STALL).await? {
        if bytes.len() + chunk.len() > LARGEST {
            let message = format!("the answer is larger than {LARGEST} bytes");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What an answer means that is no success.
async fn refused(about: &str, response: Response) -> PortError {
    let status = response.status().as_u16();
    let document: Option<Value> =
        body(about, response).await.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let word = |key: &str| {
        let text = document.as_ref().and_then(|document| document.get(key)).and_then(Value::as_str);
        let line = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        line.replace(char::is_control, "").chars().take(300).collect::<String>()
    };
    let (code, said) = (word("error_code"), word("message"));
    let (problem, hint) = match status {
        401 | 403 => (
            Problem::Denied,
            Some(format!("set {TOKEN}, or {USER} and {PASSWORD}, to credentials that may do this")),
        ),
        404 => (Problem::NotFound, None),
        _ if code == "RESOURCE_DOES_NOT_EXIST" => (Problem::NotFound, None),
        300..=399 => (Problem::Invalid, Some(format!("name the address that it sends on to in {SERVER}"))),
        408 | 429 | 500.. => (Problem::Unreachable, None),
        _ => (Problem::Invalid, None),
    };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let error = PortError::new(problem, about, format!("the server answered HTTP {status}{said}"));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_file_that_stops_coming_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Its request fits into one read.
            assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await.unwrap();
            stream
        };
        let client = http::client(ANSWER).unwrap();
        // The connection stays open and brings nothing more.
        let (_open, response) = tokio::join!(server, client.get(url).send());
        let mut response = response.unwrap();
        assert_eq!(chunk("fetch", &mut response, ANSWER).await.unwrap().as_deref(), Some(&b"abc"[..]));
        let given_up = chunk("fetch", &mut response, Duration::ZERO).await.unwrap_err();
        assert_eq!(given_up.problem, Problem::Unreachable);
        assert!(given_up.to_string().contains("nothing more came"), "{given_up}");
    }
}
