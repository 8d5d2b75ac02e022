//! Amazon S3, and services that speak its protocol.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, Checksum};
use serde::Deserialize;
use tagship_ports::PortError;

use super::{BucketStore, Proof, endpoint};
use crate::{
    settings,
    stores::{Opening, bucket::endpoint::Endpoint},
};

const WHAT: &str = "store s3";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    bucket: String,
    prefix: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
    path_style: Option<bool>,
    #[serde(default)]
    plain_http: bool,
    #[serde(default = "key_id")]
    key_id_env: String,
    #[serde(default = "secret_key")]
    secret_key_env: String,
    #[serde(default = "session_token")]
    session_token_env: String,
}

fn key_id() -> String {
    "AWS_ACCESS_KEY_ID".to_owned()
}

fn secret_key() -> String {
    "AWS_SECRET_ACCESS_KEY".to_owned()
}

fn session_token() -> String {
    "AWS_SESSION_TOKEN".to_owned()
}

/// Opens the store. Credentials come from the environment, as `aws-actions/configure-aws-credentials` leaves them there.
pub(in crate::stores) fn open(opening: &Opening<'_>) -> Result<BucketStore, PortError> {
    let given: Settings = settings::read(WHAT, opening.settings)?;
    let hint = "set it in the job's environment, e.g. by aws-actions/configure-aws-credentials";
    let secret = |name: &str| settings::secret(WHAT, name, opening.variable, hint);
    let address =
        given.endpoint.as_deref().map(|text| Endpoint::read(WHAT, text, given.plain_http)).transpose()?;
    let region = match (given.region, &address) {
        (Some(region), _) => region,
        // Services of one's own have none, and take any.
        (None, Some(_)) => "us-east-1".to_owned(),
        (None, None) => return Err(settings::wrong(WHAT, "missing field `region`")),
    };
    let path_style = given.path_style.unwrap_or(address.is_some());
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&given.bucket)
        .with_region(region)
        .with_access_key_id(secret(&given.key_id_env)?.expose())
        .with_secret_access_key(secret(&given.secret_key_env)?.expose())
        .with_virtual_hosted_style_request(!path_style)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_client_options(endpoint::options(address.as_ref().is_some_and(|address| address.is_plain)))
        .with_http_connector(endpoint::Connector)
        .with_retry(endpoint::retry());
    if let Some(token) = (opening.variable)(&given.session_token_env).filter(|token| !token.is_empty()) {
        builder = builder.with_token(token);
    }
    if let Some(address) = &address {
        builder = builder.with_endpoint(&address.url);
    }
    let service = builder.build().map_err(|error| settings::wrong(WHAT, error.to_string()))?;
    let prefix = given.prefix.as_deref();
    let store = BucketStore::new(Arc::new(service), "s3", &given.bucket, prefix, opening.moved.clone());
    // Amazon compares the checksum that comes with each request; others may not even look at it.
    let proof = if address.is_none() { Proof::ByService } else { Proof::ByReading };
    Ok(BucketStore { proof, ..store })
}
