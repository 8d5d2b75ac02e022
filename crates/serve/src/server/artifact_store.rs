//! The bytes of versions on disk, by digest.
//!
//! ```text
//! uploads/<sha256>             files that were uploaded and verified, not yet part of an artifact
//! artifacts/<digest>/<path>    whole artifacts; appear by renaming, complete and flushed to the disk
//! ```
//!
//! Invariant: what lies under a digest had that digest when it was put there; [`ArtifactStore::verify`] tells whether
//! it still has. Paths in a listing come from outside and never lead out of the artifact's directory.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, digest::directory_listing};
use tempfile::NamedTempFile;

use super::{
    ServeError,
    refused::Refused,
    state::{ServerState, StoredVersion},
    state_file::sync_directory,
};
use crate::artifact_file;

/// More files than this are no model.
const MAX_FILES: usize = 4096;

/// The artifacts of one server.
#[derive(Debug, Clone)]
pub(super) struct ArtifactStore {
    uploads: PathBuf,
    artifacts: PathBuf,
}

impl ArtifactStore {
    /// The store below a state directory. What a crash left behind (uploads, artifacts that `state` does not use) is
    /// removed.
    pub(super) fn open(directory: &Path, state: &ServerState) -> Result<Self, ServeError> {
        let store = Self { uploads: directory.join("uploads"), artifacts: directory.join("artifacts") };
        for directory in [&store.uploads, &store.artifacts] {
            fs::create_dir_all(directory).map_err(ServeError::storage("create", directory))?;
        }
        for path in entries(&store.uploads)? {
            fs::remove_file(&path).map_err(ServeError::storage("remove", &path))?;
        }
        for path in entries(&store.artifacts)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let digest = format!("sha256:{name}").parse::<Digest>();
            if !digest.is_ok_and(|digest| state.uses(&digest)) {
                fs::remove_dir_all(&path).map_err(ServeError::storage("remove", &path))?;
            }
        }
        Ok(store)
    }

    /// Where uploads lie.
    pub(super) fn uploads(&self) -> &Path {
        &self.uploads
    }

    /// A file to write an upload to; it is gone when dropped, until [`ArtifactStore::keep_upload`].
    pub(super) fn new_upload(&self) -> Result<NamedTempFile, ServeError> {
        NamedTempFile::new_in(&self.uploads).map_err(ServeError::storage("create a file in", &self.uploads))
    }

    /// Keeps a complete upload under the digest that was computed from its bytes.
    pub(super) fn keep_upload(&self, upload: NamedTempFile, digest: &Digest) -> Result<(), ServeError> {
        let path = self.upload(digest);
        upload.as_file().sync_all().map_err(ServeError::storage("write", &path))?;
        upload.persist(&path).map_err(|error| ServeError::storage("write", &path)(error.error))?;
        sync_directory(&self.uploads).map_err(ServeError::storage("write", &self.uploads))
    }

    /// Puts an artifact together from uploads, which are used up, and answers the path of its model file. An artifact
    /// that is here already is verified instead, and replaced where it is damaged.
    pub(super) fn install(&self, stored: &StoredVersion) -> Result<PathBuf, Refused> {
        check_listing(stored)?;
        if let Ok(model) = self.verify(stored) {
            return Ok(model);
        }
        let missing: BTreeSet<&Digest> = stored
            .files
            .iter()
            .map(|file| &file.sha256)
            .filter(|digest| !self.upload(digest).is_file())
            .collect();
        if !missing.is_empty() {
            return Err(Refused::Missing { files: missing.into_iter().cloned().collect() });
        }
        let home = self.home(&stored.digest);
        self.assemble(stored, &home).map_err(ServeError::storage("write", &home))?;
        let model = self.verify(stored).map_err(|detail| Refused::BadArtifact { detail })?;
        for file in &stored.files {
            // Already gone where two paths have the same bytes; otherwise the next start removes it.
            let _ = fs::remove_file(self.upload(&file.sha256));
        }
        Ok(model)
    }

    /// Reads every byte of an artifact again and answers the path of its model file, or what is wrong.
    pub(super) fn verify(&self, stored: &StoredVersion) -> Result<PathBuf, String> {
        let home = self.home(&stored.digest);
        for file in &stored.files {
            let path = home.join(&file.path);
            let found = sha256_of(&path).map_err(|error| format!("read {}: {error}", path.display()))?;
            if found != file.sha256 {
                return Err(format!(
                    "{} is damaged: its digest is {found}, not {}; deploy the version again",
                    path.display(),
                    file.sha256
                ));
            }
        }
        artifact_file::model_file(&home)
    }

    /// Removes an artifact that no version uses any more.
    pub(super) fn remove(&self, digest: &Digest) -> Result<(), ServeError> {
        let home = self.home(digest);
        match fs::remove_dir_all(&home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ServeError::Storage { doing: "remove", path: home, source: error })
            }
            _ => Ok(()),
        }
    }

    fn assemble(&self, stored: &StoredVersion, home: &Path) -> io::Result<()> {
        let building = tempfile::tempdir_in(&self.artifacts)?;
        let mut directories = BTreeSet::from([building.path().to_owned()]);
        for file in &stored.files {
            let path = building.path().join(&file.path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
                directories.extend(
                    parent
                        .ancestors()
                        .take_while(|above| above.starts_with(building.path()))
                        .map(Path::to_owned),
                );
            }
            fs::hard_link(self.upload(&file.sha256), &path)?;
        }
        for directory in &directories {
            sync_directory(directory)?;
        }
        match fs::remove_dir_all(home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(building.keep(), home)?;
        sync_directory(&self.artifacts)
    }

    fn upload(&self, digest: &Digest) -> PathBuf {
        self.uploads.join(digest.hex())
    }

    fn home(&self, digest: &Digest) -> PathBuf {
        self.artifacts.join(digest.hex())
    }
}

