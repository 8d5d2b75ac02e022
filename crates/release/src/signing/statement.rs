//! The in-toto statement about the files of a model: how it is written, and what is refused when it is read.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    error::SignatureError,
    hash::{Hash, Method},
    keys::hex,
    tree::ONE_FILE,
};

/// Type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// Type of the predicate.
const PREDICATE: &str = "https://model_signing/signature/v1.0";
/// What `serialization.method` may say.
const FILES: &str = "files";
const SHARDS: &str = "shards";
/// Largest piece that a number of JSON states exactly.
const LARGEST_SHARD: f64 = 9_007_199_254_740_992.0;

/// What was signed, once everything about its form is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// What it was signed as.
    pub(super) subject: String,
    pub(super) method: Method,
    pub(super) hash: Hash,
    /// Paths that were left out, with all below them.
    pub(super) ignored: Vec<String>,
    /// Name and digest of every resource, in order.
    pub(super) resources: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Serialize, Deserialize)]
struct SubjectDigest {
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<Resource>,
}

#[derive(Serialize, Deserialize)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    #[serde(default)]
    ignore_paths: Vec<String>,
    // The reference implementation writes `1000.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard_size: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

impl Statement {
    /// The statement as JSON.
    pub(super) fn to_json(&self) -> Result<String, SignatureError> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a size that was read is exact, and none other is written"
        )]
        let shard_size = match self.method {
            Method::Files => None,
            Method::Shards(size) => Some(size as f64),
        };
        let algorithm = self.hash.algorithm(self.method);
        let resource = |(name, digest): &(String, String)| Resource {
            name: name.clone(),
            algorithm: algorithm.clone(),
            digest: digest.clone(),
        };
        let json = Json {
            kind: STATEMENT.to_owned(),
            subject: vec![Subject {
                name: self.subject.clone(),
                digest: SubjectDigest { sha256: root(&self.resources)? },
            }],
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate {
                serialization: Serialization {
                    method: if shard_size.is_some() { SHARDS } else { FILES }.to_owned(),
                    hash_type: self.hash.to_string(),
                    allow_symlinks: false,
                    ignore_paths: self.ignored.clone(),
                    shard_size,
                },
                resources: self.resources.iter().map(resource).collect(),
            },
        };
        serde_json::to_string(&json).map_err(|error| SignatureError::malformed(error.to_string()))
    }

    /// Reads a statement whose signature holds.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, SignatureError> {
        let json: Json = serde_json::from_slice(bytes)
            .map_err(|error| SignatureError::malformed(format!("the signed statement: {error}")))?;
        expect("the type of the statement", &json.kind, STATEMENT)?;
        expect("the type of the predicate", &json.predicate_type, PREDICATE)?;
        let [subject] = json.subject.as_slice() else {
            return Err(SignatureError::malformed(format!(
                "it has {} subjects, not one",
                json.subject.len()
            )));
        };
        let (method, hash) = json.predicate.serialization.read()?;
        let algorithm = hash.algorithm(method);
        let mut resources = Vec::with_capacity(json.predicate.resources.len());
        for resource in json.predicate.resources {
            expect("the algorithm of a resource", &resource.algorithm, &algorithm)?;
            resources.push((resource.name, resource.digest));
        }
        if resources.is_empty() {
            return Err(SignatureError::malformed("no file was signed"));
        }
        for (name, digest) in &resources {
            check_resource(name, digest, method, hash)?;
        }
        check_order(&resources, method)?;
        expect("the root digest", &subject.digest.sha256, &root(&resources)?)?;
        let ignored = json.predicate.serialization.ignore_paths;
        for path in &ignored {
            check_path(path)?;
        }
        Ok(Self { subject: subject.name.clone(), method, hash, ignored, resources })
    }

    /// Whether a path was left out when the model was signed.
    pub(super) fn ignores(&self, path: &str) -> bool {
        let covers = |ignored: &String| {
            path.strip_prefix(ignored.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.ignored.iter().any(covers)
    }
}

impl Serialization {
    fn read(&self) -> Result<(Method, Hash), SignatureError> {
        if self.allow_symlinks {
            let why = "the signer followed links, and links are not followed here".to_owned();
            return Err(SignatureError::Unsupported { why });
        }
        let hash = Hash::ALL.into_iter().find(|hash| hash.to_string() == self.hash_type);
        let hash = hash.ok_or_else(|| {
            SignatureError::malformed(format!(
                "the hash {:?} is none of sha256, blake2b, blake3",
                self.hash_type
            ))
        })?;
        let method = match (self.method.as_str(), self.shard_size) {
            (FILES, None) => Method::Files,
            (SHARDS, Some(size)) if (1.0..=LARGEST_SHARD).contains(&size) && size.fract() == 0.0 =>
            {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it is whole, positive and small"
                )]
                Method::Shards(size as u64)
            }
            (FILES | SHARDS, size) => {
                return Err(SignatureError::malformed(format!(
                    "the size of pieces is {size:?} with the method {:?}",
                    self.method
                )));
            }
            (other, _) => {
                return Err(SignatureError::malformed(format!(
                    "the method {other:?} is none of files, shards"
                )));
            }
        };
        Ok((method, hash))
    }
}

