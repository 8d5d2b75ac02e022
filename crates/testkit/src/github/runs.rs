//! Artifacts that runs of workflows keep.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer::Answer,
    ask::Ask,
    releases::elsewhere,
    shape,
    world::{World, hex},
};

impl World {
    /// Keeps the archive of an artifact, as the job of a run uploads it.
    pub fn keep_artifact(&mut self, run: u64, name: &str, archive: Vec<u8>) {
        let (id, time) = (self.next_id(), self.time());
        let artifact = json!({
            "id": id, "node_id": format!("A_{id}"), "name": name, "size_in_bytes": archive.len(), "expired": false,
            "digest": format!("sha256:{}", hex(&Sha256::digest(&archive))),
            "created_at": time, "updated_at": time, "expires_at": time,
        });
        self.attempts.entry(run).or_insert_with(|| vec![time.clone()]);
        self.run_artifacts.push((run, shape::with_urls(artifact, "url archive_download_url")));
        self.asset_bytes.insert(id, archive);
    }
}

/// A run that kept something, or one attempt of it; the last one where none is named.
pub(super) fn run(world: &World, run: &str, attempt: Option<&str>) -> Answer {
    let began = run.parse().ok().and_then(|run: u64| world.attempts.get(&run));
    let attempt = attempt.map_or_else(|| began.map(Vec::len), |attempt| attempt.parse().ok());
    match began.zip(attempt).and_then(|(began, attempt)| Some((attempt, began.get(attempt.checked_sub(1)?)?)))
    {
        Some((attempt, began)) => {
            let mut told = shape::workflow_run(world, run.parse().unwrap_or_default(), &"c".repeat(40));
            told["run_attempt"] = attempt.into();
            told["run_started_at"] = began.as_str().into();
            Answer::ok(told)
        }
        None => Answer::not_found(),
    }
}

pub(super) fn artifacts(world: &World, ask: &Ask, run: &str) -> Answer {
    let of = world.run_artifacts.iter().filter(|(there, _)| there.to_string() == run);
    let named = of.filter(|(_, artifact)| ask.query("name").is_none_or(|name| artifact["name"] == name));
    Answer::page(ask, named.map(|(_, artifact)| artifact.clone()).collect(), Some(("artifacts", json!({}))))
}

/// The way to an archive; the host says 410 for one that has expired.
pub(super) fn archive(world: &World, id: &str) -> Answer {
    let mut all = world.run_artifacts.iter().map(|(_, artifact)| artifact);
    match all.find(|artifact| shape::has_id(artifact, id)) {
        Some(artifact) if artifact["expired"] == Value::Bool(true) => {
            Answer::error(410, "Artifact has expired")
        }
        Some(_) => elsewhere(world, id),
        None => Answer::not_found(),
    }
}
