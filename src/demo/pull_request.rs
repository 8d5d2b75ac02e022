//! Pull requests, as people and their host handle them.

use std::time::Instant;

use tagship_runner::Failure;

use super::{
    fixtures::{GoLive, Training, configuration},
    repository::{CLONE, Event, merged, pushed},
    stage::Stage,
};

impl Stage {
    /// Puts a training's files into the clone, and how new versions go live into its configuration.
    pub(super) fn lay_out(&self, training: &Training, go_live: GoLive) -> Result<(), Failure> {
        let configuration = configuration(self.server.addresses(), go_live);
        self.directory.write(&format!("{CLONE}/tagship.yml"), configuration.as_bytes())?;
        for (path, content) in training {
            self.directory.write(&format!("{CLONE}/{path}"), content)?;
        }
        Ok(())
    }

    /// Pushes a branch with another training; answers its commit.
    pub(super) async fn propose(
        &self,
        branch: &str,
        training: &Training,
        go_live: GoLive,
        message: &str,
    ) -> Result<String, Failure> {
        let started = Instant::now();
        self.repository.branch(branch).await?;
        self.lay_out(training, go_live)?;
        let head = self.repository.commit(message).await?;
        self.timeline.step(&format!("git push origin {branch}"), started.elapsed());
        Ok(head)
    }

    /// Merges a pull request; answers the push to main that this is.
    pub(super) async fn merge(&self, number: u64, branch: &str, head: &str) -> Result<Event, Failure> {
        let started = Instant::now();
        let merge = self.repository.merge(branch, &format!("Merge pull request #{number}")).await?;
        merged(&self.directory, number, head, &merge)?;
        self.timeline.step(&format!("pull request #{number} is merged"), started.elapsed());
        pushed(&self.directory, &merge)
    }
}