fn expect(what: &str, found: &str, wanted: &str) -> Result<(), SignatureError> {
    if found == wanted {
        return Ok(());
    }
    Err(SignatureError::malformed(format!("{what} is {found:?}, not {wanted:?}")))
}

fn check_resource(name: &str, digest: &str, method: Method, hash: Hash) -> Result<(), SignatureError> {
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if digest.len() != 2 * hash.length() || !digest.bytes().all(is_hex) {
        return Err(SignatureError::malformed(format!("the digest of {name:?} is no {hash} in lower hex")));
    }
    let Method::Shards(size) = method else {
        return if name == ONE_FILE { Ok(()) } else { check_path(name) };
    };
    let piece = Piece::of(name).filter(|piece| {
        piece.start < piece.end && piece.start % size == 0 && piece.end - piece.start <= size
    });
    let Some(piece) = piece else {
        return Err(SignatureError::malformed(format!("{name:?} names no piece of {size} bytes")));
    };
    if piece.path == ONE_FILE { Ok(()) } else { check_path(piece.path) }
}

/// A path that stays below the directory of the model, in its one spelling.
fn check_path(path: &str) -> Result<(), SignatureError> {
    let wrong = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(['\\', '\0']);
    if path.split('/').any(wrong) {
        return Err(SignatureError::malformed(format!("{path:?} is no path inside a model")));
    }
    Ok(())
}

/// Resources stand in one order, which also keeps any from being there twice.
fn check_order(resources: &[(String, String)], method: Method) -> Result<(), SignatureError> {
    let wrong = resources.windows(2).find(|pair| key(&pair[0].0, method) >= key(&pair[1].0, method));
    match wrong {
        None => Ok(()),
        Some(pair) => Err(SignatureError::malformed(format!(
            "{:?} and {:?} are not in order, or one is there twice",
            pair[0].0, pair[1].0
        ))),
    }
}

/// By what resources are sorted: the parts of the path, then where the piece begins and ends.
pub(super) fn key(name: &str, method: Method) -> (Vec<&str>, u64, u64) {
    let whole = Piece { path: name, start: 0, end: 0 };
    let piece = match method {
        Method::Files => whole,
        Method::Shards(_) => Piece::of(name).unwrap_or(whole),
    };
    (piece.path.split('/').collect(), piece.start, piece.end)
}

/// `path:start:end`.
struct Piece<'a> {
    path: &'a str,
    start: u64,
    end: u64,
}

impl<'a> Piece<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let mut parts = name.split(':');
        let (path, start, end) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |text: &str| {
            let number: u64 = text.parse().ok()?;
            (number.to_string() == text).then_some(number)
        };
        if parts.next().is_some() {
            return None;
        }
        Some(Self { path, start: number(start)?, end: number(end)? })
    }
}

/// The digest of the digests, which says nothing about names.
fn root(resources: &[(String, String)]) -> Result<String, SignatureError> {
    let mut state = Sha256::new();
    for (name, digest) in resources {
        let bytes = digest.as_bytes().chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        });
        let bytes = bytes
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| SignatureError::malformed(format!("the digest of {name:?} is no hex")))?;
        state.update(bytes);
    }
    Ok(hex(&state.finalize()))
}
