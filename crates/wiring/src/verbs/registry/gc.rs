//! `tagship registry gc`: what no release refers to leaves a model's store.

use std::collections::{BTreeMap, BTreeSet};

use tagship_config::ModelConfig;
use tagship_domain::{ByteSize, Digest, Exit, ModelName};
use tagship_ports::{Inventory, PortError, inventory::Stored};
use tagship_release::{referenced, unreferenced};
use tagship_report::terminal;
use tagship_runner::{Failure, args::GcArgs};

use crate::{answer::Answer, failure::failed, workspace::Workspace};

pub(super) async fn run(args: &GcArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let inventory = workspace.inventory(model)?;
    // Listed before the tags are read: what is released in between is seen to be referred to.
    let listed = inventory.list().await.map_err(failed)?;
    let known = known(workspace, model).await?;
    // And after: what a release that is being made has found again in between counts as written anew, and stays.
    let mut stored = inventory.list().await.map_err(failed)?;
    let before: BTreeMap<_, _> = listed.iter().map(|file| (&file.digest, file.written)).collect();
    stored.retain(|file| before.get(&file.digest) == Some(&file.written));
    let going = unreferenced(stored, &known, workspace.clock.now(), args.grace);
    if !args.dry_run {
        remove(inventory.as_ref(), &going).await?;
    }
    Ok(answer(name, &going, args.dry_run, workspace))
}

/// Removes files one after the other. An error says which are gone.
async fn remove(inventory: &dyn Inventory, going: &[Stored]) -> Result<(), Failure> {
    for (done, file) in going.iter().enumerate() {
        if let Err(error) = inventory.remove(&file.digest).await {
            let gone: Vec<_> = going[..done].iter().map(|file| file.digest.to_string()).collect();
            let gone = if gone.is_empty() { "nothing".to_owned() } else { gone.join(", ") };
            let message = format!("{}; {done} of {} files were removed: {gone}", error.message, going.len());
            return Err(failed(PortError { message, ..error }));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tagship_domain::Timestamp;
    use tagship_ports::Problem;

    use super::*;

    /// Removes so many files, then nothing any more.
    struct Breaks(Mutex<usize>);

    #[async_trait::async_trait]
    impl Inventory for Breaks {
        async fn list(&self) -> Result<Vec<Stored>, PortError> {
            Ok(vec![])
        }

        async fn remove(&self, _: &Digest) -> Result<(), PortError> {
            let mut left = self.0.lock().unwrap();
            *left = left
                .checked_sub(1)
                .ok_or_else(|| PortError::new(Problem::Unreachable, "remove it", "the line went dead"))?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_failure_says_what_went_before() {
        let written = Timestamp::from_seconds(0).unwrap();
        let file = |byte: u8| Stored { digest: Digest::from_bytes([byte; 32]), size: 1, written };
        let going = [file(1), file(2), file(3)];
        let error = remove(&Breaks(Mutex::new(2)), &going).await.unwrap_err().to_string();
        assert!(
            error.contains("the line went dead") && error.contains("2 of 3 files were removed"),
            "{error}"
        );
        assert!(error.contains(going[1].digest.hex()) && !error.contains(going[2].digest.hex()), "{error}");
        let error = remove(&Breaks(Mutex::new(0)), &going).await.unwrap_err().to_string();
        assert!(error.contains("0 of 3 files were removed: nothing"), "{error}");
    }
}
