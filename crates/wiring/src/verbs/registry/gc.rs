//! `tagship registry gc`: what no release refers to leaves a model's store.

use std::collections::BTreeSet;

use tagship_config::ModelConfig;
use tagship_domain::{ByteSize, Digest, Exit, ModelName};
use tagship_ports::inventory::Stored;
use tagship_release::{referenced, unreferenced};
use tagship_report::terminal;
use tagship_runner::{Failure, args::GcArgs};

use crate::{answer::Answer, failure::failed, workspace::Workspace};

pub(super) async fn run(args: &GcArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let inventory = workspace.inventory(model)?;
    // Listed before the tags are read: what is released in between is seen to be referred to.
    let stored = inventory.list().await.map_err(failed)?;
    let known = known(workspace, model).await?;
    let going = unreferenced(stored, &known, workspace.clock.now(), args.grace);
    for file in going.iter().filter(|_| !args.dry_run) {
        inventory.remove(&file.digest).await.map_err(failed)?;
    }
    Ok(answer(name, &going, args.dry_run, workspace))
}

/// What every release in the store of this model refers to.
async fn known(workspace: &Workspace, model: &ModelConfig) -> Result<BTreeSet<Digest>, Failure> {
    workspace.host.refresh().await.map_err(failed)?;
    let registry = workspace.registry().await?;
    let models = workspace.config.models.iter();
    let elsewhere: BTreeSet<ModelName> = models
        .filter(|(_, other)| other.release.store != model.release.store)
        .map(|(name, _)| name.clone())
        .collect();
    let store = workspace.store(model)?;
    referenced(&registry, &elsewhere, store.as_ref()).await.map_err(failed)
}

fn answer(model: &ModelName, going: &[Stored], dry_run: bool, workspace: &Workspace) -> Answer {
    let total: u64 = going.iter().map(|file| file.size).sum();
    let row = |file: &Stored| {
        vec![ByteSize::bytes(file.size).to_string(), file.written.readable(), file.digest.to_string()]
    };
    let done = if dry_run { "would be removed" } else { "removed" };
    let mut text = match going.len() {
        0 => format!("the store of {model} holds nothing that no release refers to\n"),
        count => format!("{count} files, {}, {done}\n", ByteSize::bytes(total)),
    };
    if !going.is_empty() {
        let rows: Vec<_> = going.iter().map(row).collect();
        text += &terminal::table(&["SIZE", "WRITTEN", "DIGEST"], &rows, &workspace.style());
    }
    let files: Vec<_> = going
        .iter()
        .map(|file| serde_json::json!({ "digest": file.digest, "size": file.size, "written": file.written }))
        .collect();
    let json = serde_json::json!({ "removed": !dry_run, "size": total, "files": files }).to_string();
    let reason = if dry_run { "dry-run" } else { "done" };
    Answer::plain(Exit::Done, "collected", reason, text, json)
}
