//! `tagship pull`.

use std::path::PathBuf;

use serde_json::json;
use tagship_domain::{ByteSize, Exit, FileEntry, Manifest, Release};
use tagship_ports::ArtifactStore;
use tagship_release::{self as release, Reference};
use tagship_runner::{Failure, args::PullArgs};

use crate::{answer::Answer, failure::failed, staging::Staging, together::together, workspace::Workspace};

/// Files up to so many bytes are fetched several at a time.
const LARGE: u64 = 8 << 20;
/// How many of them.
const AT_A_TIME: usize = 4;

pub(crate) async fn run(args: &PullArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let release = find(workspace, &args.reference).await?;
    let settings = workspace.config.models.get(&release.model).ok_or_else(|| {
        Failure::usage(format!("model {} is not configured, so its store is unknown", release.model))
    })?;
    let store = workspace.store(settings)?;
    let manifest = release::read_manifest(store.as_ref(), &release).await.map_err(failed)?;
    let directory =
        args.output.clone().unwrap_or_else(|| PathBuf::from(release.to_string().replace(['/', ':'], "_")));
    let staging = Staging::open(&directory, &release.manifest)?;
    let shown = workspace.transfers.show(&format!("pull {release}"), manifest.size);
    fetch(workspace, store.as_ref(), &manifest, staging).await?;
    drop(shown);
    let artifact = release::artifact_in(&manifest, &directory);
    let size = ByteSize::bytes(manifest.size);
    let files = match manifest.files.len() {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    let text = format!("{release}: {files}, {size}, verified\n{}", artifact.display());
    let json = json!({ "release": release, "path": artifact, "size": manifest.size }).to_string();
    Ok(Answer::plain(Exit::Done, "pulled", "verified", text, json))
}

/// The release that a person names.
///
/// # Errors
/// When there is none.
pub(crate) async fn find(workspace: &Workspace, reference: &str) -> Result<Release, Failure> {
    let registry = workspace.registry().await?;
    let found = match reference.parse::<Reference>().map_err(failed)? {
        Reference::Version(model, version) => release::release_of_version(&registry, &model, &version),
        Reference::Environment(model, environment) => release::current(&registry, &model, &environment)
            .and_then(|current| {
                current.ok_or(release::ReleaseError::EmptyEnvironment { model, environment })
            }),
    };
    found.map_err(failed)
}

/// Fetches into a directory beside, or inside where there is one already, so that files appear once all are there. What an
/// earlier run fetched is gone on with.
async fn fetch(
    workspace: &Workspace,
    store: &dyn ArtifactStore,
    manifest: &Manifest,
    staging: Staging,
) -> Result<(), Failure> {
    let whole = staging.whole();
    let missing = staging.missing(&manifest.files)?;
    let left: u64 = missing.iter().map(|file| file.size).sum();
    workspace.transfers.advance(manifest.size.saturating_sub(left));
    let (large, small): (Vec<_>, Vec<_>) = missing.into_iter().partition(|file| file.size > LARGE);
    let get = async |file: FileEntry| store.get(&file.sha256, &whole.join(&file.path)).await.map_err(failed);
    // A large one is several ranges in memory at a time by itself.
    for file in large {
        get(file).await?;
    }
    for got in together(small.into_iter().map(get), AT_A_TIME).await {
        got?;
    }
    staging.show(&manifest.files)
}
