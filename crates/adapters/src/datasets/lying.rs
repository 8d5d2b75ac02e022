//! Where the files of a table lie: on this machine, or in a bucket, where they are read by ranges and never copied.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use tagship_config::Artifact;
use tagship_ports::{PortError, Problem};
use tokio::runtime::Handle;

use super::{
    At,
    source::{Bytes, Source},
};
use crate::{
    places::{Variables, bucket},
    stores::Object,
    table_format::{ENDINGS, TableFormat},
};

/// Most files of a folder.
const MAX_FILES: usize = 100_000;
/// Kinds of addresses that are read where they lie.
const BUCKETS: [&str; 3] = ["s3", "gs", "az"];
/// Bytes that are asked of a bucket at a time by who reads on and on.
const BLOCK: usize = 1 << 20;
/// Most bytes of one answer.
const LONGEST: usize = 8 << 20;

/// A file of a table.
pub(super) struct Lying {
    pub(super) at: At,
    /// The folders of the table's folder that it lies in.
    pub(super) folders: String,
    pub(super) source: Source,
}

/// What a place holds.
pub(super) enum Found {
    File(Lying),
    /// In the order of their names; one or more.
    Folder(Vec<Lying>),
}

/// Looks what lies at a path or an address.
pub(super) fn find(place: &str, variables: &Variables<'_>) -> Result<Found, PortError> {
    let at = At(place.to_owned());
    let in_bucket = match Artifact::new(place) {
        Ok(Artifact::Elsewhere(address)) if BUCKETS.contains(&address.kind()) => Some(address),
        _ => None,
    };
    let found = match in_bucket {
        Some(address) => objects(bucket::open(&address, variables)?, &at)?,
        None => files(Path::new(place), &at)?,
    };
    match found {
        Found::Folder(files) if files.is_empty() => {
            let nothing = at.wrong(Problem::NotFound, "the folder holds no table");
            Err(nothing.hint(format!("known endings are {ENDINGS}")))
        }
        found => Ok(found),
    }
}

fn files(path: &Path, at: &At) -> Result<Found, PortError> {
    if !path.is_dir() {
        let source = Source::open(path, at)?;
        return Ok(Found::File(Lying { at: at.clone(), folders: String::new(), source }));
    }
    let mut files = vec![];
    list(path, at, &mut files)?;
    files.sort();
    let lying = |file: &PathBuf| {
        let at = At(file.display().to_string());
        let inside = file.strip_prefix(path).unwrap_or(file);
        let folders = inside.parent().map(Path::to_string_lossy).unwrap_or_default().into_owned();
        Ok(Lying { source: Source::open(file, &at)?, at, folders })
    };
    files.iter().map(lying).collect::<Result<_, _>>().map(Found::Folder)
}

/// Files below a folder that are tables by their names; what programs that write many files leave beside them is not.
/// A linked folder is refused: it may be the folder itself, whose rows would count again, or hold rows that would be missed.
fn list(folder: &Path, at: &At, files: &mut Vec<PathBuf>) -> Result<(), PortError> {
    let local = |error: io::Error| at.wrong(Problem::Local, error.to_string());
    for entry in fs::read_dir(folder).map_err(local)? {
        let entry = entry.map_err(local)?;
        let (path, is_link) = (entry.path(), entry.file_type().map_err(local)?.is_symlink());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_beside(&name) {
            continue;
        }
        if path.is_dir() {
            if is_link {
                let path = path.display();
                let message =
                    format!("{path} is a link to a folder; name that folder, or put its files here");
                return Err(at.wrong(Problem::Invalid, message));
            }
            list(&path, at, files)?;
        } else if TableFormat::of(&name).is_some() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(too_many(at));
        }
    }
    Ok(())
}

