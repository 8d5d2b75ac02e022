//! Target `local`: a `tagship serve` on this machine or, by URL and token, on another one.
//!
//! Speaks the control interface of [`tagship_domain::serving`]. The token goes to the configured address only and
//! never along a redirect.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::{Client, Method, Response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tagship_domain::{
    Digest, FileEntry, ModelName, Version,
    golden::GoldenCases,
    routing::Routing,
    serving::{
        Accepted, LoadOrder, ModelStatus, Outcome, PromoteOrder, Refusal, RollbackOrder, RoutingOrder,
        WeightOrder, model_path, path_segment, upload_path, version_path,
    },
    traffic::{TargetState, Weight},
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    ModelRunner, PortError, Problem, Target,
    model_runner::{GoldenBounds, Subject},
    target::{Capabilities, Done, Order},
};

use crate::{
    disk::{blocking, copy_hashing, local},
    http,
    inference::{Endpoint, refused},
};

/// Longest wait for an answer to a small request.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest wait for one uploaded file, or for a model to be loaded.
const TRANSFER: Duration = Duration::from_mins(10);
/// How often a load is repeated after files were uploaded.
const UPLOAD_ROUNDS: usize = 3;

/// Settings of target `local`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalSettings {
    /// Address of the inference interface, e.g. `http://127.0.0.1:8080`.
    #[serde(default = "default_url")]
    pub url: String,
    /// Address of the control interface.
    #[serde(default = "default_admin_url")]
    pub admin_url: String,
    /// Name of the environment variable that holds the control interface's token.
    #[serde(default = "default_token_env")]
    pub token_env: String,
}

fn default_url() -> String {
    "http://127.0.0.1:8080".to_owned()
}

fn default_admin_url() -> String {
    "http://127.0.0.1:8081".to_owned()
}

fn default_token_env() -> String {
    "TAGSHIP_SERVE_TOKEN".to_owned()
}

/// A model server.
#[derive(Clone)]
pub struct LocalTarget {
    client: Client,
    url: String,
    admin_url: String,
    token: String,
}

impl std::fmt::Debug for LocalTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalTarget").field("admin_url", &self.admin_url).finish_non_exhaustive()
    }
}

impl LocalTarget {
    /// A server at two addresses.
    ///
    /// # Errors
    /// When the HTTP client can't be set up.
    pub fn new(url: &str, admin_url: &str, token: &str) -> Result<Self, PortError> {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            client: http::client_to(ANSWER, admin_url)?,
            url: base(url),
            admin_url: base(admin_url),
            token: token.to_owned(),
        })
    }

    pub(crate) fn from_settings(
        settings: &Map<String, Value>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let operation = "read the settings of target local";
        let settings: LocalSettings = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))?;
        let token = secret(&settings.token_env).filter(|token| !token.is_empty()).ok_or_else(|| {
            let message = format!("environment variable {} is not set", settings.token_env);
            PortError::new(Problem::Denied, operation, message)
                .hint("set it to the token that `tagship serve` was started with")
        })?;
        Self::new(&settings.url, &settings.admin_url, &token)
    }

    /// Sends one request to the control interface.
    async fn admin(&self, operation: &str, request: reqwest::RequestBuilder) -> Result<Response, PortError> {
        request.bearer_auth(&self.token).send().await.map_err(|error| self.unreachable(operation, &error))
    }

    async fn order<T: Serialize + Sync>(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        order: &T,
    ) -> Result<Done, PortError> {
        let request = self.client.request(method, format!("{}{path}", self.admin_url)).json(order);
        self.accepted(operation, self.admin(operation, request).await?).await
    }

    async fn accepted(&self, operation: &str, response: Response) -> Result<Done, PortError> {
        let accepted: Accepted = self.answer(operation, response).await?;
        Ok(match accepted.result {
            Outcome::Applied => Done::Applied,
            Outcome::AlreadyThere => Done::AlreadyThere,
        })
    }

    async fn answer<T: DeserializeOwned>(&self, operation: &str, response: Response) -> Result<T, PortError> {
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(operation, &error))?;
        if !status.is_success() {
            return Err(refused(operation, status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!("{} answered something else than a model server: {error}", self.admin_url);
            PortError::new(Problem::Invalid, operation, message)
        })
    }

    fn unreachable(&self, operation: &str, error: &reqwest::Error) -> PortError {
        let what = http::cause(error);
        PortError::new(Problem::Unreachable, operation, format!("{}: {what}", self.admin_url))
            .hint("check that `tagship serve` runs there and that admin-url names its admin address")
    }

    async fn upload(&self, operation: &str, digest: &Digest, path: &Path) -> Result<(), PortError> {
        let file = tokio::fs::File::open(path).await.map_err(|error| local("read", path, &error))?;
        let length = file.metadata().await.map_err(|error| local("read", path, &error))?.len();
        let request = self
            .client
            .put(format!("{}{}", self.admin_url, upload_path(digest)))
            .header(reqwest::header::CONTENT_LENGTH, length)
            .timeout(TRANSFER)
            .body(reqwest::Body::from(file));
        let response = self.admin(operation, request).await?;
        self.accepted(operation, response).await.map(|_| ())
    }

    /// Asks for a load; answers the files that the server still needs.
    async fn try_load(&self, operation: &str, path: &str, order: &LoadOrder) -> Result<Loaded, PortError> {
        let request = self.client.put(format!("{}{path}", self.admin_url)).json(order).timeout(TRANSFER);
        let response = self.admin(operation, request).await?;
        let status = response.status();
        if status.is_success() {
            return self.accepted(operation, response).await.map(Loaded::Done);
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(operation, &error))?;
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) if !refusal.missing.is_empty() => Ok(Loaded::Missing(refusal.missing)),
            _ => Err(refused(operation, status, &body)),
        }
    }
}

