//! A file on its way to a place: one thread copies it and flushes every part of it to the disk, another reads back what was
//! flushed, and hashes it. So the digest is that of what lies there, the bytes are hashed once, and that costs hardly more time
//! than copying them.
//!
//! It has a hidden name beside its place until its digest is right. A run that dies leaves the beginning there; the next one
//! trusts it no more than what it copies itself, and goes on with it. Two runs at once do not share it: the second one writes
//! a file of its own.

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
};

use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tempfile::TempPath;

use crate::{
    disk::{BUFFER, copy_hashing, flush_directory, local, other_bytes, temporary_in},
    exclusive::open_exclusively,
    partial,
    stores::{Moved, ranges::Told},
};

/// So many bytes are copied before they are flushed and read back.
const PART: u64 = 32 << 20;

/// Copies a file to a place, where it appears only when all of it is there and has the digest. Missing directories are made.
///
/// # Errors
/// [`Problem::Invalid`] where the bytes of `source` are others; [`Problem::Local`] where it cannot be written, or the disk
/// holds other bytes than it was given.
pub(super) fn copy_verified(
    source: &Path,
    to: &Path,
    digest: &Digest,
    moved: &Moved,
) -> Result<(), PortError> {
    let from = File::open(source).map_err(|error| local("read", source, &error))?;
    let incoming = Incoming::open(to, digest)?;
    let mut told = Told::new(moved);
    let mut there = incoming.length()?;
    loop {
        let found = match incoming.fill(&from, there, &mut told) {
            Ok(found) => found,
            Err(error) => return Err(incoming.discard(error)),
        };
        if found == *digest {
            return incoming.finish();
        }
        incoming.empty()?;
        if there == 0 {
            return Err(incoming.blame(source, digest, &found));
        }
        // Perhaps only what an earlier run left here is wrong.
        there = 0;
    }
}

