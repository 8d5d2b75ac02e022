//! `MLflow`: versions and aliases over its REST API, files through its server's proxy of artifacts.
//!
//! The server is the one that `MLFLOW_TRACKING_URI` names, with the credentials beside it, so that no configuration can
//! send them elsewhere. What it answers is bounded and believed no further than that.

mod address;
mod api;
mod files;
mod signature;

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use tagship_ports::{
    ModelRegistry, PortError, Problem,
    model_registry::{Fetched, RegisteredVersion},
    target::Done,
};

use self::{address::Address, api::Api};
use crate::{places::Opener, taking::Taking};

pub use address::Wanted;

/// Most versions that one answer lists.
const PAGE: &str = "200";
/// Most answers that a list is read from.
const MOST_PAGES: usize = 100;
/// What the server calls a version whose files are complete.
const READY: &str = "READY";

/// A registered model.
#[derive(Debug)]
pub struct Mlflow {
    api: Api,
    name: String,
    /// The one file that is meant, where the address names one.
    file: Option<String>,
}

/// Opens the model that an address names, e.g. `churn@candidate`.
///
/// # Errors
/// For an address that names none, or where the server or half of the credentials is missing.
pub fn open(rest: &str, opener: &Opener<'_>) -> Result<(Mlflow, Wanted), PortError> {
    let Address { name, wanted, file } = Address::read(rest)?;
    Ok((Mlflow { api: Api::open(opener)?, name, file }, wanted))
}

#[derive(Deserialize)]
struct Found {
    #[serde(default, rename = "model_versions")]
    versions: Vec<Version>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "version")]
    number: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Known {
    registered_model: Model,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    aliases: Vec<Alias>,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    version: String,
}

#[derive(Deserialize)]
struct Kept {
    artifact_uri: String,
}

#[derive(Deserialize)]
struct Ran {
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    info: Kept,
}

impl Mlflow {
    async fn model(&self) -> Result<Model, PortError> {
        let about = format!("read {}", self.location());
        let known: Known =
            self.api.get(&about, "mlflow/registered-models/get", &[("name", &self.name)]).await?;
        Ok(known.registered_model)
    }

    /// The folder of the server's artifacts that an address means: of a run, or by itself.
    async fn folder(&self, about: &str, uri: &str) -> Result<String, PortError> {
        let Some(of_run) = uri.strip_prefix("runs:/") else { return self.api.proxied(about, uri) };
        let (run, path) = of_run.trim_start_matches('/').split_once('/').unwrap_or((of_run, ""));
        let found: Ran = self.api.get(about, "mlflow/runs/get", &[("run_id", run)]).await?;
        let top = self.api.proxied(about, &found.run.info.artifact_uri)?;
        Ok(format!("{top}/{path}").trim_end_matches('/').to_owned())
    }

    async fn page(&self, about: &str, token: Option<&str>) -> Result<Found, PortError> {
        let filter = format!("name='{}'", self.name);
        let mut query =
            vec![("filter", filter.as_str()), ("order_by", "version_number DESC"), ("max_results", PAGE)];
        query.extend(token.map(|token| ("page_token", token)));
        self.api.get(about, "mlflow/model-versions/search", &query).await
    }
}

fn number(about: &str, text: &str) -> Result<u64, PortError> {
    text.parse().map_err(|_no_number| {
        PortError::new(
            Problem::Invalid,
            about,
            format!("the server answered version {text:?}, which is no number"),
        )
    })
}

#[async_trait]
impl ModelRegistry for Mlflow {
    fn location(&self) -> String {
        format!("mlflow:{}/{}", self.api.address(), self.name)
    }

    async fn versions(&self, after: u64) -> Result<Vec<RegisteredVersion>, PortError> {
        let about = format!("list the versions of {}", self.location());
        // A search for what is not there finds nothing, which is another thing than a model without versions.
        self.model().await?;
        let (mut versions, mut token) = (BTreeMap::new(), None);
        for _ in 0..MOST_PAGES {
            let found = self.page(&about, token.as_deref()).await?;
            let mut reached = false;
            for version in found.versions {
                let number = number(&about, &version.number)?;
                reached |= number <= after;
                if number > after && version.status.as_deref().is_none_or(|status| status == READY) {
                    let tags = version.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
                    versions.insert(number, RegisteredVersion { number, tags });
                }
            }
            token = found.next_page_token.filter(|token| !token.is_empty());
            if reached || token.is_none() {
                return Ok(versions.into_values().rev().collect());
            }
        }
        Err(PortError::new(
            Problem::Invalid,
            about,
            format!("the list does not end after {MOST_PAGES} pages"),
        ))
    }

    async fn aliased(&self, alias: &str) -> Result<Option<u64>, PortError> {
        let about = format!("read the alias {alias} of {}", self.location());
        let named = self.model().await?.aliases.into_iter().find(|known| known.alias == alias);
        named.map(|named| number(&about, &named.version)).transpose()
    }

    async fn point(&self, alias: &str, to: u64) -> Result<Done, PortError> {
        if self.aliased(alias).await? == Some(to) {
            return Ok(Done::AlreadyThere);
        }
        let about = format!("have the alias {alias} of {} name version {to}", self.location());
        let version = to.to_string();
        // The server takes any number for an alias, also of a version that is not there.
        let query = [("name", self.name.as_str()), ("version", version.as_str())];
        self.api.get::<serde_json::Value>(&about, "mlflow/model-versions/get", &query).await?;
        let body = json!({ "name": self.name, "alias": alias, "version": version });
        self.api.post(&about, "mlflow/registered-models/alias", &body).await?;
        Ok(Done::Applied)
    }

    async fn fetch(&self, number: u64, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let about = format!("fetch version {number} of {}", self.location());
        let version = number.to_string();
        let query = [("name", self.name.as_str()), ("version", version.as_str())];
        let kept: Kept = self.api.get(&about, "mlflow/model-versions/get-download-uri", &query).await?;
        let folder = self.folder(&about, &kept.artifact_uri).await?;
        let taking = Taking::new(about.as_str(), directory, limit);
        files::fetch(&self.api, &about, &folder, self.file.as_deref(), taking).await
    }
}
