//! The files of a version, through the server's proxy.

use serde::Deserialize;
use tagship_domain::signature::Signature;
use tagship_ports::{PortError, Problem, model_registry::Fetched};

use super::{
    api::{Api, STALL, chunk},
    signature,
};
use crate::taking::{MOST_FILES, Taking};

/// Most folders of a version.
const MOST_FOLDERS: usize = 1_000;
/// The file that describes a version.
const DESCRIPTION: &str = "MLmodel";
/// Largest description, in bytes.
const LARGEST_DESCRIPTION: u64 = 256 << 10;

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    #[serde(default)]
    is_dir: bool,
    #[serde(default)]
    file_size: Option<u64>,
}

/// A file with its path in the version.
struct Named {
    path: String,
    size: Option<u64>,
}

/// Fetches a version, or the one file of it that is meant.
pub(super) async fn fetch(
    api: &Api,
    about: &str,
    folder: &str,
    only: Option<&str>,
    mut taking: Taking,
) -> Result<Fetched, PortError> {
    let all = list(api, about, folder).await?;
    let signature = declared(api, about, folder, &all).await?;
    let wanted: Vec<&Named> = all.iter().filter(|file| only.is_none_or(|only| file.path == only)).collect();
    if let (Some(only), true) = (only, wanted.is_empty()) {
        let names: Vec<&str> = all.iter().map(|file| file.path.as_str()).take(20).collect();
        return Err(PortError::new(Problem::NotFound, about, format!("it has no file {only:?}"))
            .hint(format!("there is {}", names.join(", "))));
    }
    // What is known to be too large is refused before a byte of it comes.
    taking
        .expect(wanted.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size.unwrap_or_default())))?;
    for file in wanted {
        let name = only.map_or(file.path.as_str(), |only| only.rsplit('/').next().unwrap_or(only));
        let mut incoming = taking.begin(name)?;
        let mut response = api.file(about, &format!("{folder}/{}", file.path)).await?;
        let named = format!("{about}: {}", file.path);
        while let Some(chunk) = chunk(&named, &mut response, STALL).await? {
            incoming.write(&chunk)?;
        }
        incoming.end(file.size)?;
    }
    taking.finish(only.is_none(), signature)
}

/// Every file below a folder.
async fn list(api: &Api, about: &str, top: &str) -> Result<Vec<Named>, PortError> {
    let invalid = |message: String| PortError::new(Problem::Invalid, about, message);
    let (mut files, mut left, mut folders) = (vec![], vec![String::new()], 0);
    while let Some(folder) = left.pop() {
        folders += 1;
        if folders > MOST_FOLDERS {
            return Err(invalid(format!("it has more than {MOST_FOLDERS} folders")));
        }
        let path = if folder.is_empty() { top.to_owned() } else { format!("{top}/{folder}") };
        let listing: Listing = api.get(about, "mlflow-artifacts/artifacts", &[("path", &path)]).await?;
        for listed in listing.files {
            // The name in its folder; older servers answer the whole path.
            let name = listed.path.rsplit('/').next().unwrap_or_default();
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if listed.is_dir {
                left.push(path);
            } else {
                files.push(Named { path, size: listed.file_size });
            }
            if files.len() > MOST_FILES {
                return Err(invalid(format!("it has more than {MOST_FILES} files")));
            }
        }
    }
    if files.is_empty() {
        return Err(PortError::new(Problem::NotFound, about, "the server has no files of it"));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The interface that the version's description says. One that cannot be read says none: it is a claim, which what
/// validation finds in the bytes goes before.
async fn declared(
    api: &Api,
    about: &str,
    folder: &str,
    files: &[Named],
) -> Result<Option<Signature>, PortError> {
    let small =
        |file: &&Named| file.path == DESCRIPTION && file.size.is_none_or(|size| size <= LARGEST_DESCRIPTION);
    let Some(file) = files.iter().find(small) else { return Ok(None) };
    let mut response = api.file(about, &format!("{folder}/{}", file.path)).await?;
    let mut bytes = vec![];
    while let Some(chunk) = chunk(about, &mut response, STALL).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > LARGEST_DESCRIPTION {
            return Ok(None);
        }
    }
    Ok(signature::read(&String::from_utf8_lossy(&bytes)))
}