enum Loaded {
    Done(Done),
    Missing(Vec<Digest>),
}

/// The files of an artifact on disk, with size and digest; for a single file its own name.
fn list_files(bytes: &Path) -> Result<Vec<(PathBuf, FileEntry)>, PortError> {
    let mut found = Vec::new();
    let mut pending = vec![bytes.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).map_err(|error| local("read", &path, &error))?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path).map_err(|error| local("list", &path, &error))? {
                pending.push(entry.map_err(|error| local("list", &path, &error))?.path());
            }
            continue;
        }
        let mut file = fs::File::open(&path).map_err(|error| local("read", &path, &error))?;
        let sha256 =
            copy_hashing(&mut file, &mut std::io::sink()).map_err(|error| local("read", &path, &error))?;
        let relative = match path.strip_prefix(bytes) {
            Ok(inside) if inside.as_os_str().is_empty() => {
                path.file_name().map(PathBuf::from).unwrap_or_default()
            }
            Ok(inside) => inside.to_owned(),
            Err(_) => continue,
        };
        let name = relative.to_string_lossy().replace('\\', "/");
        found.push((path, FileEntry { path: name, size: metadata.len(), sha256 }));
    }
    found.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    Ok(found)
}

#[async_trait]
impl Target for LocalTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: true, shadow: true, matches: true }
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        let operation = format!("observe {model}");
        let request = self.client.get(format!("{}{}", self.admin_url, model_path(model)));
        let response = self.admin(&operation, request).await?;
        let status: ModelStatus = self.answer(&operation, response).await?;
        Ok(status.target_state())
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        bytes: &Path,
    ) -> Result<Done, PortError> {
        let operation = format!("load {} {version}", order.model);
        let root = bytes.to_owned();
        let files = blocking(move || list_files(&root)).await?;
        let entries = files.iter().map(|(_, entry)| entry.clone()).collect();
        let load = LoadOrder { fence: order.fence, digest: digest.clone(), files: entries };
        let path = version_path(&order.model, version);
        for _ in 0..UPLOAD_ROUNDS {
            match self.try_load(&operation, &path, &load).await? {
                Loaded::Done(done) => return Ok(done),
                Loaded::Missing(missing) => {
                    for (path, entry) in files.iter().filter(|(_, entry)| missing.contains(&entry.sha256)) {
                        self.upload(&operation, &entry.sha256, path).await?;
                    }
                }
            }
        }
        Err(PortError::new(
            Problem::Invalid,
            operation,
            "the server keeps asking for files that were uploaded",
        ))
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        let body = WeightOrder { fence: order.fence, version: version.clone(), weight };
        self.order(&operation, Method::POST, &format!("{}/weight", model_path(&order.model)), &body).await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let operation = format!("route the requests of {}", order.model);
        let body = RoutingOrder::new(order.fence, routing);
        self.order(&operation, Method::POST, &format!("{}/routing", model_path(&order.model)), &body).await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("promote {} {version}", order.model);
        let body = PromoteOrder { fence: order.fence, version: version.clone() };
        self.order(&operation, Method::POST, &format!("{}/promote", model_path(&order.model)), &body).await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let target = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let operation = format!("roll {} back to {target}", order.model);
        let body = RollbackOrder { fence: order.fence, to: to.cloned() };
        self.order(&operation, Method::POST, &format!("{}/rollback", model_path(&order.model)), &body).await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        let url = format!("{}{}?fence={}", self.admin_url, version_path(&order.model, version), order.fence);
        let response = self.admin(&operation, self.client.delete(url)).await?;
        self.accepted(&operation, response).await
    }
}

#[async_trait]
impl ModelRunner for LocalTarget {
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let Subject::Endpoint { model, version } = subject else {
            let message = "target local runs golden cases against loaded versions only".to_owned();
            return GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(message) };
        };
        let (name, number) = (path_segment(model.as_str()), path_segment(&version.to_string()));
        let url = format!("{}/v2/models/{name}/versions/{number}", self.url);
        let operation = format!("ask {model} {version}");
        Endpoint { client: &self.client, url: &url, operation }.run(cases, bounds).await
    }
}

#[cfg(test)]
mod tests;
