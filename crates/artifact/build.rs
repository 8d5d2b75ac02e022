//! Names the analysis by its sources, so that a remembered verdict is never older than the rules.
//!
//! What an analysis finds depends on this crate, on the words of `domain` and on the decoders that the lock file pins. A hash
//! over all of them changes whenever any of them does, and nobody can forget to raise a number.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is hashed, from this crate's folder. The last is absent where the crate is built from elsewhere.
const SOURCES: [&str; 3] = ["src", "../domain/src", "../../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hash = Fnv::default();
    for file in files {
        hash.add(file.to_string_lossy().replace('\\', "/").as_bytes());
        hash.add(&fs::read(&file)?);
    }
    println!("cargo::rustc-env=TAGSHIP_RULESET={:032x}", hash.0);
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

/// FNV-1a with 128 bits (draft-eastlake-fnv). It tells versions of sources apart; nobody gains by a collision among them.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    /// Adds bytes and how many there are, so that what lies beside each other does not run together.
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}
