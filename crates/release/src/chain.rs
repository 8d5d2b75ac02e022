//! Checking again what a release rests on: its manifest, its bytes, its verdicts, its signature.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Digest, Manifest, Release,
    chain::{ChainCheck, ChainOutcome, ChainPart, SignatureLink},
    gate::Outcome,
    release::Attachment,
};
use tagship_ports::{ArtifactStore, PortError, Problem};

use crate::{
    error::ReleaseError, fetch::read_manifest, signing::PublicKey, signing::SignatureError,
    trust::check_signature,
};

/// Who is trusted to have signed a release.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Their keys.
    pub keys: &'a [PublicKey],
    /// Whether one of them must have.
    pub required: bool,
    /// Why another key that is trusted cannot be read, where one cannot.
    pub unread: Option<&'a str>,
}

/// Reads the manifest of a release; what is wrong with it is a finding, too.
pub async fn check_manifest(store: &dyn ArtifactStore, release: &Release) -> (Option<Manifest>, ChainCheck) {
    let check = |outcome, sentence: String| ChainCheck::of(ChainPart::Manifest, outcome, sentence);
    match read_manifest(store, release).await {
        Ok(manifest) => {
            let sentence = format!(
                "{} is the manifest that the tag names, and it describes {release}",
                short(&release.manifest)
            );
            (Some(manifest), check(ChainOutcome::Holds, sentence))
        }
        Err(ReleaseError::Port(error)) => (None, check(outcome(&error), error.to_string())),
        Err(error) => (None, check(ChainOutcome::Broken, error.to_string())),
    }
}

/// Name of the file that [`check_bytes`] reads into.
pub const SCRATCH: &str = "file";

/// Reads every file of a release from the store again, and what lies beside them. `scratch` is a directory for one file
/// after the other; the artifact's last one stays there.
pub async fn check_bytes(store: &dyn ArtifactStore, manifest: &Manifest, scratch: &Path) -> Vec<ChainCheck> {
    let bytes = manifest.files.iter().map(|file| (file.path.as_str(), &file.sha256));
    let evidence = manifest.evidence.values().map(|file| (file.path.as_str(), &file.sha256));
    let attached = manifest.attachments.values().map(|file| (file.path.as_str(), &file.sha256));
    let beside: BTreeMap<&str, &Digest> = evidence.chain(attached).collect();
    let documents = if beside.is_empty() {
        None
    } else {
        Some(check_files(store, ChainPart::Documents, beside, scratch).await)
    };
    let bytes = check_files(store, ChainPart::Bytes, bytes.collect(), scratch).await;
    [Some(bytes), documents].into_iter().flatten().collect()
}

async fn check_files(
    store: &dyn ArtifactStore,
    part: ChainPart,
    files: BTreeMap<&str, &Digest>,
    scratch: &Path,
) -> ChainCheck {
    let mut worst = (ChainOutcome::Holds, vec![]);
    for (path, digest) in &files {
        if let Err(error) = store.get(digest, &scratch.join(SCRATCH)).await {
            worst.0 = worst.0.max(outcome(&error));
            worst.1.push(format!("{path}: {error}"));
        }
    }
    let sentence = match worst.1.first() {
        None if files.len() == 1 => "the one file in the store is the one that the manifest names".to_owned(),
        None => format!("all {} files in the store are those that the manifest names", files.len()),
        Some(first) if worst.1.len() == 1 => first.clone(),
        Some(first) => format!("{first}; and {} more", worst.1.len() - 1),
    };
    ChainCheck::of(part, worst.0, sentence)
}

/// Whether validation and the gate judged these very bytes, and let them through.
pub fn check_verdicts(manifest: &Manifest) -> Vec<ChainCheck> {
    let Manifest { digest, validation, gate, .. } = manifest;
    let judged = validation.artifacts.iter().all(|artifact| artifact.sha256.as_ref() == Some(digest));
    let validated = match (judged && validation.artifacts.len() == 1, validation.passed()) {
        (true, true) => {
            (ChainOutcome::Holds, format!("validation judged {}: {}", short(digest), validation.verdict))
        }
        (true, false) => (ChainOutcome::Broken, format!("validation said {}", validation.verdict)),
        (false, _) => (ChainOutcome::Broken, format!("validation judged other bytes than {}", short(digest))),
    };
    let gated = match (gate.digest.as_ref() == Some(digest), gate.outcome) {
        (true, Outcome::Successful) => {
            (ChainOutcome::Holds, format!("the gate judged {}: {}", short(digest), gate.outcome))
        }
        (true, other) => (ChainOutcome::Broken, format!("the gate is {other}")),
        (false, _) => (ChainOutcome::Broken, format!("the gate judged other bytes than {}", short(digest))),
    };
    vec![
        ChainCheck::of(ChainPart::Validation, validated.0, validated.1),
        ChainCheck::of(ChainPart::Gate, gated.0, gated.1),
    ]
}

/// Whether a trusted key signed the release. Without a key nobody can tell; without a signature nothing is wrong unless
/// one is required.
pub async fn check_signed(
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    trust: Trust<'_>,
) -> (Option<SignatureLink>, ChainCheck) {
    let check = |outcome, sentence: String| ChainCheck::of(ChainPart::Signature, outcome, sentence);
    let bundle = match manifest.attachments.get(&Attachment::Signature) {
        Some(_) if trust.keys.is_empty() && trust.unread.is_some() => {
            return (None, check(ChainOutcome::Unknown, unchecked(trust)));
        }
        Some(bundle) if trust.keys.is_empty() => {
            let sentence = format!("signature {} is there, and no key is trusted", short(&bundle.sha256));
            return (None, check(ChainOutcome::Unknown, sentence));
        }
        Some(bundle) => bundle,
        None if trust.required => {
            return (
                None,
                check(ChainOutcome::Broken, "it was not signed, and a signature is required".to_owned()),
            );
        }
        None => return (None, check(ChainOutcome::NotApplicable, "it was not signed".to_owned())),
    };
    match check_signature(store, manifest, trust.keys).await {
        Ok(verified) => {
            let link = SignatureLink { key: verified.key().to_owned(), bundle: bundle.sha256.clone() };
            let sentence = format!("the trusted key {} signed all files under this name", &link.key[..12]);
            (Some(link), check(ChainOutcome::Holds, sentence))
        }
        Err(ReleaseError::Port(error)) => (None, check(outcome(&error), error.to_string())),
        Err(ReleaseError::Signature { source, .. })
            if trust.unread.is_some() && matches!(*source, SignatureError::OtherKey { .. }) =>
        {
            (None, check(ChainOutcome::Unknown, unchecked(trust)))
        }
        Err(ReleaseError::Signature { source, .. })
            if matches!(*source, SignatureError::Unsupported { .. }) =>
        {
            (None, check(ChainOutcome::Unknown, source.to_string()))
        }
        Err(error) => (None, check(ChainOutcome::Broken, error.to_string())),
    }
}

/// A signature that none of the keys at hand has made may be of one that could not be read.
fn unchecked(trust: Trust<'_>) -> String {
    format!("the signature was not checked: {}", trust.unread.unwrap_or_default())
}

/// What is not there or damaged is broken; whatever else fails says nothing.
fn outcome(error: &PortError) -> ChainOutcome {
    match error.problem {
        Problem::NotFound | Problem::Invalid => ChainOutcome::Broken,
        _ => ChainOutcome::Unknown,
    }
}

fn short(digest: &Digest) -> String {
    format!("sha256:{}", digest.short())
}
