//! Files that are larger than the host takes: cut into parts, each a file of the release, beside a list that names them.
//!
//! The list is hung up last, so that a file is there as a whole or not at all. It is a means of this store: manifests name the
//! whole file, whose digest is what counts when parts are joined. The parts in the order of their names are the file, so
//! that `cat` joins them.

use std::{collections::HashSet, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use crate::{
    assets::{MOST, NewAsset, Source},
    store::MEDIA,
};

/// Largest list that is read, in bytes: of as many parts as a release holds.
pub(crate) const LARGEST_LIST: u64 = 1 << 20;
const SCHEMA: &str = "tagship/parts/v1";
const LIST: &str = ".parts.json";
const BUFFER: usize = 256 << 10;

/// The list of a file's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartList {
    schema: String,
    /// Of the whole file.
    pub(crate) sha256: Digest,
    /// Of the whole file, in bytes.
    pub(crate) size: u64,
    /// In the order in which they make the file.
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: Digest,
}

/// A file as it was read.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// Digests and sizes of its parts; empty where it is no larger than one.
    pub(crate) parts: Vec<(Digest, u64)>,
}

/// Reads a file once, and tells its digest and those of its parts.
pub(crate) fn measure(file: &Path, part_size: u64) -> Result<Measured, PortError> {
    let failed = |error: io::Error| {
        PortError::new(Problem::Local, format!("read {}", file.display()), error.to_string())
    };
    let source = fs::File::open(file).map_err(failed)?;
    let is_split = source.metadata().map_err(failed)?.len() > part_size;
    measure_bytes(source, part_size, is_split).map_err(failed)
}

