//! Which files lie in which layer of a modelcar. Nodes keep layers: a version that changes a small file is fetched without
//! the large ones.

use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, FileEntry};

use super::{
    super::stream::{Blob, Piece},
    OciStore, tar,
};

/// Where `KServe` looks for files.
const ROOT: &str = "models/";
/// Files from this size on have a layer of their own.
const LARGE: u64 = 16 << 20;
/// Most of such layers: overlay filesystems stack 127 and a base needs some.
const MOST: usize = 60;

/// Files that are one layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layer<'a> {
    files: Vec<&'a FileEntry>,
}

/// The layers of a model's files: a large file is one, all others are one together.
pub(super) fn of(files: &[FileEntry]) -> Vec<Layer<'_>> {
    let (mut layers, mut together) = (vec![], vec![]);
    for file in files {
        if file.size >= LARGE && layers.len() < MOST {
            layers.push(Layer { files: vec![file] });
        } else {
            together.push(file);
        }
    }
    if !together.is_empty() {
        layers.push(Layer { files: together });
    }
    layers
}

/// Whether a path has a part that image layers read as the removal of another file (OCI Image Layer, "Whiteouts").
pub(super) fn takes_away(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with(".wh."))
}

impl Layer<'_> {
    /// What is in it: the digest of its files' paths and digests, in order.
    pub(super) fn key(&self) -> Digest {
        let mut hasher = Sha256::new();
        for file in &self.files {
            hasher.update(format!("{} {}\n", file.sha256, file.path));
        }
        Digest::from_bytes(hasher.finalize().into())
    }

    /// Its bytes: an archive whose files are read from a store.
    pub(super) fn pieces(&self, store: &OciStore) -> Vec<Piece> {
        let mut pieces: Vec<_> =
            self.directories().iter().map(|path| Piece::Bytes(tar::directory(path))).collect();
        for file in &self.files {
            pieces.push(Piece::Bytes(tar::file(&format!("{ROOT}{}", file.path), file.size)));
            let blob = Blob { store: store.clone(), digest: file.sha256.clone(), size: file.size };
            pieces.push(Piece::Blob(blob));
            pieces.push(Piece::Bytes(vec![0; tar::padding(file.size)]));
        }
        pieces.push(Piece::Bytes(tar::END.to_vec()));
        pieces
    }

    /// Every directory on the way to its files, those above first.
    fn directories(&self) -> Vec<String> {
        let mut found = std::collections::BTreeSet::from([ROOT.to_owned()]);
        for file in &self.files {
            let ends = file.path.match_indices('/').map(|(at, _)| format!("{ROOT}{}/", &file.path[..at]));
            found.extend(ends);
        }
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64) -> FileEntry {
        FileEntry { path: path.to_owned(), size, sha256: Digest::from_bytes([7; 32]) }
    }

    #[test]
    fn a_large_file_has_a_layer_of_its_own_and_small_ones_share_one() {
        let files = [file("a", 1), file("b/c", LARGE), file("b/d", 0)];
        let layers = of(&files);
        let paths = |layer: &Layer<'_>| layer.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(layers.iter().map(paths).collect::<Vec<_>>(), [vec!["b/c"], vec!["a", "b/d"]]);
        assert_eq!(layers[1].directories(), ["models/", "models/b/"]);
        assert_ne!(layers[0].key(), layers[1].key());
        let many: Vec<_> = (0..200).map(|at| file(&at.to_string(), LARGE)).collect();
        assert_eq!(of(&many).len(), MOST + 1);
    }
}
