//! The data plane: inference, health and metadata as the Open Inference Protocol v2 has them, metrics, feedback.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tagship_domain::{
    ModelName, Version,
    serving::{Accepted, Feedback, LogLine, PredictionRecord},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::{
    context::Server,
    exposition, feedback,
    inference_protocol::{Answer, ModelMetadata, ServerMetadata, answer},
    metrics::{Ending, Route},
    mirror::Original,
    predictions::{Copied, Prediction, label_output, labels},
    reply::Problem,
    request_body,
    table::{Arm, Routes},
};

type Shared = State<Arc<Server>>;

/// All routes of the data plane.
pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/v2", get(async || Json(ServerMetadata::THIS)))
        .route("/v2/health/live", get(async || Json(json!({ "live": true }))))
        .route("/v2/health/ready", get(server_ready))
        .route("/v2/models/{model}", get(model_metadata))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/infer", post(infer_by_weight))
        .route("/v2/models/{model}/versions/{version}", get(version_metadata))
        .route("/v2/models/{model}/versions/{version}/ready", get(version_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer_version))
        .route("/metrics", get(metrics))
        .route("/feedback", post(take_feedback))
        .fallback(async || Problem::not_found("there is no such path"))
        .method_not_allowed_fallback(async || wrong_method())
        .with_state(server)
}

/// The answer to a method that a path does not have.
pub(super) fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method")
}

async fn server_ready(State(server): Shared) -> Response {
    let ready = !server.is_draining();
    readiness(ready, json!({ "ready": ready }))
}

async fn model_ready(State(server): Shared, Path(model): Path<String>) -> Result<Response, Problem> {
    with_model(&server, &model, |model, routes| {
        let ready = routes.is_ready() && !server.is_draining();
        Ok(readiness(ready, json!({ "name": model, "ready": ready })))
    })
}