/// Takes away what a run left that died, unless another one is at it; answers whether nothing is there any more.
pub(super) fn give_up(path: &Path) -> Result<bool, PortError> {
    if !path.exists() {
        return Ok(true);
    }
    if !may_be_ours(path, None) {
        return Ok(false);
    }
    match open_exclusively(path) {
        Ok(_held) => fs::remove_file(path).map(|()| true).map_err(|error| local("remove", path, &error)),
        Err(error) if error.problem == Problem::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

/// The file while it has no name that anyone looks for.
struct Incoming<'a> {
    file: File,
    name: Name,
    to: &'a Path,
}

/// What a file is called until it is whole.
enum Name {
    /// A later run finds it by this.
    Kept(PathBuf),
    /// It goes with this run.
    Temporary(TempPath),
}

impl<'a> Incoming<'a> {
    fn open(to: &'a Path, digest: &Digest) -> Result<Self, PortError> {
        let path = partial::place(to, digest);
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(|error| local("create directory", directory, &error))?;
        // Going on with what is there is a convenience: where it cannot be had, or is somebody else's, it is copied anew.
        let kept = if may_be_ours(&path, None) { open_exclusively(&path).ok() } else { None };
        let (file, name) = match kept.filter(|file| may_be_ours(&path, Some(file))) {
            Some(file) => (file, Name::Kept(path)),
            None => {
                let temporary = temporary_in(directory).map_err(|error| local("write", to, &error))?;
                let (file, path) = temporary.into_parts();
                (file, Name::Temporary(path))
            }
        };
        Ok(Self { file, name, to })
    }

    fn failed(&self, error: &io::Error) -> PortError {
        local("write", self.to, error)
    }

    fn length(&self) -> Result<u64, PortError> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(|error| self.failed(&error))
    }

    /// Adds what comes after `there` bytes, and answers the digest of all that lies here then.
    fn fill(&self, source: &File, there: u64, told: &mut Told) -> Result<Digest, PortError> {
        let (flushed, lengths) = channel();
        let (copied, read) = if cfg!(unix) {
            std::thread::scope(|scope| {
                let copying = scope.spawn(|| self.append(source, there, flushed));
                let read = self.read_back(lengths, told);
                (copying.join().unwrap_or_else(|_panic| Err(io::Error::other("copying broke off"))), read)
            })
        } else {
            // Both would move the one place at which an open file is read and written.
            (self.append(source, there, flushed), self.read_back(lengths, told))
        };
        copied.and(read).map_err(|error| self.failed(&error))
    }

    /// Copies the rest part by part, and says of each when it has reached the disk.
    #[allow(clippy::needless_pass_by_value, reason = "who reads stops when the sender is gone")]
    fn append(&self, mut source: &File, there: u64, flushed: Sender<u64>) -> io::Result<()> {
        let mut file = &self.file;
        source.seek(SeekFrom::Start(there))?;
        file.seek(SeekFrom::Start(there))?;
        let mut length = there;
        loop {
            // The system copies by itself where it can.
            let copied = io::copy(&mut io::Read::take(source, PART), &mut file)?;
            length += copied;
            file.sync_data()?;
            if flushed.send(length).is_err() || copied < PART {
                return Ok(());
            }
        }
    }

    /// Reads as far as was flushed, again and again, to the end.
    fn read_back(&self, lengths: Receiver<u64>, told: &mut Told) -> io::Result<Digest> {
        let (mut hasher, mut buffer, mut at) = (Sha256::new(), vec![0; BUFFER], 0);
        for length in lengths {
            while at < length {
                let wanted = usize::try_from(length - at).unwrap_or(BUFFER).min(BUFFER);
                let read = read_at(&self.file, &mut buffer[..wanted], at)?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                hasher.update(&buffer[..read]);
                at += read as u64;
                told.at(at);
            }
        }
        Ok(Digest::from_bytes(hasher.finalize().into()))
    }

    fn empty(&self) -> Result<(), PortError> {
        self.file.set_len(0).map_err(|error| self.failed(&error))
    }

    /// Ends in an error. Nothing stays, so that a full disk has its room again.
    fn discard(self, error: PortError) -> PortError {
        if let Name::Kept(path) = &self.name {
            let _ = fs::remove_file(path);
        }
        error
    }

    /// Why what came has another digest.
    fn blame(self, source: &Path, digest: &Digest, found: &Digest) -> PortError {
        let operation = format!("write {}", self.to.display());
        let given = File::open(source).and_then(|mut file| copy_hashing(&mut file, &mut io::sink()));
        self.discard(match given {
            Ok(given) if given == *digest => {
                let message = format!("it was given {digest} and holds {found}");
                PortError::new(Problem::Local, operation, message)
                    .hint("the disk may be damaged; check it and run again")
            }
            Ok(given) => other_bytes(operation, digest, &given),
            Err(error) => local("read", source, &error),
        })
    }

    fn finish(self) -> Result<(), PortError> {
        let to = self.to;
        let failed = |error: io::Error| local("write", to, &error);
        match self.name {
            Name::Kept(path) => fs::rename(&path, to).map_err(failed)?,
            Name::Temporary(path) => path.persist(to).map_err(|error| failed(error.error))?,
        }
        flush_directory(to);
        Ok(())
    }
}

/// Whether a hidden name, and the file that was opened by it, may be what an earlier run of ours left: a plain file with one
/// name, which not everybody may write. A link that somebody put there would lead the bytes elsewhere.
#[cfg(unix)]
fn may_be_ours(path: &Path, opened: Option<&File>) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(there) = fs::symlink_metadata(path) else { return opened.is_none() };
    let is_same = |file: &File| {
        file.metadata().is_ok_and(|file| (file.dev(), file.ino()) == (there.dev(), there.ino()))
    };
    there.is_file() && there.nlink() == 1 && there.mode() & 0o002 == 0 && opened.is_none_or(is_same)
}

