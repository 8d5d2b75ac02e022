//! Keys: the private one that signs releases, the public ones that are trusted, and what a release without a trusted
//! signature is kept out of.

use std::path::Path;

use tagship_config::{KeySource, ModelConfig, RepoPath};
use tagship_domain::{Exit, Manifest, Redacted};
use tagship_ports::ArtifactStore;
use tagship_release::{
    self as release, ReleaseError,
    signing::{PublicKey, SigningKey},
};
use tagship_runner::{Context, Failure, files};

use crate::{failure::failed, pipeline::Place, workspace::Workspace};

/// Most bytes of a file with a key.
const KEY_FILE: u64 = 64 << 10;

/// The key that a model's releases are signed with; absent where they are not signed.
///
/// # Errors
/// When the variable holds no key.
pub(crate) fn signing_key(model: &ModelConfig) -> Result<Option<SigningKey>, Failure> {
    model.release.sign_key_env.as_deref().map(private_key).transpose()
}

/// The private key that a variable holds.
///
/// # Errors
/// When it is not set, or holds no key.
pub(crate) fn private_key(variable: &str) -> Result<SigningKey, Failure> {
    let Some(text) = Context::secret(variable) else {
        let text = format!("read the private key: the environment variable {variable} is not set");
        return Err(Failure::usage(text).hint(format!(
            "in a workflow pass the secret to the step: `env: {{ {variable}: ${{{{ secrets.{variable} }}}} }}`"
        )));
    };
    SigningKey::from_pem(&Redacted::new(text)).map_err(|error| {
        Failure::usage(format!("{variable}: {error}")).hint(
            "`openssl ecparam -name prime256v1 -genkey -noout` makes one; docs/guides/releases.md shows the way",
        )
    })
}

/// The keys one of which must have signed what goes to a place; absent where no signature is required there.
///
/// # Errors
/// When one of them cannot be read.
pub(crate) fn required_keys(
    workspace: &Workspace,
    place: Place<'_>,
) -> Result<Option<Vec<PublicKey>>, Failure> {
    place.settings.require_signature.then(|| trusted_keys(workspace, place.model)).transpose()
}

/// The keys that a model trusts, read where the configuration is: from the default branch, where the event is one that
/// others can cause.
///
/// # Errors
/// When one of them cannot be read.
pub(crate) fn trusted_keys(workspace: &Workspace, model: &ModelConfig) -> Result<Vec<PublicKey>, Failure> {
    model.trusted_keys.iter().map(|source| trusted_key(workspace, source)).collect()
}

/// The keys that a model trusts as far as they can be read, and why others can't.
pub(crate) fn readable_keys(workspace: &Workspace, model: &ModelConfig) -> (Vec<PublicKey>, Vec<Failure>) {
    let (mut keys, mut unread) = (vec![], vec![]);
    for source in &model.trusted_keys {
        match trusted_key(workspace, source) {
            Ok(key) => keys.push(key),
            Err(why) => unread.push(why),
        }
    }
    (keys, unread)
}

/// The public key in a file on disk.
///
/// # Errors
/// When it cannot be read, or is none.
pub(crate) fn key_at(path: &Path) -> Result<PublicKey, Failure> {
    let name = path.display().to_string();
    public_key(&name, files::read(path, KEY_FILE).map_err(|why| unread(&name, &why))?)
}

fn trusted_key(workspace: &Workspace, source: &KeySource) -> Result<PublicKey, Failure> {
    let bytes = match source {
        KeySource::File(path) => trusted_file(workspace, path)?,
        KeySource::Env(name) => Context::inherited(name)
            .ok_or_else(|| {
                Failure::usage(format!("read the public key: the environment variable {name} is not set"))
            })?
            .into_bytes(),
    };
    public_key(&source.to_string(), bytes)
}

fn trusted_file(workspace: &Workspace, path: &RepoPath) -> Result<Vec<u8>, Failure> {
    let wrong = |why: String| unread(path.as_str(), &why);
    if !workspace.context.is_privileged() {
        return files::read(&workspace.root.join(path), KEY_FILE).map_err(wrong);
    }
    let commit = workspace.context.sha.as_ref().ok_or_else(|| wrong("GITHUB_SHA is not set".to_owned()))?;
    let found = workspace.clone.read_file(commit, path.as_str()).map_err(failed)?;
    found.ok_or_else(|| wrong(format!("commit {} has no such file", commit.short())))
}

fn public_key(name: &str, bytes: Vec<u8>) -> Result<PublicKey, Failure> {
    let text = String::from_utf8(bytes).map_err(|_binary| unread(name, "it is not UTF-8"))?;
    PublicKey::from_pem(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

fn unread(name: &str, why: &str) -> Failure {
    Failure::usage(format!("read the public key {name}: {why}"))
}

/// What no trusted key has signed does not begin, where a signature is required.
///
/// # Errors
/// When it was not signed, or the signature is not believed.
pub(crate) async fn refuse_unsigned(
    workspace: &Workspace,
    place: Place<'_>,
    store: &dyn ArtifactStore,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let Some(trusted) = required_keys(workspace, place)? else { return Ok(()) };
    let error = match release::check_signature(store, manifest, &trusted).await {
        Ok(_) => return Ok(()),
        Err(error @ ReleaseError::Port(_)) => return Err(failed(error)),
        Err(error) => failed(error),
    };
    let Manifest { model, version, .. } = manifest;
    let text = format!("keep {model}@{version} out of {}: {}", place.environment, error.message);
    let failure = Failure::new(error.exit, error.reason_code, text);
    Err(match failure.exit {
        Exit::Negative => failure.hint(
            "a version is signed when it is released, with `release: { sign: { key-env: .. } }`; trusted keys stand under \
             `verify: { keys: [..] }`",
        ),
        _ => failure,
    })
}
