//! Artifacts that runs of workflows keep (GitHub, REST API, "Actions artifacts").

use std::path::Path;

use async_trait::async_trait;
use serde::Deserialize;
use tagship_domain::{Timestamp, release::OriginRun};
use tagship_ports::{PortError, Problem, RunArtifacts};
use tokio::fs::File;

use crate::{
    GitHub,
    call::Call,
    download::{Sink, unwritten},
    error::{CallError, Reason},
};

const NEEDS: &str = "actions: read";
/// How many attempts of a run are asked when they began.
const ATTEMPTS: u32 = 10;
/// Names of other artifacts that an error tells.
const TOLD: usize = 10;

#[derive(Debug, Deserialize)]
struct Artifact {
    id: u64,
    name: String,
    /// Of the archive.
    size_in_bytes: u64,
    expired: bool,
    /// `sha256:...` of the archive; older servers do not tell.
    #[serde(default)]
    digest: Option<String>,
    /// When it was kept.
    #[serde(default)]
    created_at: Option<Timestamp>,
}

/// A run, or one attempt of it.
#[derive(Debug, Deserialize)]
struct Run {
    run_attempt: u64,
    run_started_at: Timestamp,
}

#[async_trait]
impl RunArtifacts for GitHub {
    async fn download(
        &self,
        runs: &[u64],
        name: &str,
        to: &Path,
        limit: u64,
    ) -> Result<OriginRun, PortError> {
        let about = format!("fetch the artifact {name:?} of a workflow run");
        let (run, artifact) = self.find_artifact(runs, name, &about).await?;
        if artifact.size_in_bytes > limit {
            let message = format!("its archive has {} bytes, more than {limit}", artifact.size_in_bytes);
            return Err(PortError::new(Problem::Invalid, about, message)
                .hint("raise `validate.max-size` of the model, if it may be that large"));
        }
        let file = File::create_new(to).await.map_err(|error| unwritten(to, &error))?;
        let mut sink = Sink::file(file, to.to_owned());
        let path = self.client.repo(&["actions", "artifacts", &artifact.id.to_string(), "zip"]);
        let call = Call::get(&about, path).needs(NEEDS);
        self.client.download(&call, artifact.size_in_bytes, &mut sink).await?;
        let arrived = sink.digest().to_string();
        match artifact.digest {
            Some(told) if told != arrived => {
                let message = format!("{arrived} arrived, and the host has {told}");
                Err(PortError::new(Problem::Invalid, about, message).hint("run the step again"))
            }
            // The record says less where this is not told; the bytes are the same.
            _ => Ok(OriginRun {
                id: run,
                attempt: self.attempt_of(run, artifact.created_at, &about).await.ok().flatten(),
            }),
        }
    }
}

impl GitHub {
    /// The attempt of a run in which something was kept at a time: the last one that had begun by then. The host names none, and
    /// an artifact outlives the attempt that kept it.
    async fn attempt_of(
        &self,
        run: u64,
        kept: Option<Timestamp>,
        about: &str,
    ) -> Result<Option<u64>, CallError> {
        let Some(kept) = kept else { return Ok(None) };
        let run = run.to_string();
        let path = self.client.repo(&["actions", "runs", &run]);
        let mut there: Run = self.client.fetch(&Call::get(about, path).needs(NEEDS)).await?;
        for _ in 0..ATTEMPTS {
            if there.run_started_at <= kept {
                return Ok(Some(there.run_attempt));
            }
            let Some(before) = there.run_attempt.checked_sub(1).filter(|before| *before > 0) else {
                return Ok(None);
            };
            let path = self.client.repo(&["actions", "runs", &run, "attempts", &before.to_string()]);
            there = self.client.fetch(&Call::get(about, path).needs(NEEDS)).await?;
        }
        Ok(None)
    }

    async fn find_artifact(
        &self,
        runs: &[u64],
        name: &str,
        about: &str,
    ) -> Result<(u64, Artifact), CallError> {
        let error = |message: String| PortError::new(Problem::NotFound, about, message);
        let mut others = vec![];
        for run in runs {
            for artifact in self.artifacts_of(*run, about).await? {
                if artifact.name != name {
                    others.push(artifact.name);
                } else if artifact.expired {
                    // An older one is other weights than those that are meant.
                    let error = error("it has expired".to_owned());
                    return Err(error
                        .hint("run the workflow that makes it again, or have it kept longer")
                        .into());
                } else {
                    return Ok((*run, artifact));
                }
            }
        }
        others.truncate(TOLD);
        let there =
            if others.is_empty() { "has none".to_owned() } else { format!("has {}", others.join(", ")) };
        let hint = "let this job need the job that uploads it with actions/upload-artifact, or run on `workflow_run`";
        Err(error(format!("there is no such artifact; the run {there}")).hint(hint).into())
    }

    /// Artifacts of a run, the newest first; none of a run that is not there.
    async fn artifacts_of(&self, run: u64, about: &str) -> Result<Vec<Artifact>, CallError> {
        let path = self.client.repo(&["actions", "runs", &run.to_string(), "artifacts"]);
        let call = Call::get(about, path).needs(NEEDS);
        match self.client.list::<Artifact>(call, Some("artifacts")).await {
            Ok(mut found) => {
                found.sort_by_key(|artifact| std::cmp::Reverse(artifact.id));
                Ok(found)
            }
            Err(error) if error.reason == Reason::Missing => Ok(vec![]),
            Err(error) => Err(error),
        }
    }
}
