//! An artifact of a workflow's run: `run-artifact:model`, as actions/upload-artifact keeps it.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use tagship_ports::{ArtifactPlace, PortError, RunArtifacts, model_registry::Fetched};
use zip::{ZipArchive, result::ZipError};

use crate::{
    disk::{blocking, local},
    taking::Taking,
};

const BUFFER: usize = 256 * 1024;

/// Runs whose artifacts may be meant, and the host that has them.
#[allow(missing_debug_implementations, reason = "it holds nothing but a seam")]
pub struct Runs {
    /// Where they are kept.
    pub host: Arc<dyn RunArtifacts>,
    /// The runs, the first that is looked at first.
    pub runs: Vec<u64>,
}

/// One artifact of them.
pub(super) struct RunArtifact {
    runs: Runs,
    name: String,
}

impl RunArtifact {
    pub(super) fn new(runs: Runs, name: &str) -> Self {
        Self { runs, name: name.to_owned() }
    }
}

#[async_trait]
impl ArtifactPlace for RunArtifact {
    fn location(&self) -> String {
        format!("run-artifact:{}", self.name)
    }

    async fn fetch(&self, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let beside = directory.parent().unwrap_or(directory);
        let scratch =
            tempfile::tempdir_in(beside).map_err(|error| local("create a directory in", beside, &error))?;
        let archive = scratch.path().join("artifact.zip");
        let run = self.runs.host.download(&self.runs.runs, &self.name, &archive, limit).await?;
        let taking = Taking::new(format!("unpack {}", self.location()), directory, limit);
        blocking(move || {
            let fetched = unpack(&archive, taking);
            drop(scratch);
            Ok(Fetched { run: Some(run), ..fetched? })
        })
        .await
    }
}

/// Takes every file out of an archive. Their checksums are compared on the way.
fn unpack(archive: &Path, mut taking: Taking) -> Result<Fetched, PortError> {
    let file = File::open(archive).map_err(|error| local("read", archive, &error))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(&taking, &error))?;
    for at in 0..zip.len() {
        let mut member = zip.by_index(at).map_err(|error| unreadable(&taking, &error))?;
        if member.is_dir() {
            continue;
        }
        if !member.is_file() {
            return Err(taking.invalid("it holds a link; upload files".to_owned()));
        }
        let name = member.name().map(Cow::into_owned).map_err(|error| unreadable(&taking, &error))?;
        let size = member.size();
        taking.expect(size)?;
        let mut incoming = taking.begin(&name)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = member.read(&mut buffer);
            match read.map_err(|error| incoming.invalid(format!("{name:?} cannot be read: {error}")))? {
                0 => break,
                read => incoming.write(&buffer[..read])?,
            }
        }
        incoming.end(Some(size))?;
    }
    taking.finish(false, None)
}

fn unreadable(taking: &Taking, error: &ZipError) -> PortError {
    taking.invalid(format!("the archive cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use tagship_domain::release::OriginRun;
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// A host that has one archive.
    struct Host(Vec<u8>);

    #[async_trait]
    impl RunArtifacts for Host {
        async fn download(
            &self,
            runs: &[u64],
            name: &str,
            to: &Path,
            _: u64,
        ) -> Result<OriginRun, PortError> {
            assert_eq!((runs, name), (&[7, 8][..], "model"));
            std::fs::write(to, &self.0).map_err(|error| local("write", to, &error))?;
            Ok(OriginRun { id: 8, attempt: Some(2) })
        }
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(vec![]));
        let how = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in files {
            zip.start_file(*name, how).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    async fn fetched(bytes: Vec<u8>, limit: u64) -> Result<Vec<(String, Vec<u8>)>, String> {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        let place = RunArtifact::new(Runs { host: Arc::new(Host(bytes)), runs: vec![7, 8] }, "model");
        let fetched = place.fetch(&inside, limit).await.map_err(|error| error.to_string())?;
        assert_eq!(fetched.run.map(|run| run.to_string()).unwrap(), "run 8, attempt 2");
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!((left, fetched.single_file), (1, fetched.files.len() == 1), "nothing else is left");
        let read = |path: &str| std::fs::read(inside.join(path)).unwrap();
        Ok(fetched.files.iter().map(|file| (file.path.clone(), read(&file.path))).collect())
    }

    #[tokio::test]
    async fn the_files_of_an_artifact_are_unpacked() {
        let long = vec![7_u8; 1 << 20];
        let files = [("model.onnx", b"weights".as_slice()), ("deep/er/data.bin", &long)];
        assert_eq!(
            fetched(archive(&files[..1]), 1 << 30).await.unwrap(),
            [("model.onnx".to_owned(), b"weights".to_vec())]
        );
        assert_eq!(
            fetched(archive(&files), 1 << 30).await.unwrap()[0],
            ("deep/er/data.bin".to_owned(), long.clone())
        );
    }

    #[tokio::test]
    async fn what_leads_out_is_too_large_damaged_or_a_link_is_refused() {
        let refused = async |bytes, limit| fetched(bytes, limit).await.unwrap_err();
        assert!(refused(archive(&[("../model.onnx", b"x")]), 100).await.contains("leads out"));
        assert!(refused(archive(&[("/etc/x", b"x")]), 100).await.contains("leads out"));
        // A megabyte of one value is a kilobyte in the archive.
        assert!(
            refused(archive(&[("m", &vec![7; 1 << 20])]), 100_000).await.contains("larger than 100000 bytes")
        );
        assert!(refused(archive(&[]), 100).await.contains("no files"));
        assert!(refused(b"PK no archive".to_vec(), 100).await.contains("cannot be read"));
        let mut damaged = archive(&[("model.onnx", b"weights that are long enough to be damaged")]);
        damaged[45] ^= 1;
        assert!(refused(damaged, 1000).await.contains("cannot be read"));
        let mut zip = ZipWriter::new(Cursor::new(vec![]));
        zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        assert!(refused(zip.finish().unwrap().into_inner(), 100).await.contains("holds a link"));
    }
}
