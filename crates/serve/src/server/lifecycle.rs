//! From binding the ports to the last answer.
//!
//! Ports are bound first, because a taken port is the commonest reason not to start and the cheapest to find. Nothing
//! is answered before every version was verified and loaded. A stop turns readiness off, closes the doors, and waits
//! for requests in progress.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc};

use axum::{Router, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    ServeError, admin_plane, context::Server, control::Control, data_plane, prediction_log::PredictionLog,
    settings::ServerSettings, state_file::replace_file,
};
use crate::Loader;

/// Where a running server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundAddresses {
    /// Data plane.
    pub inference: SocketAddr,
    /// Admin plane.
    pub admin: SocketAddr,
}

/// Serves until `stop` resolves, then drains.
///
/// `ready` is called once requests are answered.
///
/// # Errors
/// When the server cannot start, stops by itself, or had to cut requests off at the end of the grace period.
pub async fn run(
    settings: ServerSettings,
    loader: Arc<dyn Loader>,
    ready: impl FnOnce(BoundAddresses),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let inference = bind("inference", settings.listen).await?;
    let admin = bind("admin", settings.admin_listen).await?;
    let addresses = BoundAddresses { inference: inference.1, admin: admin.1 };
    let server = Arc::new(open(&settings, loader).await?);

    let (closing, closed) = watch::channel(());
    let routes = data_plane::router(Arc::clone(&server));
    let mut inference = Plane::open("inference", inference.0, routes, closed.clone());
    let routes = admin_plane::router(Arc::clone(&server), settings.token);
    let mut admin = Plane::open("admin", admin.0, routes, closed);
    if let Some(path) = &settings.addresses_file {
        tell_addresses(path, addresses)?;
    }
    ready(addresses);

    let stopped = tokio::select! {
        () = stop => None,
        error = inference.ended() => Some(error),
        error = admin.ended() => Some(error),
    };
    server.start_draining();
    drop(closing);
    let grace = server.limits.grace;
    let drained = timeout(grace, async {
        // A plane that has ended already is drained.
        let _ = (&mut inference.task).await;
        let _ = (&mut admin.task).await;
    });
    let in_time = stopped.is_some() || drained.await.is_ok();
    let requests = server.in_flight();
    inference.task.abort();
    admin.task.abort();
    let closing_log = Arc::clone(&server);
    let _ = spawn_blocking(move || closing_log.log.as_ref().map(PredictionLog::close)).await;
    match stopped {
        Some(error) => Err(error),
        None if in_time || requests == 0 => Ok(()),
        None => Err(ServeError::Unfinished { requests, grace }),
    }
}

/// One listening port.
struct Plane {
    name: &'static str,
    task: JoinHandle<std::io::Result<()>>,
}

impl Plane {
    fn open(
        name: &'static str,
        listener: TcpListener,
        routes: Router,
        mut closed: watch::Receiver<()>,
    ) -> Self {
        // Answers are small and awaited: waiting to fill a packet only costs latency. A socket that refuses works too.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        // The sender never sends; the wait ends when it is dropped.
        let stop = async move { drop(closed.changed().await) };
        let serve = axum::serve(listener, routes).with_graceful_shutdown(stop);
        Self { name, task: tokio::spawn(async move { serve.await }) }
    }

    /// Resolves only when the plane stops by itself.
    async fn ended(&mut self) -> ServeError {
        let detail = match (&mut self.task).await {
            Ok(Ok(())) => "it stopped listening".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        ServeError::Stopped { plane: self.name, detail }
    }
}

async fn bind(plane: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Bind { plane, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn open(settings: &ServerSettings, loader: Arc<dyn Loader>) -> Result<Server, ServeError> {
    let ServerSettings { state_dir, limits, prediction_log, clock, .. } = settings.clone();
    let opening = spawn_blocking(move || {
        let control = Control::open(&state_dir, loader, limits.workers)?;
        let log = prediction_log.map(|bounds| PredictionLog::open(&state_dir.join("predictions"), bounds));
        Ok(Server::new(control, log.transpose()?, limits, clock))
    });
    let crashed =
        |error: tokio::task::JoinError| ServeError::Stopped { plane: "state", detail: error.to_string() };
    opening.await.map_err(crashed)?
}

fn tell_addresses(path: &Path, addresses: BoundAddresses) -> Result<(), ServeError> {
    let write = || replace_file(path, &serde_json::to_vec(&addresses)?);
    write().map_err(ServeError::storage("write", path))
}