async fn version_ready(
    State(server): Shared,
    Path((model, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    with_version(&server, &model, &version, |arm| {
        let ready = arm.loaded.is_ok() && !server.is_draining();
        Ok(readiness(ready, json!({ "name": arm.model, "version": arm.version, "ready": ready })))
    })
}

fn readiness(ready: bool, body: serde_json::Value) -> Response {
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

async fn model_metadata(State(server): Shared, Path(model): Path<String>) -> Result<Response, Problem> {
    with_model(&server, &model, |model, routes| {
        let arm =
            routes.face().or_else(|| routes.arms.values().next_back()).ok_or_else(|| no_version(model))?;
        Ok(Json(ModelMetadata::of(arm, routes.arms.keys().collect())?).into_response())
    })
}

async fn version_metadata(
    State(server): Shared,
    Path((model, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    with_version(&server, &model, &version, |arm| {
        Ok(Json(ModelMetadata::of(arm, vec![&arm.version])?).into_response())
    })
}

async fn metrics(State(server): Shared) -> Response {
    ([(header::CONTENT_TYPE, exposition::CONTENT_TYPE)], exposition::page(&server)).into_response()
}

async fn take_feedback(State(server): Shared, body: Body) -> Result<Json<Accepted>, Problem> {
    let _inside = server.enter()?;
    let feedback: Feedback = request_body::json(body).await?;
    feedback::take(&server, feedback).map(Json)
}

async fn infer_by_weight(
    State(server): Shared,
    Path(model): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    infer(server, body, |server| {
        with_model(server, &model, |model, routes| {
            if let Some(arm) = routes.matched(&head.headers) {
                return Ok(Chosen { arm: Arc::clone(arm), route: Route::Matched, shadow: None });
            }
            let draw = routes.client(model, &head.headers).unwrap_or_else(|| server.draw());
            let arm = routes.pick(draw).cloned().ok_or_else(|| no_version(model))?;
            let shadow = routes.shadow(|| server.draw()).cloned();
            Ok(Chosen { arm, route: Route::Weighted, shadow })
        })
    })
    .await
}

async fn infer_version(
    State(server): Shared,
    Path((model, version)): Path<(String, String)>,
    body: Body,
) -> Result<Response, Problem> {
    infer(server, body, |server| {
        with_version(server, &model, &version, |arm| {
            Ok(Chosen { arm: Arc::clone(arm), route: Route::Direct, shadow: None })
        })
    })
    .await
}

/// Who answers a request.
struct Chosen {
    arm: Arc<Arm>,
    route: Route,
    /// Who answers a copy of it.
    shadow: Option<Arc<Arm>>,
}

/// One inference. The version is chosen when the request is complete: a slow upload holds on to no version.
async fn infer(
    server: Arc<Server>,
    body: Body,
    choose: impl FnOnce(&Server) -> Result<Chosen, Problem>,
) -> Result<Response, Problem> {
    let _inside = server.enter()?;
    let deadline = Instant::now() + server.limits.request_timeout;
    let request = request_body::whole(body, server.limits.max_request, deadline).await?;
    let chosen = choose(&server)?;
    let (arm, length) = (&chosen.arm, request.len());
    let measure = arm.metrics.by(chosen.route).measure();
    match timeout_at(deadline, run(Arc::clone(&server), Arc::clone(arm), request)).await {
        Ok(Ok(answer)) => {
            let took = measure.end(Ending::Answered);
            Ok(remember(&server, &chosen, answer, length, took.as_secs_f64() * 1e3))
        }
        Ok(Err(problem)) => {
            measure.end(if problem.is_request() { Ending::Rejected } else { Ending::Failed });
            Err(problem)
        }
        Err(_elapsed) => {
            measure.end(Ending::Failed);
            let seconds = server.limits.request_timeout.as_secs_f64();
            Err(Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                format!("{} {} gave no answer within {seconds} s; send fewer rows", arm.model, arm.version),
            ))
        }
    }
}

/// Runs an inference on a blocking thread. The worker's permit goes with it: a version that hangs keeps its own
/// workers, whatever became of the request, and no others.
async fn run(server: Arc<Server>, arm: Arc<Arm>, request: Vec<u8>) -> Result<Answer, Problem> {
    let workers = Arc::clone(&arm.workers);
    let permit = workers.acquire_owned().await.map_err(|_closed| Problem::crashed("wait for a worker"))?;
    let work = move || {
        let _permit = permit;
        answer(&arm, &request, || server.new_id())
    };
    spawn_blocking(work).await.unwrap_or_else(|_panic| Err(Problem::crashed("run the model")))
}

/// Keeps what feedback and monitoring will need, and makes the response. The request had `length` bytes.
fn remember(
    server: &Arc<Server>,
    chosen: &Chosen,
    answer: Answer,
    length: usize,
    latency_ms: f64,
) -> Response {
    let Chosen { arm, route, shadow } = chosen;
    if *route != Route::Direct
        && let Some(output) = label_output(&answer.outputs)
    {
        arm.metrics.classes.count(output.data());
    }
    let size = length + answer.body.len();
    let copy = shadow.as_ref().and_then(|shadow| server.mirror.copy(Arc::clone(shadow), &answer, size));
    let prediction = Prediction {
        version: arm.version.clone(),
        route: *route,
        metrics: Arc::clone(&arm.metrics),
        labels: labels(&answer.outputs),
        copy: if copy.is_some() { Copied::Waits } else { Copied::No },
    };
    let number = server.predictions.insert(&arm.model, &answer.id, prediction);
    if let Some(copy) = copy {
        let original = Original { model: arm.model.clone(), id: answer.id.clone(), number };
        tokio::spawn(copy.answer(Arc::clone(server), original));
    }
    if let Some(log) = &server.log {
        log.line(LogLine::Prediction(PredictionRecord {
            at: server.clock.now(),
            model: arm.model.clone(),
            version: arm.version.clone(),
            id: answer.id,
            latency_ms,
            inputs: log.keep(answer.inputs),
            outputs: log.keep(answer.outputs),
        }));
    }
    ([(header::CONTENT_TYPE, "application/json")], answer.body).into_response()
}

fn with_model<T>(
    server: &Server,
    model: &str,
    then: impl FnOnce(&ModelName, &Routes) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let table = server.control.table();
    let known = ModelName::new(model).ok().and_then(|name| table.models.get_key_value(&name));
    let (name, routes) = known.ok_or_else(|| Problem::not_found(format!("no model {model:?} is here")))?;
    then(name, routes)
}

fn with_version<T>(
    server: &Server,
    model: &str,
    version: &str,
    then: impl FnOnce(&Arc<Arm>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    with_model(server, model, |_, routes| {
        let arm = version.parse::<Version>().ok().and_then(|version| routes.arms.get(&version));
        then(
            arm.ok_or_else(|| {
                Problem::not_found(format!("model {model:?} has no version {version:?} here"))
            })?,
        )
    })
}

fn no_version(model: &ModelName) -> Problem {
    Problem::unavailable(format!("no version of {model} has traffic; promote one"))
}
