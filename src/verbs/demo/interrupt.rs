//! Being told to stop. The demo cleans up then: children end and the directory vanishes when they are dropped.

use std::future::Future;

use tagship_runner::Failure;

fn failed(error: &std::io::Error) -> Failure {
    Failure::incomplete(format!("listen for signals: {error}"))
}

/// Resolves at Ctrl-C or SIGTERM.
///
/// # Errors
/// When the system does not let a program listen.
#[cfg(unix)]
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| failed(&error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
///
/// # Errors
/// Never: where there is no console, it does not resolve.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature on every system")]
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
