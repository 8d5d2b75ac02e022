//! Signing the files of a model.

use tagship_domain::FileEntry;

use super::{
    bundle::seal,
    error::SignatureError,
    hash::{Hash, Method, resources},
    keys::SigningKey,
    statement::{Statement, key as order},
    tree::{FileTree, release_resources},
};

/// Signs the files of a directory, or one file, and answers the bundle. `ignored` paths are left out, with all below them:
/// nobody vouches for them.
///
/// # Errors
/// When a file cannot be read, there is nothing to sign, or the key does not sign.
pub fn sign_files(
    files: &dyn FileTree,
    subject: &str,
    ignored: &[String],
    key: &SigningKey,
) -> Result<String, SignatureError> {
    let (hash, method) = (Hash::Sha256, Method::Files);
    let mut statement =
        Statement { subject: subject.to_owned(), method, hash, ignored: ignored.to_vec(), resources: vec![] };
    for path in files.paths()? {
        if !statement.ignores(&path) {
            statement.resources.extend(resources(hash, method, &path, files.open(&path)?.as_mut())?);
        }
    }
    signed(statement, key)
}

/// Signs the files of a release by their digests, none left out, and answers the bundle. The subject is the release's
/// name, so that nobody can pass the signature of one version off as that of another.
///
/// # Errors
/// When there is nothing to sign, or the key does not sign.
pub fn sign_release(
    subject: &str,
    files: &[FileEntry],
    single_file: bool,
    key: &SigningKey,
) -> Result<String, SignatureError> {
    let resources = release_resources(files, single_file).collect();
    let statement = Statement {
        subject: subject.to_owned(),
        method: Method::Files,
        hash: Hash::Sha256,
        ignored: vec![],
        resources,
    };
    signed(statement, key)
}

fn signed(mut statement: Statement, key: &SigningKey) -> Result<String, SignatureError> {
    if statement.resources.is_empty() {
        return Err(SignatureError::Files { why: "there is nothing to sign".to_owned() });
    }
    let method = statement.method;
    statement.resources.sort_by(|a, b| order(&a.0, method).cmp(&order(&b.0, method)));
    let json = statement.to_json()?;
    // What this program would refuse to believe is not signed.
    Statement::from_json(json.as_bytes())?;
    seal(&json, key)
}
