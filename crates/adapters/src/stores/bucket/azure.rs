//! Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use serde::Deserialize;
use tagship_ports::{PortError, Problem};

use super::{BucketStore, endpoint, endpoint::Endpoint};
use crate::{settings, stores::Opening};

const WHAT: &str = "store azure";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    account: String,
    container: String,
    prefix: Option<String>,
    endpoint: Option<String>,
    #[serde(default)]
    plain_http: bool,
    #[serde(default = "key")]
    key_env: String,
    #[serde(default = "signature")]
    sas_env: String,
    #[serde(default = "token")]
    token_env: String,
}

fn key() -> String {
    "AZURE_STORAGE_KEY".to_owned()
}

fn signature() -> String {
    "AZURE_STORAGE_SAS_TOKEN".to_owned()
}

fn token() -> String {
    "AZURE_STORAGE_TOKEN".to_owned()
}

/// Opens the store with the account's key, else a shared access signature, else a bearer token; all from the environment.
pub(in crate::stores) fn open(opening: &Opening<'_>) -> Result<BucketStore, PortError> {
    let given: Settings = settings::read(WHAT, opening.settings)?;
    let address =
        given.endpoint.as_deref().map(|text| Endpoint::read(WHAT, text, given.plain_http)).transpose()?;
    let variable = |name: &str| (opening.variable)(name).filter(|value| !value.is_empty());
    let builder = MicrosoftAzureBuilder::new()
        .with_account(&given.account)
        .with_container_name(&given.container)
        .with_client_options(endpoint::options(address.as_ref().is_some_and(|address| address.is_plain)))
        .with_http_connector(endpoint::Connector)
        .with_retry(endpoint::retry());
    let names = [&given.key_env, &given.sas_env, &given.token_env];
    let builder = match names.map(|name| variable(name)) {
        [Some(key), ..] => builder.with_access_key(key),
        [None, Some(signature), _] => builder.with_config(AzureConfigKey::SasKey, signature),
        [None, None, Some(token)] => builder.with_bearer_token_authorization(token),
        [None, None, None] => {
            let [key, signature, token] = names;
            let message = format!("none of the environment variables {key}, {signature} and {token} is set");
            return Err(PortError::new(Problem::Denied, format!("read the settings of {WHAT}"), message)
                .hint("set one of them in the job's environment"));
        }
    };
    let builder = match address {
        Some(address) => builder.with_endpoint(address.url),
        None => builder,
    };
    let service = builder.build().map_err(|error| settings::wrong(WHAT, error.to_string()))?;
    let (name, prefix) = (format!("{}/{}", given.account, given.container), given.prefix.as_deref());
    Ok(BucketStore::new(Arc::new(service), "azure", &name, prefix, opening.moved.clone()))
}
