//! Reading the files that people name: bounded, and with the reason where there are none.

use std::{fs::File, io::Read, path::Path};

/// The bytes of a file.
///
/// # Errors
/// Why there are none, as a fragment: `it does not exist`, `permission denied`, `it is larger than ...`.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let why = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => error.to_string(),
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(why)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(why)?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// Bytes of a file, or of all files below a directory; what cannot be read counts nothing. For progress bars only.
pub fn size(path: &Path) -> u64 {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}

/// The files below `root` that a pattern (`reports/*.xml`) matches, as paths relative to `root`, sorted.
///
/// # Errors
/// Why there are none, as a fragment.
pub fn expand(root: &Path, pattern: &str) -> Result<Vec<String>, String> {
    let full = format!("{}/{pattern}", glob::Pattern::escape(&root.to_string_lossy()));
    let found = glob::glob(&full).map_err(|error| error.to_string())?;
    let mut paths = vec![];
    for entry in found {
        let path = entry.map_err(|error| error.to_string())?;
        let relative = path.strip_prefix(root).unwrap_or(&path);
        paths.push(relative.to_string_lossy().replace('\\', "/"));
    }
    paths.sort();
    if paths.is_empty() { Err("no file matches".to_owned()) } else { Ok(paths) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_files_and_say_when_there_are_none() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["b.xml", "a.xml", "c.txt"] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        assert_eq!(expand(root, "*.xml").unwrap(), ["a.xml", "b.xml"]);
        assert_eq!(expand(root, "*.json").unwrap_err(), "no file matches");
        assert_eq!(read(&root.join("c.txt"), 1).unwrap(), b"x");
        assert!(read(&root.join("c.txt"), 0).unwrap_err().contains("larger"));
        assert_eq!(read(&root.join("d"), 1).unwrap_err(), "it does not exist");
    }
}
