//! The sample hook moves the traffic of a real nginx, and clients get exactly the shares that were ordered.

use anyhow::Result;

use super::{Ending, Subject, system};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("nginx", "nginx-light")?;
    system::play(subject, "nginx_rollout.py", &[&subject.workspace.path("docs/hooks/nginx.py")])?;
    Ok(Ending::Passed)
}
