//! Where a release is put together before it is seen: a hidden directory named by its manifest, so that a later run goes on
//! with what an earlier one left, and locked, so that two runs do not mix.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tagship_adapters::open_exclusively;
use tagship_artifact::digest_path;
use tagship_domain::{Digest, FileEntry};
use tagship_ports::Problem;
use tagship_release::signing::FileTree as _;
use tagship_runner::Failure;

use crate::{failure::failed, file_tree::DiskTree};

/// Name of the file that names what is on its way.
const MOVING: &str = "moving";
/// How often a directory is made again that another run takes away as it ends.
const TRIES: usize = 5;

/// A release that is put together.
#[derive(Debug)]
pub(crate) struct Staging {
    /// Where the release goes.
    to: PathBuf,
    /// Whether `to` is there already: it may be a mount, which cannot be replaced, and is filled instead.
    exists: bool,
    root: PathBuf,
    _lock: File,
}

impl Staging {
    /// Begins, or goes on. The place must be absent or empty: files there could be taken for files of the release.
    pub(crate) fn open(to: &Path, manifest: &Digest) -> Result<Self, Failure> {
        let exists = to.is_dir();
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let short = &manifest.hex()[..16];
        let root = if exists {
            to.join(format!(".tagship-pull-{short}"))
        } else {
            let name: String =
                to.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
            parent.join(format!(".tagship-pull-{short}-{name}"))
        };
        must_be_free(to, &root)?;
        let lock = locked(&root)?;
        // Another run may have shown the release while this one waited.
        must_be_free(to, &root)?;
        let staging = Self { to: to.to_owned(), exists, root, _lock: lock };
        staging.take_back()?;
        Ok(staging)
    }

    /// The directory for the files.
    pub(crate) fn whole(&self) -> PathBuf {
        self.root.join("release")
    }

    /// The files that are not there yet. What is there is read again; what does not belong goes, but for the beginnings of
    /// files.
    pub(crate) fn missing(&self, files: &[FileEntry]) -> Result<Vec<FileEntry>, Failure> {
        let whole = self.whole();
        fs::create_dir_all(&whole).map_err(unwritable(&whole))?;
        let unclear = |error: tagship_release::signing::SignatureError| {
            Failure::usage(format!("go on with {}: {error}", self.root.display()))
                .hint("remove that directory and run again")
        };
        let mut there = BTreeSet::new();
        for path in DiskTree::at(&whole).and_then(|tree| tree.paths()).map_err(unclear)? {
            let at = whole.join(&path);
            let is_whole = files.iter().any(|file| {
                file.path == path && digest_path(&at).is_ok_and(|(digest, _)| digest == file.sha256)
            });
            if is_whole {
                there.insert(path);
            } else if !files.iter().any(|file| is_beginning_of(&at, &whole.join(&file.path))) {
                fs::remove_file(&at).map_err(unwritable(&at))?;
            }
        }
        Ok(files.iter().filter(|file| !there.contains(&file.path)).cloned().collect())
    }

    /// Gives the release its place, and takes the rest away. All its files must be there by now, and nothing else is shown.
    pub(crate) fn show(self, files: &[FileEntry]) -> Result<(), Failure> {
        let whole = self.whole();
        self.clear(files)?;
        let moved = if self.exists {
            self.note_moving().and_then(|()| move_entries(&whole, &self.to))
        } else {
            fs::rename(&whole, &self.to)
        };
        moved.and_then(|()| fs::remove_dir_all(&self.root)).map_err(unwritable(&self.to))
    }

    /// Removes what is not of the release, as the beginning of a file that another store has fetched whole since.
    fn clear(&self, files: &[FileEntry]) -> Result<(), Failure> {
        let whole = self.whole();
        let paths = DiskTree::at(&whole).and_then(|tree| tree.paths());
        let paths: BTreeSet<String> =
            paths.map_err(|error| Failure::incomplete(error.to_string()))?.into_iter().collect();
        if let Some(lost) = files.iter().find(|file| !paths.contains(&file.path)) {
            let text = format!("show {}: {} is gone again", self.to.display(), lost.path);
            return Err(Failure::incomplete(text).hint("run again"));
        }
        for path in paths.iter().filter(|path| files.iter().all(|file| file.path != **path)) {
            let at = whole.join(path);
            fs::remove_file(&at).map_err(unwritable(&at))?;
        }
        Ok(())
    }

