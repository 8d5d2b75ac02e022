//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::GoogleCloudStorageBuilder;
use serde::Deserialize;
use tagship_ports::{PortError, Problem};

use super::{BucketStore, endpoint, endpoint::Endpoint};
use crate::{settings, stores::Opening};

const WHAT: &str = "store gcs";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    bucket: String,
    prefix: Option<String>,
    endpoint: Option<String>,
    #[serde(default)]
    plain_http: bool,
    #[serde(default = "token")]
    token_env: String,
    #[serde(default = "key")]
    key_env: String,
}

fn token() -> String {
    "GOOGLE_OAUTH_ACCESS_TOKEN".to_owned()
}

fn key() -> String {
    "GOOGLE_SERVICE_ACCOUNT_KEY".to_owned()
}

/// Opens the store with a token, else with the key of a service account (its JSON); both from the environment.
pub(in crate::stores) fn open(opening: &Opening<'_>) -> Result<BucketStore, PortError> {
    let given: Settings = settings::read(WHAT, opening.settings)?;
    let address =
        given.endpoint.as_deref().map(|text| Endpoint::read(WHAT, text, given.plain_http)).transpose()?;
    let variable = |name: &str| (opening.variable)(name).filter(|value| !value.is_empty());
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&given.bucket)
        .with_client_options(endpoint::options(address.as_ref().is_some_and(|address| address.is_plain)))
        .with_http_connector(endpoint::Connector)
        .with_retry(endpoint::retry());
    let builder = match (variable(&given.token_env), variable(&given.key_env)) {
        (Some(token), _) => builder.with_bearer_token(token),
        (None, Some(key)) => builder.with_service_account_key(key),
        (None, None) => {
            let message =
                format!("neither environment variable {} nor {} is set", given.token_env, given.key_env);
            let operation = format!("read the settings of {WHAT}");
            return Err(PortError::new(Problem::Denied, operation, message).hint(
                "pass a token, e.g. `access_token` of google-github-actions/auth, or a service account's key in JSON",
            ));
        }
    };
    let builder = match &address {
        Some(address) => builder.with_base_url(&address.url),
        None => builder,
    };
    let service = builder.build().map_err(|error| settings::wrong(WHAT, error.to_string()))?;
    let prefix = given.prefix.as_deref();
    Ok(BucketStore::new(Arc::new(service), "gs", &given.bucket, prefix, opening.moved.clone()))
}

#[cfg(test)]
mod tests;
