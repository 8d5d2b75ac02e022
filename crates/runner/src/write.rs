//! Writing files: a reader sees the old one or the new one, never half of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tagship_domain::Exit;
use tempfile::NamedTempFile;

use crate::Failure;

/// What is done about a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// The new one takes its place.
    Replace,
    /// It stays, and the write is refused.
    Keep,
}

/// Writes a file that people asked for, as open as others of theirs.
///
/// # Errors
/// When it cannot be written, or is there and has to stay.
pub fn shared(path: &Path, text: &str, existing: Existing) -> Result<(), Failure> {
    let attempt = || format!("write {}", path.display());
    let written = temporary(path, text).and_then(|file| {
        readable(&file)?;
        match existing {
            Existing::Replace => file.persist(path),
            Existing::Keep => file.persist_noclobber(path),
        }
        .map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && existing == Existing::Keep => {
            Err(Failure::new(Exit::Usage, "exists", format!("{}: it exists", attempt()))
                .hint("pass --force to overwrite it"))
        }
        Err(error) => Err(Failure::unwritable(attempt(), &error)),
    }
}

/// In a folder that [`directory`] wrote: the paths of its files, a line each.
const OURS: &str = ".tagship-pages";

/// Writes a folder of files by their paths, with `/` between parts. Nobody sees half of it: it is made beside, and takes the place
/// of an earlier one as a whole. One that holds anything that no earlier run wrote there stays.
///
/// # Errors
/// When it cannot be written, is a link, or holds what somebody else put there.
pub fn directory(path: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let attempt = || format!("write {}", path.display());
    let failed = |error: io::Error| Failure::unwritable(attempt(), &error);
    let is_there = fs::symlink_metadata(path).is_ok();
    if is_there && let Some(foreign) = foreign(path).map_err(failed)? {
        let message = format!("{}: {} is of no earlier run", attempt(), foreign.display());
        return Err(Failure::new(Exit::Usage, "exists", message)
            .hint("name a folder that is not there yet, or an empty one"));
    }
    let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(beside).map_err(failed)?;
    let made = tempfile::Builder::new().prefix(".tagship-").tempdir_in(beside).map_err(failed)?;
    let (new, old) = (made.path().join("new"), made.path().join("old"));
    fs::create_dir(&new).map_err(failed)?;
    for (name, text) in files {
        shared(&new.join(name), text, Existing::Keep)?;
    }
    let names = files.keys().map(String::as_str).collect::<Vec<_>>().join("\n");
    shared(&new.join(OURS), &names, Existing::Keep)?;
    if is_there {
        fs::rename(path, &old).map_err(failed)?;
    }
    let Err(error) = fs::rename(&new, path) else { return Ok(()) };
    if is_there && fs::rename(&old, path).is_err() {
        let kept = made.keep().join("old");
        return Err(failed(error).hint(format!("the earlier folder is {}; move it back", kept.display())));
    }
    Err(failed(error))
}

/// What there is that [`directory`] did not write; the path itself where it is no folder.
fn foreign(path: &Path) -> io::Result<Option<PathBuf>> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Ok(Some(path.to_owned()));
    }
    let ours = fs::read_to_string(path.join(OURS)).unwrap_or_default();
    let ours: BTreeSet<PathBuf> = ours.lines().chain([OURS]).map(|name| path.join(name)).collect();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else if !ours.contains(&entry.path()) {
                return Ok(Some(entry.path()));
            }
        }
    }
    Ok(None)
}

/// Writes a file for later steps, which nobody else reads.
pub(crate) fn private(path: &Path, text: &str) -> io::Result<()> {
    temporary(path, text)?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn temporary(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut temporary = NamedTempFile::new_in(directory)?;
    // The plain file: its errors do not name the temporary path, which is gone when they are read.
    temporary.as_file_mut().write_all(text.as_bytes())?;
    Ok(temporary)
}

/// Temporary files are private.
#[cfg(unix)]
fn readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_or_kept_and_never_left_half() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/page.html");
        shared(&path, "one", Existing::Keep).unwrap();
        let refused = shared(&path, "two", Existing::Keep).unwrap_err();
        assert_eq!(
            (refused.exit, refused.message.ends_with("it exists")),
            (Exit::Usage, true),
            "{refused:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        shared(&path, "two", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no temporary file stays");
        assert!(shared(&path.join("below"), "x", Existing::Replace).is_err(), "a file is no directory");
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole_and_never_one_of_somebody_else() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("site");
        let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        directory(&out, &files(&["index.html", "models/a/b.html"])).unwrap();
        directory(&out, &files(&["index.html"])).unwrap();
        assert!(out.join("index.html").is_file() && !out.join("models").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing else stays");
        let theirs = place.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        directory(&theirs, &files(&["index.html"])).unwrap();
        fs::remove_file(theirs.join(OURS)).unwrap();
        let refused = directory(&theirs, &files(&["other.html"])).unwrap_err();
        assert_eq!((refused.exit, theirs.join("index.html").is_file()), (Exit::Usage, true), "{refused:?}");
        assert!(directory(&theirs.join("index.html"), &files(&["a"])).is_err(), "a file is no folder");
        assert!(theirs.join("index.html").is_file());
        // A copy of a site to which somebody adds is not ours either.
        fs::write(out.join("CNAME"), "models.example").unwrap();
        assert_eq!(directory(&out, &files(&["index.html"])).unwrap_err().exit, Exit::Usage);
        assert!(out.join("CNAME").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_folder_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("real")).unwrap();
        std::os::unix::fs::symlink(place.path().join("real"), place.path().join("site")).unwrap();
        assert!(directory(&place.path().join("site"), &BTreeMap::new()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_people_asked_for_is_as_open_as_their_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let mode =
            |name: &str| fs::metadata(directory.path().join(name)).unwrap().permissions().mode() & 0o777;
        shared(&directory.path().join("page"), "x", Existing::Replace).unwrap();
        private(&directory.path().join("document"), "x").unwrap();
        assert_eq!((mode("page"), mode("document")), (0o644, 0o600));
    }
}
