//! One file that may have been judged by an earlier run: then it is only hashed.
//!
//! An entry is *found* by the file's path, size and a sample of its bytes, and *believed* only where the digest of all its
//! bytes is the one that was judged. Without the sample, a file that was never seen would be read twice: once to learn its
//! digest, and once more to judge it.
//!
//! Invariants: only what follows from path and bytes alone is remembered, so an analysis that looked at any other file is
//! not; neither is one that did not come to its end, or whose findings are not all listed. Of a policy, which globals it lets
//! through is part of the key; the rest of it is applied anew each time.

#[cfg(test)]
mod tests;

use std::{
    io::{self, Read as _, SeekFrom},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tagship_domain::{digest::Digest, signature::Signature, validation::Finding};

use super::file::{self, Judged};
use crate::{
    analyse::Ties,
    digest,
    error::ArtifactError,
    facts::Facts,
    findings::Findings,
    format::Format,
    memory::{Memory, RULESET},
    pickle::Trust,
    tree::{FileFacts, OpenFile, Tree},
};

/// Smaller files are judged as fast as they are looked up.
const SMALLEST: u64 = 64 * 1024;
/// Places of a file that are sampled, and bytes taken at each.
const SAMPLES: u64 = 64;
const SAMPLE: u64 = 4096;
/// Largest entry that is kept.
const LARGEST_ENTRY: usize = 256 << 10;
/// Bytes of the checksum in front of an entry, in hexadecimal.
const CHECKSUM: usize = 64;

/// What is remembered about a file.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    sha256: Digest,
    format: Format,
    inside: Vec<Format>,
    signature: Option<Signature>,
    ties: Ties,
    findings: Vec<Finding>,
    facts: Facts,
    repeated: u64,
}

/// Judges one file of a tree, or remembers how it was judged.
pub(super) fn judge(
    tree: &dyn Tree,
    path: &str,
    trust: Trust<'_>,
    memory: &dyn Memory,
    progress: &mut dyn FnMut(u64),
) -> Judged {
    let Some((key, size)) = key(tree, path, trust) else {
        return file::judge(tree, path, trust, progress);
    };
    let mut silent = |_| ();
    let mut progress = progress;
    if let Some(entry) = memory.recall(&key).and_then(|bytes| Entry::read(&key, &bytes)) {
        match digest::of_file(tree, path, progress) {
            Ok(file) if file.sha256 == entry.sha256 && file.size == size => {
                if let Some(judged) = entry.judged(path, size) {
                    return judged;
                }
            }
            Ok(_) | Err(_) => {}
        }
        // All bytes were told once already.
        progress = &mut silent;
    }
    let watched = Watched { tree, looks: AtomicUsize::new(0) };
    let judged = file::judge(&watched, path, trust, progress);
    if watched.looks.load(Ordering::Relaxed) == 1
        && judged.size == size
        && let Some(bytes) = Entry::of(&judged).and_then(|entry| entry.write(&key))
    {
        memory.keep(&key, &bytes);
    }
    judged
}

/// Under which key a file is remembered, and its size; `None` where it is too small or cannot be read.
fn key(tree: &dyn Tree, path: &str, trust: Trust<'_>) -> Option<(Digest, u64)> {
    let mut file = tree.open(path).ok().filter(|file| file.size >= SMALLEST)?;
    let mut hasher = Sha256::new();
    for part in [RULESET.as_bytes(), path.as_bytes(), trust.identity().as_bytes()] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(file.size.to_le_bytes());
    sample(&mut file, &mut hasher).ok()?;
    Some((Digest::from_bytes(hasher.finalize().into()), file.size))
}

/// Bytes from the head, the end, and evenly between.
fn sample(file: &mut OpenFile, hasher: &mut Sha256) -> io::Result<()> {
    let last = file.size.saturating_sub(SAMPLE);
    let mut bytes = Vec::new();
    for number in 0..SAMPLES {
        let place = u128::from(last) * u128::from(number) / u128::from(SAMPLES - 1);
        file.reader.seek(SeekFrom::Start(u64::try_from(place).unwrap_or(last)))?;
        bytes.clear();
        file.reader.by_ref().take(SAMPLE).read_to_end(&mut bytes)?;
        hasher.update(&bytes);
    }
    Ok(())
}

impl Entry {
    /// What can be remembered of a file; `None` where its judgement does not follow from its bytes to the last.
    fn of(judged: &Judged) -> Option<Self> {
        let (findings, repeated) = judged.findings.complete()?;
        Some(Self {
            sha256: judged.digest.clone()?,
            format: judged.format,
            inside: judged.inside.clone(),
            signature: judged.signature.clone(),
            ties: judged.ties.clone(),
            findings: findings.to_vec(),
            facts: judged.findings.facts.clone(),
            repeated,
        })
    }

    fn write(&self, key: &Digest) -> Option<Vec<u8>> {
        let body = serde_json::to_vec(self).ok()?;
        let mut bytes = checksum(key, &body).hex().as_bytes().to_vec();
        bytes.extend_from_slice(&body);
        Some(bytes).filter(|bytes| bytes.len() <= LARGEST_ENTRY)
    }

    /// Reads an entry; `None` where it is damaged, or was written for another key.
    fn read(key: &Digest, bytes: &[u8]) -> Option<Self> {
        let (told, body) = bytes.split_at_checked(CHECKSUM)?;
        if told != checksum(key, body).hex().as_bytes() {
            return None;
        }
        serde_json::from_slice(body).ok()
    }

    /// The file as it was judged; `None` where the entry says what this analysis never would.
    fn judged(self, path: &str, size: u64) -> Option<Judged> {
        let mut findings = Findings::remembered(self.findings, self.repeated)?;
        findings.facts = self.facts;
        Some(Judged {
            path: path.to_owned(),
            format: self.format,
            size,
            digest: Some(self.sha256),
            signature: self.signature,
            ties: self.ties,
            inside: self.inside,
            findings,
            remembered: true,
        })
    }
}

/// Binds an entry to its key, so that a renamed one is not believed.
fn checksum(key: &Digest, body: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(key.hex());
    hasher.update(body);
    Digest::from_bytes(hasher.finalize().into())
}

/// A tree that counts what is looked at. The file itself is opened once; whatever else is looked at could change while the
/// file does not, and what is read by a second opening is not what was hashed.
struct Watched<'t> {
    tree: &'t dyn Tree,
    looks: AtomicUsize,
}

impl Tree for Watched<'_> {
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.tree.files()
    }

    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.tree.open(path)
    }

    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.tree.facts(path)
    }
}
