//! `tagship pull`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;
use tagship_domain::{ByteSize, Exit, Manifest, Release};
use tagship_ports::ArtifactStore;
use tagship_release::{self as release, Reference};
use tagship_runner::{Failure, args::PullArgs};

use crate::{answer::Answer, failure::failed, workspace::Workspace};

pub(crate) async fn run(args: &PullArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let release = find(workspace, &args.reference).await?;
    let settings = workspace.config.models.get(&release.model).ok_or_else(|| {
        Failure::usage(format!("model {} is not configured, so its store is unknown", release.model))
    })?;
    let store = workspace.store(settings)?;
    let manifest = release::read_manifest(store.as_ref(), &release).await.map_err(failed)?;
    let directory =
        args.output.clone().unwrap_or_else(|| PathBuf::from(release.to_string().replace(['/', ':'], "_")));
    must_be_empty(&directory)?;
    let _shown = workspace.transfers.show(&format!("pull {release}"), manifest.size);
    let artifact = fetch(store.as_ref(), &manifest, &directory).await?;
    let size = ByteSize::bytes(manifest.size);
    let text = format!("{release}: {} files, {size}, verified\n{}", manifest.files.len(), artifact.display());
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

/// Fetches into a directory beside, or inside where there is one already, so that files appear once all are there.
async fn fetch(store: &dyn ArtifactStore, manifest: &Manifest, directory: &Path) -> Result<PathBuf, Failure> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A directory that exists may be a mount, which cannot be replaced.
    let exists = directory.is_dir();
    let beside = if exists { directory } else { parent };
    let made = fs::create_dir_all(beside)
        .and_then(|()| tempfile::Builder::new().prefix(".tagship-pull-").tempdir_in(beside));
    let staging = made.map_err(unwritable(beside))?;
    let whole = staging.path().join("release");
    let artifact = release::fetch_release(store, manifest, &whole).await.map_err(failed)?;
    let artifact = match artifact.strip_prefix(&whole) {
        Ok(inside) if inside != Path::new("") => directory.join(inside),
        _ => directory.to_owned(),
    };
    let moved = if exists { move_entries(&whole, directory) } else { fs::rename(&whole, directory) };
    moved.map_err(unwritable(directory))?;
    Ok(artifact)
}

fn move_entries(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn unwritable(directory: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| Failure::unwritable(format!("write {}", directory.display()), &error)
}

/// Files that are there already could be taken for files of the release.
fn must_be_empty(directory: &Path) -> Result<(), Failure> {
    let empty = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::usage(format!("read {}: {error}", directory.display()))),
    };
    if empty {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is not empty", directory.display()))
        .hint("pass --output with another directory"))
}