#[cfg(not(unix))]
fn may_be_ours(path: &Path, opened: Option<&File>) -> bool {
    fs::symlink_metadata(path).map_or(opened.is_none(), |there| there.is_file())
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match std::os::unix::fs::FileExt::read_at(file, buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    io::Read::read(&mut file, buffer)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::disk::digest_of;

    /// A directory with a file of a bit more than two parts.
    fn large() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = vec![0; usize::try_from(2 * PART + 7).unwrap()];
        for (number, block) in bytes.chunks_mut(1 << 20).enumerate() {
            block.fill(u8::try_from(number).unwrap());
        }
        let source = directory.path().join("source");
        fs::write(&source, &bytes).unwrap();
        (directory, source, bytes)
    }

    fn counted() -> (Arc<AtomicU64>, Moved) {
        let count = Arc::new(AtomicU64::new(0));
        let counting = count.clone();
        let moved: Moved = Arc::new(move |bytes| {
            counting.fetch_add(bytes, Ordering::Relaxed);
        });
        (count, moved)
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn parts_make_the_whole_and_what_an_earlier_run_left_is_gone_on_with() {
        let (directory, source, bytes) = large();
        let (to, digest) = (directory.path().join("to"), digest_of(&bytes));
        for begun in [0, 1, bytes.len() / 2, bytes.len()] {
            fs::write(partial::place(&to, &digest), &bytes[..begun]).unwrap();
            let (count, moved) = counted();
            copy_verified(&source, &to, &digest, &moved).unwrap();
            assert!(fs::read(&to).unwrap() == bytes, "begun at {begun}");
            assert_eq!(count.load(Ordering::Relaxed), bytes.len() as u64, "each byte is told once");
            assert_eq!(names(directory.path()), ["source", "to"]);
        }
    }

    #[test]
    fn a_damaged_beginning_is_read_from_the_disk_and_written_anew() {
        let (directory, source, bytes) = large();
        let (to, digest) = (directory.path().join("to"), digest_of(&bytes));
        let mut begun = bytes[..1000].to_vec();
        begun[500] ^= 1;
        let longer = [&bytes[..], b"more"].concat();
        for left in [begun, longer] {
            fs::write(partial::place(&to, &digest), &left).unwrap();
            let (count, moved) = counted();
            copy_verified(&source, &to, &digest, &moved).unwrap();
            assert!(fs::read(&to).unwrap() == bytes);
            assert!(count.load(Ordering::Relaxed) >= bytes.len() as u64);
        }
    }

    #[test]
    fn another_run_that_writes_the_same_is_left_alone() {
        let (directory, source, bytes) = large();
        let (to, digest) = (directory.path().join("to"), digest_of(&bytes));
        let other = Incoming::open(&to, &digest).unwrap();
        fs::write(partial::place(&to, &digest), b"half").unwrap();
        copy_verified(&source, &to, &digest, &counted().1).unwrap();
        assert!(fs::read(&to).unwrap() == bytes);
        assert_eq!(fs::read(partial::place(&to, &digest)).unwrap(), b"half");
        drop(other);
    }

    #[test]
    fn other_bytes_leave_nothing_and_name_who_has_them() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source");
        fs::write(&source, b"changed").unwrap();
        let (to, judged) = (directory.path().join("to"), digest_of(b"judged"));
        let error = copy_verified(&source, &to, &judged, &counted().1).unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert_eq!(names(directory.path()), ["source"]);
        // The source has the bytes that were asked for: what was read back is the disk's.
        let incoming = Incoming::open(&to, &judged).unwrap();
        fs::write(&source, b"judged").unwrap();
        let error = incoming.blame(&source, &judged, &digest_of(b"rotten"));
        assert_eq!(error.problem, Problem::Local, "{error}");
        assert!(error.to_string().contains("check it and run again"), "{error}");
        assert_eq!(names(directory.path()), ["source"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_hidden_name_that_leads_elsewhere_is_not_written_through() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let [source, to, precious] = ["source", "to", "precious"].map(|name| directory.path().join(name));
        fs::write(&source, b"model").unwrap();
        fs::write(&precious, b"precious").unwrap();
        let digest = digest_of(b"model");
        let hidden = partial::place(&to, &digest);
        let planted: [&dyn Fn() -> io::Result<()>; 4] = [
            &|| symlink(&precious, &hidden),
            &|| symlink(directory.path().join("none"), &hidden),
            &|| fs::hard_link(&precious, &hidden),
            &|| {
                fs::write(&hidden, b"x")?;
                fs::set_permissions(&hidden, fs::Permissions::from_mode(0o666))
            },
        ];
        for plant in planted {
            plant().unwrap();
            copy_verified(&source, &to, &digest, &counted().1).unwrap();
            assert!(fs::symlink_metadata(&to).unwrap().is_file());
            assert_eq!(fs::read(&to).unwrap(), b"model");
            assert_eq!(fs::read(&precious).unwrap(), b"precious");
            assert!(!directory.path().join("none").exists());
            fs::remove_file(&hidden).unwrap();
            fs::remove_file(&to).unwrap();
        }
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let (source, to) = (directory.path().join("source"), directory.path().join("to"));
        fs::write(&source, b"").unwrap();
        copy_verified(&source, &to, &digest_of(b""), &counted().1).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"");
    }
}
