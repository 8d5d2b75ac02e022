//! Answers that are no success, as JSON: `{"error": "..."}`, the Open Inference Protocol's form, on both planes.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tagship_domain::serving::Refusal;

use super::{ServeError, refused::Refused};
use crate::engine::{EngineError, ErrorKind};

/// A request that gets no answer, and why.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    refusal: Refusal,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, refusal: Refusal { error: error.into(), ..Refusal::default() } }
    }

    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    /// A thread of ours died; the request is lost, the server is not.
    pub(super) fn crashed(doing: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!(
                "{doing}: the work crashed; this is a defect of the server or the model, please report it"
            ),
        )
    }

    /// Whether the sender is to blame.
    pub(super) fn is_request(&self) -> bool {
        self.status.is_client_error()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.refusal)).into_response()
    }
}

impl From<EngineError> for Problem {
    /// An error of running a loaded model.
    fn from(error: EngineError) -> Self {
        let status = match error.kind() {
            ErrorKind::Request => StatusCode::BAD_REQUEST,
            ErrorKind::Malformed | ErrorKind::Unsupported | ErrorKind::Failed => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<ServeError> for Problem {
    fn from(error: ServeError) -> Self {
        let status = if error.is_full() {
            StatusCode::INSUFFICIENT_STORAGE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Self::new(status, error.to_string())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let error = refused.to_string();
        match refused {
            Refused::Fenced { seen, .. } => Self {
                status: StatusCode::PRECONDITION_FAILED,
                refusal: Refusal { error, seen: Some(seen), ..Refusal::default() },
            },
            Refused::Missing { files } => Self {
                status: StatusCode::CONFLICT,
                refusal: Refusal { error, missing: files, ..Refusal::default() },
            },
            Refused::NotLoaded { .. } => Self::not_found(error),
            Refused::NotReady { .. }
            | Refused::OtherBytes { .. }
            | Refused::HasTraffic { .. }
            | Refused::IsMatched { .. }
            | Refused::IsStable { .. }
            | Refused::AnotherCandidate { .. }
            | Refused::NoStable { .. } => Self::new(StatusCode::CONFLICT, error),
            Refused::BadArtifact { .. } | Refused::Engine { .. } | Refused::NoShare { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
            }
            Refused::Storage(error) => error.into(),
        }
    }
}