/// Whether a listing is one artifact: safe and distinct paths, and the digest it claims.
fn check_listing(stored: &StoredVersion) -> Result<(), Refused> {
    let bad = |detail: String| Err(Refused::BadArtifact { detail });
    let files = &stored.files;
    if files.is_empty() || files.len() > MAX_FILES {
        return bad(format!("an artifact has 1 to {MAX_FILES} files, this order lists {}", files.len()));
    }
    for file in files {
        let part =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
        if !file.path.split('/').all(part) {
            return bad(format!(
                "path {:?} leads out of the artifact or is not plain; rename the file",
                file.path
            ));
        }
    }
    if files.iter().map(|file| &file.path).collect::<BTreeSet<_>>().len() != files.len() {
        return bad("the order lists a path twice".to_owned());
    }
    let single = files.len() == 1 && files[0].sha256 == stored.digest;
    let listing = Digest::from_bytes(Sha256::digest(directory_listing(files).as_bytes()).into());
    if !single && listing != stored.digest {
        return bad(format!("the listed files have the digest {listing}, not {}", stored.digest));
    }
    Ok(())
}

fn sha256_of(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, ServeError> {
    let list =
        || fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>();
    list().map_err(ServeError::storage("list", directory))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tagship_domain::FileEntry;

    use super::*;

    fn digest(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha256::digest(bytes).into())
    }

    fn upload(store: &ArtifactStore, bytes: &[u8]) {
        let mut file = store.new_upload().unwrap();
        file.write_all(bytes).unwrap();
        store.keep_upload(file, &digest(bytes)).unwrap();
    }

    fn directory(files: &[(&str, &[u8])]) -> StoredVersion {
        let entry = |(path, bytes): &(&str, &[u8])| FileEntry {
            path: (*path).to_owned(),
            size: bytes.len() as u64,
            sha256: digest(bytes),
        };
        let files: Vec<FileEntry> = files.iter().map(entry).collect();
        StoredVersion { digest: digest(directory_listing(&files).as_bytes()), files }
    }

    fn empty_store(at: &Path) -> ArtifactStore {
        ArtifactStore::open(at, &ServerState::default()).unwrap()
    }

    #[test]
    fn a_directory_is_put_together_from_uploads_and_damage_is_noticed() {
        let at = tempfile::tempdir().unwrap();
        let store = empty_store(at.path());
        let stored = directory(&[("model.onnx", b"graph"), ("data/weights.bin", b"weights")]);
        upload(&store, b"graph");
        let missing = store.install(&stored).unwrap_err();
        assert!(
            matches!(&missing, Refused::Missing { files } if *files == [digest(b"weights")]),
            "{missing}"
        );
        upload(&store, b"weights");
        let model = store.install(&stored).unwrap();
        assert_eq!(fs::read(&model).unwrap(), b"graph");
        assert_eq!(store.install(&stored).unwrap(), model, "nothing needs to be uploaded a second time");

        let weights = model.with_file_name("data").join("weights.bin");
        fs::write(&weights, b"weightz").unwrap();
        assert!(store.verify(&stored).unwrap_err().contains("damaged"));
        upload(&store, b"graph");
        upload(&store, b"weights");
        store.install(&stored).unwrap();
        assert_eq!(fs::read(&weights).unwrap(), b"weights");
    }

    #[test]
    fn hostile_listings_are_refused() {
        let at = tempfile::tempdir().unwrap();
        let store = empty_store(at.path());
        upload(&store, b"x");
        for path in ["../x", "/x", "a//b", "", ".", "a/./b", "a\\b"] {
            let refused = store.install(&directory(&[(path, b"x")])).unwrap_err();
            assert!(matches!(refused, Refused::BadArtifact { .. }), "{path:?}");
        }
        let other = StoredVersion { digest: digest(b"y"), ..directory(&[("m.onnx", b"x")]) };
        assert!(matches!(store.install(&other), Err(Refused::BadArtifact { .. })));
        assert!(matches!(store.install(&directory(&[])), Err(Refused::BadArtifact { .. })));
    }

    #[test]
    fn leftovers_are_removed_at_the_next_start() {
        let at = tempfile::tempdir().unwrap();
        let store = empty_store(at.path());
        let stored = directory(&[("m.onnx", b"x")]);
        upload(&store, b"x");
        store.install(&stored).unwrap();
        upload(&store, b"y");
        let store = empty_store(at.path());
        assert!(store.verify(&stored).is_err());
        assert!(entries(&store.uploads).unwrap().is_empty());
    }
}
