//! An object or a folder in a bucket: `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`.
//!
//! What the address does not say (region, endpoint, account) comes from the variables that the providers' own tools read.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tagship_config::Address;
use tagship_ports::{ArtifactPlace, PortError, Problem, model_registry::Fetched};

use super::Variables;
use crate::{
    stores::{BucketStore, Object, bucket_by},
    taking::Taking,
};

/// A key in a bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    store: BucketStore,
    key: String,
    place: String,
}

pub(crate) fn open(address: &Address, variables: &Variables<'_>) -> Result<Bucket, PortError> {
    let wrong = || {
        let kind = address.kind();
        PortError::new(Problem::Invalid, format!("read the address {address}"), "it names no bucket and key")
            .hint(format!("write {kind}://BUCKET/KEY"))
    };
    let (bucket, key) =
        address.rest().strip_prefix("//").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    if bucket.is_empty() || key.trim_matches('/').is_empty() {
        return Err(wrong());
    }
    let (kind, settings) = settings(address.kind(), bucket, variables.plain)?;
    Ok(Bucket::new(bucket_by(kind, &settings, variables.secret)?, key, address.as_str()))
}

/// The kind of store, and its settings.
fn settings(
    scheme: &str,
    bucket: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(&'static str, Map<String, Value>), PortError> {
    let mut settings = Map::new();
    let mut set = |key: &str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        settings.extend(value.map(|value| (key.to_owned(), Value::String(value))));
    };
    let kind = match scheme {
        "s3" => {
            set("bucket", Some(bucket.to_owned()));
            set("region", variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")));
            set("endpoint", variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")));
            "s3"
        }
        "gs" => {
            set("bucket", Some(bucket.to_owned()));
            "gcs"
        }
        _ => {
            let account = variable("AZURE_STORAGE_ACCOUNT").filter(|account| !account.is_empty());
            let missing = || {
                let message = "environment variable AZURE_STORAGE_ACCOUNT is not set";
                PortError::new(Problem::Denied, "open the container", message)
                    .hint("set it to the name of the storage account in the environment of the job")
            };
            set("account", Some(account.ok_or_else(missing)?));
            set("container", Some(bucket.to_owned()));
            "azure"
        }
    };
    Ok((kind, settings))
}

impl Bucket {
    pub(crate) fn new(store: BucketStore, key: &str, place: &str) -> Self {
        Self { store, key: key.to_owned(), place: place.to_owned() }
    }

    /// The objects under the key, and whether it is a folder; their names are those inside of it.
    ///
    /// # Errors
    /// As [`BucketStore::take`].
    pub(crate) async fn objects(&self, about: &str) -> Result<(bool, Vec<Object>), PortError> {
        self.store.objects(about, &self.key).await
    }
}

#[async_trait]
impl ArtifactPlace for Bucket {
    fn location(&self) -> String {
        self.place.clone()
    }

    async fn fetch(&self, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let about = format!("fetch {}", self.place);
        let taking = Taking::new(about.as_str(), directory, limit);
        self.store.take(&about, &self.key, taking).await
    }
}
