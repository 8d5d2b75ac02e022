//! Believing a signature, and comparing what it vouches for with what is there.

use std::collections::BTreeMap;

use tagship_domain::FileEntry;

use super::{
    bundle::open,
    error::SignatureError,
    hash::{Hash, Method, resources},
    keys::PublicKey,
    statement::Statement,
    tree::{FileTree, release_resources},
};

/// A signature that a trusted key has made. What it vouches for is compared by [`Verified::check_files`] or
/// [`Verified::check_release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    statement: Statement,
    key: String,
    named: bool,
}

/// Verifies that one of the trusted keys has signed, and that the statement is one of the standard.
///
/// # Errors
/// When it was not, when it is none, or when it is of a kind that is not judged here.
pub fn verify_bundle(bundle: &[u8], trusted: &[PublicKey]) -> Result<Verified, SignatureError> {
    let signed = open(bundle, trusted)?;
    let statement = Statement::from_json(&signed.statement)?;
    Ok(Verified { statement, key: signed.key, named: signed.named })
}

impl Verified {
    /// Hint of the key that signed.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the bundle names that key, as signers have done since version 1.
    pub fn names_its_key(&self) -> bool {
        self.named
    }

    /// What was signed, as the signer calls it.
    pub fn subject(&self) -> &str {
        &self.statement.subject
    }

    /// Paths that nobody vouches for, with all below them.
    pub fn ignored(&self) -> &[String] {
        &self.statement.ignored
    }

    /// How many resources (files, or pieces of files) it vouches for.
    pub fn resources(&self) -> usize {
        self.statement.resources.len()
    }

    /// Compares the files of a directory, or one file, with what was signed. Answers the empty files that a signature in
    /// pieces says nothing about: a file without bytes has no piece.
    ///
    /// # Errors
    /// When they differ, or cannot be read.
    pub fn check_files(&self, files: &dyn FileTree) -> Result<Vec<String>, SignatureError> {
        let Statement { hash, method, .. } = self.statement;
        let (mut found, mut unnamed) = (BTreeMap::new(), vec![]);
        for path in files.paths()? {
            if self.statement.ignores(&path) {
                continue;
            }
            let of_file = resources(hash, method, &path, files.open(&path)?.as_mut())?;
            if of_file.is_empty() {
                unnamed.push(path);
            }
            found.extend(of_file);
        }
        self.compare(&found)?;
        unnamed.sort();
        Ok(unnamed)
    }

    /// Compares a release with what was signed: its name, and every one of its files, by digest.
    ///
    /// # Errors
    /// When they differ, or the signature is of a form that states no such digests.
    pub fn check_release(
        &self,
        subject: &str,
        files: &[FileEntry],
        single_file: bool,
    ) -> Result<(), SignatureError> {
        if self.statement.subject != subject {
            let (found, wanted) = (self.statement.subject.clone(), subject.to_owned());
            return Err(SignatureError::OtherSubject { found, wanted });
        }
        if (self.statement.hash, self.statement.method) != (Hash::Sha256, Method::Files) {
            let why = "it states no sha256 of whole files, which a release is known by".to_owned();
            return Err(SignatureError::Unsupported { why });
        }
        self.compare(&release_resources(files, single_file).collect())
    }

    fn compare(&self, found: &BTreeMap<String, String>) -> Result<(), SignatureError> {
        let signed: BTreeMap<&str, &str> =
            self.statement.resources.iter().map(|(name, digest)| (name.as_str(), digest.as_str())).collect();
        let (mut changed, mut missing) = (vec![], vec![]);
        for (name, digest) in &signed {
            match found.get(*name) {
                None => missing.push((*name).to_owned()),
                Some(found) if found != digest => changed.push((*name).to_owned()),
                Some(_) => {}
            }
        }
        let extra: Vec<String> =
            found.keys().filter(|name| !signed.contains_key(name.as_str())).cloned().collect();
        if changed.is_empty() && missing.is_empty() && extra.is_empty() {
            return Ok(());
        }
        Err(SignatureError::Differs { changed, missing, extra })
    }
}
