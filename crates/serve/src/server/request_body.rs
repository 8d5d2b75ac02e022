//! Reads request bodies within bounds of size and time.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::StatusCode,
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout, timeout_at};

use super::reply::Problem;

/// Orders and feedback are small.
const MAX_JSON: usize = 4 << 20;
/// Longest time for a small body.
const JSON_TIME: Duration = Duration::from_secs(10);

/// The next piece of a body; `None` at its end.
pub(super) async fn next_chunk(body: &mut Body, silence: Duration) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        let frame = timeout(silence, frame).await.map_err(|_elapsed| too_slow())?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(Problem::bad_request(format!("read the request body: {error}"))),
            // Trailers carry nothing that is read here.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// A whole body of at most `limit` bytes, complete before `deadline`.
pub(super) async fn whole(mut body: Body, limit: usize, deadline: Instant) -> Result<Vec<u8>, Problem> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(limit as u64));
    }
    let read = async {
        let mut whole = Vec::with_capacity(announced);
        while let Some(chunk) = next_chunk(&mut body, Duration::MAX).await? {
            if chunk.len() > limit - whole.len() {
                return Err(too_large(limit as u64));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    };
    timeout_at(deadline, read).await.map_err(|_elapsed| too_slow())?
}

/// A small JSON document.
pub(super) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = whole(body, MAX_JSON, Instant::now() + JSON_TIME).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(format!("read the request: {error}")))
}

pub(super) fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the request is larger than {limit} bytes; split it"))
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the request body did not arrive in time; send it again")
}
