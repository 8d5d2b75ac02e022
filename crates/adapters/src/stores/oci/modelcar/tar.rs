//! Members of a tar archive that is the same whoever writes it, and when: POSIX.1-1988 (ustar), with the extended headers of
//! POSIX.1-2001 (pax) for names and sizes that it has no room for.

/// Bytes of a block.
const BLOCK: usize = 512;
/// Longest name in a header, in bytes.
const NAME: usize = 100;
/// Largest size in a header: eleven octal digits.
const SIZE: u64 = 0o777_7777_7777;
/// What an archive ends with.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The member of a directory, whose path ends with `/`.
pub(super) fn directory(path: &str) -> Vec<u8> {
    member(path, 0, b'5', 0o755)
}

/// What comes before the bytes of a file.
pub(super) fn file(path: &str, size: u64) -> Vec<u8> {
    member(path, size, b'0', 0o644)
}

/// How many bytes of zero come after those of a file.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

fn member(path: &str, size: u64, kind: u8, mode: u32) -> Vec<u8> {
    let mut records = String::new();
    if path.len() > NAME || !path.is_ascii() {
        records += &record("path", path);
    }
    if size > SIZE {
        records += &record("size", &size.to_string());
    }
    let mut bytes = vec![];
    if !records.is_empty() {
        bytes.extend(header(b"pax", records.len() as u64, b'x', 0o644));
        bytes.extend(records.as_bytes());
        bytes.resize(bytes.len() + padding(records.len() as u64), 0);
    }
    bytes.extend(header(path.as_bytes(), size.min(SIZE), kind, mode));
    bytes
}

/// A record of an extended header. The length in front counts its own digits.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

/// A header of nobody's, at the beginning of time; a name that is too long is cut.
fn header(name: &[u8], size: u64, kind: u8, mode: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name[..name.len().min(NAME)]);
    put(100, format!("{mode:07o}").as_bytes());
    for owner in [108, 116] {
        put(owner, b"0000000");
    }
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn records_count_their_own_length() {
        assert_eq!(record("path", "a"), "9 path=a\n");
        for length in 1..300 {
            let record = record("path", &"x".repeat(length));
            assert_eq!(record.split_once(' ').unwrap().0, record.len().to_string());
        }
    }

    #[test]
    fn sizes_beyond_eight_gibibytes_are_told() {
        assert_eq!(file("a", SIZE).len(), BLOCK);
        let large = file("a", SIZE + 1);
        assert_eq!(large.len(), 3 * BLOCK);
        assert!(String::from_utf8_lossy(&large).contains("19 size=8589934592\n"));
    }

    /// The system's tar reads what was written, long and foreign names among it.
    #[test]
    fn tar_finds_every_file_with_its_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let long = format!("models/{}/weights.bin", "d".repeat(120));
        let files = [("models/model.onnx", 700), (long.as_str(), 512), ("models/größe.txt", 0)];
        let mut archive = super::directory("models/");
        for (path, size) in files {
            archive.extend(file(path, size));
            archive.extend(vec![b'w'; usize::try_from(size).unwrap()]);
            archive.resize(archive.len() + padding(size), 0);
        }
        archive.extend(END);
        let path = directory.path().join("layer.tar");
        std::fs::write(&path, archive).unwrap();
        let mut tar = Command::new("tar");
        let done = tar.arg("-xf").arg(&path).current_dir(directory.path()).status();
        let Ok(done) = done else { return };
        assert!(done.success());
        for (path, size) in files {
            let found = std::fs::read(directory.path().join(path)).unwrap();
            assert_eq!(found, vec![b'w'; usize::try_from(size).unwrap()], "{path}");
        }
    }
}
