//! Being told to stop: Ctrl-C, or SIGTERM where there is such a thing.

use std::future::Future;

use crate::error::Failure;

/// Resolves when the process is told to stop. Signals are taken from here on, not from the first poll.
///
/// # Errors
/// When the system does not let a program listen.
#[cfg(unix)]
pub fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error: std::io::Error| Failure::incomplete(format!("listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves when the process is told to stop.
///
/// # Errors
/// Never: without a console there is no Ctrl-C, and nothing to wait for but the end of the process.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the same signature on every system")]
pub fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