fn measure_bytes(mut source: impl io::Read, part_size: u64, is_split: bool) -> io::Result<Measured> {
    let (mut whole, mut size) = (Sha256::new(), 0);
    let (mut part, mut held, mut parts) = (Sha256::new(), 0, Vec::new());
    let mut buffer = vec![0; BUFFER];
    loop {
        let room = usize::try_from(part_size - held).unwrap_or(BUFFER).min(BUFFER);
        let read = match source.read(&mut buffer[..if is_split { room } else { BUFFER }]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        whole.update(&buffer[..read]);
        size += read as u64;
        if is_split {
            part.update(&buffer[..read]);
            held += read as u64;
            if held == part_size || (read == 0 && held > 0) {
                let digest = std::mem::replace(&mut part, Sha256::new()).finalize();
                parts.push((Digest::from_bytes(digest.into()), held));
                held = 0;
            }
        }
        if read == 0 {
            return Ok(Measured { digest: Digest::from_bytes(whole.finalize().into()), size, parts });
        }
    }
}

/// What is hung on a release of a file that is split: its parts, and the list of them last.
///
/// # Errors
/// Where a release does not hold so many files.
pub(crate) fn pieces(
    base: &str,
    measured: &Measured,
    file: &Path,
    about: &str,
) -> Result<Vec<NewAsset>, PortError> {
    let count = measured.parts.len();
    // The list and the manifest of the release beside them.
    if count + 2 > MOST {
        let message = format!("it has {} bytes, and a release at most {MOST} files", measured.size);
        return Err(PortError::new(Problem::Unsupported, about, message).hint("configure another store"));
    }
    let (mut from, mut pieces, mut named) = (0, Vec::with_capacity(count + 1), Vec::with_capacity(count));
    for (index, (digest, size)) in measured.parts.iter().enumerate() {
        let name = format!("{base}.part-{:04}-of-{count:04}", index + 1);
        named.push(Part { name: name.clone(), size: *size, sha256: digest.clone() });
        let source = Source::File { path: file.to_owned(), from };
        pieces.push(NewAsset { name, media: MEDIA, size: *size, digest: digest.clone(), source });
        from += size;
    }
    let list = PartList {
        schema: SCHEMA.to_owned(),
        sha256: measured.digest.clone(),
        size: measured.size,
        parts: named,
    };
    let mut json = serde_json::to_vec_pretty(&list)
        .map_err(|error| PortError::new(Problem::Invalid, about, error.to_string()))?;
    json.push(b'\n');
    pieces.push(NewAsset::of_bytes(&format!("{base}{LIST}"), MEDIA, &json));
    Ok(pieces)
}

/// Whether a name is that of a list of the parts of these bytes: all digits of the digest stand in it.
pub(crate) fn is_list_of(name: &str, whole: &Digest) -> bool {
    name.ends_with(LIST) && name.contains(whole.hex())
}

/// Whether a name is that of a part or of a list, which hold the digits of other bytes than their own.
pub(crate) fn is_piece(name: &str) -> bool {
    let digits = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.rsplit_once(".part-").and_then(|(_, numbers)| numbers.split_once("-of-"));
    name.ends_with(LIST) || numbers.is_some_and(|(number, count)| digits(number) && digits(count))
}

/// Reads a list: nothing where it is none, or of other bytes, or does not add up.
pub(crate) fn read(bytes: &[u8], whole: &Digest) -> Option<PartList> {
    let list: PartList = serde_json::from_slice(bytes).ok()?;
    let total = list.parts.iter().try_fold(0_u64, |total, part| total.checked_add(part.size));
    let is_right = list.schema == SCHEMA && list.sha256 == *whole && total == Some(list.size);
    // Whoever wrote it must not have the same bytes fetched again and again.
    let names: HashSet<&str> = list.parts.iter().map(|part| part.name.as_str()).collect();
    let is_sound = names.len() == list.parts.len() && list.parts.iter().all(|part| part.size > 0);
    (is_right && is_sound && !list.parts.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha256::digest(bytes).into())
    }

    #[test]
    fn a_file_is_read_once_for_all_its_digests() {
        for (bytes, sizes) in [
            (b"".as_slice(), vec![]),
            (b"abcd".as_slice(), vec![]),
            (b"abcde".as_slice(), vec![4, 1]),
            (b"abcdefgh".as_slice(), vec![4, 4]),
            (b"abcdefghi".as_slice(), vec![4, 4, 1]),
        ] {
            let measured = measure_bytes(bytes, 4, bytes.len() > 4).unwrap();
            assert_eq!((measured.digest, measured.size), (digest(bytes), bytes.len() as u64));
            let found: Vec<u64> = measured.parts.iter().map(|(_, size)| *size).collect();
            assert_eq!(found, sizes);
            for ((found, _), part) in measured.parts.iter().zip(bytes.chunks(4)) {
                assert_eq!(*found, digest(part));
            }
        }
    }

    #[test]
    fn a_list_is_believed_only_where_it_adds_up() {
        let measured = measure_bytes(b"abcde".as_slice(), 4, true).unwrap();
        let base = format!("model-{}.onnx", measured.digest.hex());
        let pieces = pieces(&base, &measured, Path::new("model.onnx"), "store").unwrap();
        let names: Vec<&str> = pieces.iter().map(|piece| piece.name.as_str()).collect();
        let part = |number: u8| format!("{base}.part-000{number}-of-0002");
        assert_eq!(names, [part(1), part(2), format!("{base}.parts.json")]);
        assert!(names.iter().all(|name| is_piece(name)), "{names:?}");
        assert!(!is_piece(&base) && !is_piece("model.part-1-of-2") && !is_piece("a.part-0001-of-000x"));
        assert!(is_list_of(names[2], &measured.digest) && !is_list_of(names[2], &digest(b"other")));

        let Source::Bytes(json) = &pieces[2].source else { panic!("the list is in memory") };
        let list = read(json, &measured.digest).expect("it is ours");
        assert_eq!((list.size, list.parts.len()), (5, 2));
        assert_eq!(read(json, &digest(b"other")), None);
        let text = String::from_utf8(json.clone()).unwrap();
        let twice = ("part-0002-of", "part-0001-of");
        for (from, to) in [("\"size\": 5", "\"size\": 6"), ("parts/v1", "parts/v2"), ("{", "["), twice] {
            assert_eq!(read(text.replacen(from, to, 1).as_bytes(), &measured.digest), None, "{from}");
        }
    }

    #[test]
    fn more_parts_than_a_release_holds_are_refused() {
        let measured = Measured { digest: digest(b""), size: 999, parts: vec![(digest(b""), 1); 999] };
        let refused = pieces("model", &measured, Path::new("model"), "store").unwrap_err();
        assert_eq!(refused.problem, Problem::Unsupported);
    }
}