/// Whether programs that write many files leave something of such a name beside them.
fn is_beside(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn too_many(at: &At) -> PortError {
    at.wrong(Problem::Invalid, format!("it holds more than {MAX_FILES} files"))
}

/// What lies under a key, by the same rules as in a folder of this machine.
fn objects(bucket: bucket::Bucket, at: &At) -> Result<Found, PortError> {
    let runtime = Handle::try_current().map_err(|error| at.wrong(Problem::Local, error.to_string()))?;
    let about = at.about();
    let (is_folder, objects) = wait(&runtime, async move { bucket.objects(&about).await })
        .unwrap_or_else(|| Err(at.wrong(Problem::Local, "the program is ending")))?;
    let lying = |object: Object| {
        let (folders, name) = object.name().rsplit_once('/').unwrap_or(("", object.name()));
        let (folders, is_table) = (folders.to_owned(), TableFormat::of(name).is_some());
        let is_beside = is_beside(name) || folders.split('/').any(is_beside);
        let at = if is_folder { at.inside(object.name()) } else { at.clone() };
        let length = object.size();
        let bytes = Remote { object, runtime: runtime.clone(), about: at.about() };
        let lying = Lying { at, folders, source: Source::new(Arc::new(bytes), length) };
        (!is_folder || (is_table && !is_beside)).then_some(lying)
    };
    let mut lying: Vec<Lying> = objects.into_iter().filter_map(lying).collect();
    match lying.pop() {
        Some(file) if !is_folder => Ok(Found::File(file)),
        last => {
            lying.extend(last);
            Ok(Found::Folder(lying))
        }
    }
}

/// An object. Whoever reads it is no task of the runtime and waits.
struct Remote {
    object: Object,
    runtime: Handle,
    about: String,
}

impl Bytes for Remote {
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(LONGEST) as u64;
        let range: Range<u64> = place..self.object.size().min(place.saturating_add(wanted));
        if range.is_empty() {
            return Ok(0);
        }
        let (object, about) = (self.object.clone(), self.about.clone());
        let read = wait(&self.runtime, async move { object.read(&about, range).await });
        let read =
            read.unwrap_or_else(|| Err(PortError::new(Problem::Local, "wait", "the program is ending")));
        let read = read.map_err(io::Error::other)?;
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }

    fn block(&self) -> usize {
        BLOCK
    }
}

/// Waits for what a task of the runtime answers; absent where the runtime ends first.
fn wait<T: Send + 'static>(runtime: &Handle, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (answer, answered) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let _ = answer.send(task.await);
    });
    answered.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::holding;

    /// What `objects` finds, by the names of the files, and the first line of the first one.
    async fn found(key: &str) -> Result<(Vec<String>, String), PortError> {
        let there = [
            ("logs/dt=1/a.csv", "x\n1\n"),
            ("logs/dt=2/b.csv", "x\n2\n"),
            ("logs/dt=2/_SUCCESS", ""),
            ("logs/.hidden/c.csv", "y\n"),
            ("logs/notes.txt", "not a table"),
            ("one.csv", "x\n3\n"),
            ("empty/readme.md", ""),
        ];
        let bucket = bucket::Bucket::new(holding(&there).await, key, "s3://bucket/key");
        let files = match objects(bucket, &At("s3://bucket/key".to_owned()))? {
            Found::File(file) => vec![file],
            Found::Folder(files) => files,
        };
        let first = files.first().map(|file| file.source.exactly(0, 3).unwrap()).unwrap_or_default();
        let names = files.iter().map(|file| format!("{} in {}", file.at.0, file.folders)).collect();
        Ok((names, String::from_utf8(first).unwrap()))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn objects_are_the_files_that_a_folder_would_have() {
        let (names, first) = found("logs").await.unwrap();
        assert_eq!(names, ["s3://bucket/key/dt=1/a.csv in dt=1", "s3://bucket/key/dt=2/b.csv in dt=2"]);
        assert_eq!(first, "x\n1");
        let (names, first) = found("one.csv").await.unwrap();
        assert_eq!((names.len(), first.as_str()), (1, "x\n3"));
        assert_eq!(names, ["s3://bucket/key in "]);
        assert_eq!(found("empty").await.unwrap().0, Vec::<String>::new());
        assert_eq!(found("nothing").await.unwrap_err().problem, Problem::NotFound);
    }
}
