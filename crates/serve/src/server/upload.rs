//! Receives files of artifacts: hashed while they are written, kept only when they are what they claim to be.

use axum::{
    body::{Body, HttpBody as _},
    http::StatusCode,
};
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tokio::{fs::File, io::AsyncWriteExt as _, task::spawn_blocking};

use super::{
    ServeError,
    context::Server,
    reply::Problem,
    request_body::{next_chunk, too_large},
};

/// Streams a body to disk, verifies it, keeps it under its digest, and answers its size in bytes.
pub(super) async fn receive(server: &Server, mut body: Body, expected: &Digest) -> Result<u64, Problem> {
    let limit = server.limits.max_upload;
    if body.size_hint().lower() > limit {
        return Err(too_large(limit));
    }
    let upload = server.control.artifacts().new_upload()?;
    let file = upload.as_file().try_clone();
    let file = file.map_err(ServeError::storage("write", server.control.artifacts().uploads()))?;
    let mut file = File::from_std(file);
    let mut hash = Sha256::new();
    let (mut size, mut written) = (0_u64, Ok(()));
    while let Some(chunk) = next_chunk(&mut body, server.limits.upload_silence).await? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        // After a failed write the rest is read all the same: a sender that is cut off never reads why.
        if written.is_ok() {
            hash.update(&chunk);
            written = file.write_all(&chunk).await;
        }
    }
    if written.is_ok() {
        written = file.flush().await;
    }
    written.map_err(ServeError::storage("write", server.control.artifacts().uploads()))?;
    let found = Digest::from_bytes(hash.finalize().into());
    if found != *expected {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the uploaded bytes have the digest {found}, not {expected}; send the file again"),
        ));
    }
    let artifacts = server.control.artifacts().clone();
    spawn_blocking(move || artifacts.keep_upload(upload, &found))
        .await
        .map_err(|_panic| Problem::crashed("keep the upload"))??;
    Ok(size)
}