    /// What says that files are on their way to their place, and which.
    fn moving(&self) -> PathBuf {
        self.root.join(MOVING)
    }

    fn note_moving(&self) -> io::Result<()> {
        let names =
            fs::read_dir(self.whole())?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<io::Result<Vec<String>>>()?;
        let written = self.root.join("moving.new");
        fs::write(&written, serde_json::to_vec(&names)?)?;
        File::open(&written)?.sync_all()?;
        fs::rename(written, self.moving())
    }

    /// Takes back what a run moved that was killed before it had moved all.
    fn take_back(&self) -> Result<(), Failure> {
        if !self.exists || !self.moving().exists() {
            return Ok(());
        }
        let whole = self.whole();
        let back = || {
            fs::create_dir_all(&whole)?;
            // Those alone: somebody may have put files of their own there since.
            for name in moved_names(&self.root) {
                let at = self.to.join(&name);
                if fs::symlink_metadata(&at).is_ok() {
                    fs::rename(at, whole.join(name))?;
                }
            }
            fs::remove_file(self.moving())
        };
        back().map_err(unwritable(&self.to))
    }
}

impl Drop for Staging {
    /// Leaves nothing where there is nothing to go on with.
    fn drop(&mut self) {
        let paths = DiskTree::at(&self.whole()).and_then(|tree| tree.paths());
        if paths.is_ok_and(|paths| paths.is_empty()) && !self.moving().exists() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Whether a file is what an adapter leaves of another one that was not fetched to its end.
fn is_beginning_of(path: &Path, whole: &Path) -> bool {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    path.parent() == whole.parent()
        && name(path).starts_with(&format!(".{}.", name(whole)))
        && name(path).ends_with(".partial")
}

/// The names that an interrupted move was about.
fn moved_names(root: &Path) -> BTreeSet<String> {
    let read = fs::read(root.join(MOVING)).ok();
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn locked(root: &Path) -> Result<File, Failure> {
    let mut tries = 1;
    loop {
        fs::create_dir_all(root).map_err(unwritable(root))?;
        if fs::symlink_metadata(root).is_ok_and(|there| there.is_symlink()) {
            return Err(
                Failure::usage(format!("{} is a link", root.display())).hint("remove it and run again")
            );
        }
        #[cfg(unix)]
        must_be_owned(root, owner_of_new_files_beside(root).map_err(unwritable(root))?)?;
        match open_exclusively(&root.join("lock")) {
            Err(error) if error.problem == Problem::NotFound && tries < TRIES => tries += 1,
            opened => return opened.map_err(failed),
        }
    }
}

/// Who owns what this run writes there: not every filesystem says the user that runs.
#[cfg(unix)]
fn owner_of_new_files_beside(root: &Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(tempfile::tempfile_in(parent)?.metadata()?.uid())
}

/// The name of the directory can be foreseen: somebody else's could change files after they were verified.
#[cfg(unix)]
fn must_be_owned(root: &Path, owner: u32) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let found = match fs::symlink_metadata(root) {
        Ok(there) => there.uid(),
        // Another run has ended, and takes it away.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unwritable(root)(error)),
    };
    if found == owner {
        return Ok(());
    }
    let message = format!("{} belongs to the user {found}, and this run is the user {owner}", root.display());
    Err(Failure::usage(message).hint("remove it, or pull to a directory that only you may write in"))
}

fn move_entries(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| Failure::unwritable(format!("write {}", path.display()), &error)
}

fn must_be_free(to: &Path, root: &Path) -> Result<(), Failure> {
    let moved = moved_names(root);
    let is_ours = |entry: &fs::DirEntry| {
        entry.path() == root || moved.contains(entry.file_name().to_string_lossy().as_ref())
    };
    let free = match fs::read_dir(to) {
        Ok(entries) => entries.filter_map(Result::ok).all(|entry| is_ours(&entry)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::usage(format!("read {}: {error}", to.display()))),
    };
    if free {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is not empty", to.display())).hint("pass --output with another directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Three files of a release; the manifest's own digest is that of one of them.
    fn entries(directory: &Path) -> Vec<FileEntry> {
        for name in ["a", "b", "c"] {
            fs::write(directory.join(name), name).unwrap();
        }
        digest_path(directory).unwrap().1
    }

    #[test]
    fn a_later_run_goes_on_with_what_is_whole_and_trusts_nothing_else() {
        let (source, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = entries(source.path());
        let (to, digest) = (directory.path().join("out"), files[0].sha256.clone());
        let first = Staging::open(&to, &digest).unwrap();
        let whole = first.whole();
        assert_eq!(first.missing(&files).unwrap(), files);
        for (name, bytes) in [("a", "a"), ("b", "x"), ("stray", "s"), (".c.0123456789ab.partial", "c")] {
            fs::write(whole.join(name), bytes).unwrap();
        }
        let busy = Staging::open(&to, &digest).unwrap_err();
        assert!(busy.to_string().contains("another run"), "{busy}");
        drop(first);
        let second = Staging::open(&to, &digest).unwrap();
        assert_eq!(second.missing(&files).unwrap(), files[1..]);
        assert_eq!(names(&whole), [".c.0123456789ab.partial", "a"]);
        fs::write(whole.join("b"), "b").unwrap();
        fs::write(whole.join("c"), "c").unwrap();
        second.show(&files).unwrap();
        assert_eq!(names(directory.path()), ["out"]);
        assert_eq!(names(&to), ["a", "b", "c"], "the beginning of a file is not shown");
    }

    #[test]
    fn a_run_that_was_killed_while_files_moved_is_gone_on_with() {
        let (source, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = entries(source.path());
        let (to, digest) = (directory.path(), files[0].sha256.clone());
        let first = Staging::open(to, &digest).unwrap();
        assert_eq!(first.missing(&files).unwrap().len(), 3);
        for name in ["b", "c"] {
            fs::copy(source.path().join(name), first.whole().join(name)).unwrap();
        }
        fs::copy(source.path().join("a"), first.whole().join("a")).unwrap();
        first.note_moving().unwrap();
        fs::rename(first.whole().join("a"), to.join("a")).unwrap();
        drop(first);
        fs::write(to.join("notes.txt"), "mine").unwrap();
        Staging::open(to, &digest).expect_err("somebody else's file is there");
        assert_eq!(fs::read_to_string(to.join("notes.txt")).unwrap(), "mine");
        fs::remove_file(to.join("notes.txt")).unwrap();
        let second = Staging::open(to, &digest).unwrap();
        assert_eq!(second.missing(&files).unwrap(), []);
        second.show(&files).unwrap();
        assert_eq!(names(to), ["a", "b", "c"]);
        Staging::open(to, &digest).expect_err("it is not empty");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_gone_on_with() {
        let (source, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = entries(source.path());
        let staging = Staging::open(&directory.path().join("out"), &files[0].sha256).unwrap();
        staging.missing(&files).unwrap();
        std::os::unix::fs::symlink(source.path().join("a"), staging.whole().join("a")).unwrap();
        let error = staging.missing(&files).unwrap_err();
        assert!(error.to_string().contains("is a link"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_of_somebody_else_is_not_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join(".tagship-pull-0123456789abcdef-out");
        fs::create_dir(&root).unwrap();
        let mine = owner_of_new_files_beside(&root).unwrap();
        must_be_owned(&root, mine).unwrap();
        let error = must_be_owned(&root, mine + 1).unwrap_err().to_string();
        assert!(error.contains(&format!("belongs to the user {mine}")), "{error}");
    }

    #[test]
    fn nothing_stays_where_nothing_was_fetched() {
        let (source, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = entries(source.path());
        let staging = Staging::open(&directory.path().join("out"), &files[0].sha256).unwrap();
        staging.missing(&files).unwrap();
        drop(staging);
        assert!(names(directory.path()).is_empty());
    }
}
