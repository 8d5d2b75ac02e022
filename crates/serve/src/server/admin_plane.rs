//! The admin plane: loads versions and moves traffic. Every request must carry the bearer token.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use tagship_domain::{
    Digest, ModelName, Version,
    serving::{
        Accepted, LoadOrder, ModelStatus, Outcome, PromoteOrder, RollbackOrder, RoutingOrder, WeightOrder,
    },
};
use tokio::task::spawn_blocking;

use super::{
    context::Server, control::Control, data_plane::wrong_method, refused::Refused, reply::Problem,
    request_body, settings::AdminToken, upload,
};

type Shared = State<Arc<Server>>;
type Answer = Result<Json<Accepted>, Problem>;

/// All routes of the admin plane.
pub(super) fn router(server: Arc<Server>, token: AdminToken) -> Router {
    Router::new()
        .route("/admin/models/{model}", get(status))
        .route("/admin/models/{model}/weight", post(set_weight))
        .route("/admin/models/{model}/routing", post(route))
        .route("/admin/models/{model}/promote", post(promote))
        .route("/admin/models/{model}/rollback", post(rollback))
        .route("/admin/models/{model}/versions/{version}", put(load).delete(unload))
        .route("/admin/uploads/{digest}", put(receive))
        .fallback(async || Problem::not_found("there is no such path"))
        .method_not_allowed_fallback(async || wrong_method())
        .layer(middleware::from_fn_with_state(token, authenticate))
        .with_state(server)
}

async fn authenticate(State(token): State<AdminToken>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| token.matches(given)) {
        return next.run(request).await;
    }
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "the admin plane wants `Authorization: Bearer` with the server's token",
    );
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

async fn status(State(server): Shared, Path(model): Path<String>) -> Result<Json<ModelStatus>, Problem> {
    Ok(Json(server.control.status(&model_name(&model)?)))
}

async fn set_weight(State(server): Shared, Path(model): Path<String>, body: Body) -> Answer {
    let model = model_name(&model)?;
    let order: WeightOrder = request_body::json(body).await?;
    carry_out(server, move |control| control.set_weight(&model, order.fence, &order.version, order.weight))
        .await
}

async fn route(State(server): Shared, Path(model): Path<String>, body: Body) -> Answer {
    let model = model_name(&model)?;
    let order: RoutingOrder = request_body::json(body).await?;
    let (fence, routing) = (order.fence, order.into());
    carry_out(server, move |control| control.route(&model, fence, &routing)).await
}

async fn promote(State(server): Shared, Path(model): Path<String>, body: Body) -> Answer {
    let model = model_name(&model)?;
    let order: PromoteOrder = request_body::json(body).await?;
    carry_out(server, move |control| control.promote(&model, order.fence, &order.version)).await
}

async fn rollback(State(server): Shared, Path(model): Path<String>, body: Body) -> Answer {
    let model = model_name(&model)?;
    let order: RollbackOrder = request_body::json(body).await?;
    carry_out(server, move |control| control.rollback(&model, order.fence, order.to.as_ref())).await
}

async fn load(State(server): Shared, Path((model, version)): Path<(String, String)>, body: Body) -> Answer {
    let (model, version) = (model_name(&model)?, version_of(&version)?);
    let order: LoadOrder = request_body::json(body).await?;
    carry_out(server, move |control| control.load(&model, &version, order)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fence {
    fence: u64,
}

async fn unload(
    State(server): Shared,
    Path((model, version)): Path<(String, String)>,
    query: Result<Query<Fence>, QueryRejection>,
) -> Answer {
    let (model, version) = (model_name(&model)?, version_of(&version)?);
    let Fence { fence } = parameters(query)?;
    carry_out(server, move |control| control.unload(&model, fence, &version)).await
}

async fn receive(State(server): Shared, Path(digest): Path<String>, body: Body) -> Answer {
    let digest: Digest = digest.parse().map_err(|error| Problem::bad_request(format!("{error}")))?;
    upload::receive(&server, body, &digest).await?;
    Ok(Json(Accepted { result: Outcome::Applied }))
}

/// Carries an order out on a blocking thread, to its end even where the client goes away.
async fn carry_out(
    server: Arc<Server>,
    order: impl FnOnce(&Control) -> Result<Outcome, Refused> + Send + 'static,
) -> Answer {
    let done = spawn_blocking(move || order(&server.control)).await;
    let result = done.map_err(|_panic| Problem::crashed("carry out the order"))??;
    Ok(Json(Accepted { result }))
}

fn model_name(text: &str) -> Result<ModelName, Problem> {
    ModelName::new(text).map_err(|error| Problem::bad_request(error.to_string()))
}

fn version_of(text: &str) -> Result<Version, Problem> {
    text.parse::<Version>().map_err(|error| Problem::bad_request(error.to_string()))
}

fn parameters<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(value)| value).map_err(|error| Problem::bad_request(error.body_text()))
}
