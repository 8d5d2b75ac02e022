//! `tagship registry gc`: what no release refers to leaves a model's store, and so do uploads that were never ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tagship_config::ModelConfig;
use tagship_domain::{ByteSize, Digest, Duration, Exit, ModelName, Timestamp};
use tagship_ports::{
    Inventory, PortError, Problem,
    inventory::{Begun, Stored},
};
use tagship_release::{LEASE, Leases, SWEEP, abandoned, referenced, unreferenced};
use tagship_report::terminal;
use tagship_runner::{Failure, args::GcArgs};

use crate::{answer::Answer, failure::failed, workspace::Workspace};

/// What goes: whole files, and what is there of uploads that never ended.
#[derive(Debug, Default)]
struct Going {
    files: Vec<Stored>,
    unfinished: Vec<Begun>,
}

impl Going {
    /// By what each of them is known, in the order in which they go.
    fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.files.iter().chain(self.begun()).map(|stored| &stored.digest)
    }

    fn begun(&self) -> impl Iterator<Item = &Stored> {
        self.unfinished.iter().map(|begun| &begun.stored)
    }

    /// Every digest whose bytes go, as far as they are whole files.
    fn whole(&self) -> BTreeSet<Digest> {
        self.digests().chain(self.unfinished.iter().flat_map(|begun| &begun.holds)).cloned().collect()
    }

    fn count(&self) -> usize {
        self.files.len() + self.unfinished.len()
    }

    /// Leaves what a release has said it needs; answers how much that is.
    fn keep(&mut self, leased: &BTreeSet<Digest>) -> usize {
        let before = self.count();
        self.files.retain(|file| !leased.contains(&file.digest));
        self.unfinished
            .retain(|begun| !leased.contains(&begun.stored.digest) && begun.holds.is_disjoint(leased));
        before - self.count()
    }
}

/// How often everything is read again because a release has begun or ended meanwhile.
const ATTEMPTS: u32 = 20;

pub(super) async fn run(args: &GcArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let inventory = workspace.inventory(model)?;
    for _ in 0..ATTEMPTS {
        let began = workspace.clock.now();
        // Before the tags: whoever made one since has moved the journal, and nothing can be announced on what was read here.
        let leases = Leases::read(workspace.host.journals.as_ref()).await.map_err(failed)?;
        let mut going = going(args, workspace, model, inventory.as_ref()).await?;
        let kept = going.keep(&leases.leased(began));
        if args.dry_run || going.count() == 0 {
            return Ok(answer(name, &going, kept, args.dry_run, workspace));
        }
        // Reading may have taken long; releases believe in a removal from here on.
        let (announced, by) = (workspace.clock.now(), &workspace.context.by);
        if leases.announce(going.whole(), by, announced).await.map_err(failed)? {
            let removed = remove(inventory.as_ref(), going, &|| in_time(workspace, announced)).await;
            let journals = workspace.host.journals.as_ref();
            if let Err(error) = Leases::end(journals, announced, by, workspace.clock.as_ref()).await {
                workspace.tell_once(&format!(
                    "warning: {error}; releases of these bytes wait for an hour at most"
                ));
            }
            return removed.map(|gone| answer(name, &gone, kept, false, workspace));
        }
    }
    Err(Failure::incomplete(format!("releases of {name} are being made all the time; nothing was removed"))
        .hint("run again when they are done"))
}

/// A removal that takes too long stops while releases still believe it.
fn in_time(workspace: &Workspace, announced: Timestamp) -> Result<(), PortError> {
    if workspace.clock.now() < announced.after(Duration::from_secs(SWEEP.std().as_secs() / 2)) {
        return Ok(());
    }
    let message = "it has taken too long: what is left may be needed by now";
    Err(PortError::new(Problem::Unreachable, "remove what no release refers to", message)
        .hint("run again; it goes on with what is left"))
}

/// What neither a tag refers to nor a release may have written just now.
async fn going(
    args: &GcArgs,
    workspace: &Workspace,
    model: &ModelConfig,
    inventory: &dyn Inventory,
) -> Result<Going, Failure> {
    // Listed before the tags are read: what is released in between is seen to be referred to.
    let listed = inventory.list().await.map_err(failed)?;
    let begun = inventory.unfinished().await.map_err(failed)?;
    if listed.is_empty() && begun.is_empty() {
        return Ok(Going::default());
    }
    let known = known(workspace, model).await?;
    // And after: what a release that is being made has found again in between counts as written anew, and stays.
    let mut stored = inventory.list().await.map_err(failed)?;
    let before: BTreeMap<_, _> = listed.iter().map(|file| (&file.digest, file.written)).collect();
    stored.retain(|file| before.get(&file.digest) == Some(&file.written));
    let now = workspace.clock.now();
    let files = unreferenced(stored, &known, now, args.grace);
    Ok(Going { files, unfinished: abandoned(begun, &known, now, args.grace) })
}

/// Removes files one after the other, as long as that may go on; answers what is gone. An error says which are.
async fn remove(
    inventory: &dyn Inventory,
    mut going: Going,
    may_go_on: &(dyn Fn() -> Result<(), PortError> + Sync),
) -> Result<Going, Failure> {
    let mut stayed = BTreeSet::new();
    for (done, digest) in going.digests().enumerate() {
        let removed = match may_go_on() {
            Ok(()) if done < going.files.len() => inventory.remove(digest).await.map(|()| true),
            Ok(()) => inventory.give_up(digest).await,
            Err(error) => Err(error),
        };
        if let Ok(false) = removed {
            stayed.insert(digest.clone());
        }
        if let Err(error) = removed {
            let gone: Vec<_> = going.digests().take(done).map(Digest::to_string).collect();
            let gone = if gone.is_empty() { "nothing".to_owned() } else { gone.join(", ") };
            let message =
                format!("{}; {done} of {} files were removed: {gone}", error.message, going.count());
            return Err(failed(PortError { message, ..error }));
        }
    }
    going.unfinished.retain(|begun| !stayed.contains(&begun.stored.digest));
    Ok(going)
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

fn answer(model: &ModelName, going: &Going, kept: usize, dry_run: bool, workspace: &Workspace) -> Answer {
    let done = if dry_run { "would be removed" } else { "removed" };
    let mut text = match going.count() {
        0 => format!("the store of {model} holds nothing that no release refers to\n"),
        _ => String::new(),
    };
    let begun: Vec<Stored> = going.begun().cloned().collect();
    for (what, stored) in [("files", &going.files), ("unfinished uploads", &begun)] {
        text += &list(what, stored, done, workspace);
    }
    if kept > 0 {
        let hours = LEASE.std().as_secs() / 3600;
        let _ = writeln!(
            text,
            "{kept} more stay: a release that is being made, or was given up less than {hours} hours ago, needs them"
        );
    }
    let described = |stored: &[Stored]| -> Vec<_> {
        let described = stored.iter().map(
            |file| serde_json::json!({ "digest": file.digest, "size": file.size, "written": file.written }),
        );
        described.collect()
    };
    let json = serde_json::json!({
        "removed": !dry_run,
        "size": size(&going.files) + size(&begun),
        "files": described(&going.files),
        "unfinished": described(&begun),
        "leased": kept,
    });
    let reason = if dry_run { "dry-run" } else { "done" };
    Answer::plain(Exit::Done, "collected", reason, text, json.to_string())
}

/// How many there are, and each of them; nothing where there is none.
fn list(what: &str, stored: &[Stored], done: &str, workspace: &Workspace) -> String {
    if stored.is_empty() {
        return String::new();
    }
    let row = |file: &Stored| {
        vec![ByteSize::bytes(file.size).to_string(), file.written.readable(), file.digest.to_string()]
    };
    let rows: Vec<_> = stored.iter().map(row).collect();
    let table = terminal::table(&["SIZE", "WRITTEN", "DIGEST"], &rows, &workspace.style());
    format!("{} {what}, {}, {done}\n{table}", stored.len(), ByteSize::bytes(size(stored)))
}

fn size(stored: &[Stored]) -> u64 {
    stored.iter().map(|file| file.size).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Removes so many files, then nothing any more. A run is at the one unfinished upload.
    struct Breaks(Mutex<usize>);

    #[async_trait::async_trait]
    impl Inventory for Breaks {
        async fn list(&self) -> Result<Vec<Stored>, PortError> {
            Ok(vec![])
        }

        async fn give_up(&self, _: &Digest) -> Result<bool, PortError> {
            Ok(false)
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
        let going = || Going { files: vec![file(1), file(2), file(3)], unfinished: vec![file(4).into()] };
        let error = remove(&Breaks(Mutex::new(2)), going(), &|| Ok(())).await.unwrap_err().to_string();
        assert!(
            error.contains("the line went dead") && error.contains("2 of 4 files were removed"),
            "{error}"
        );
        assert!(error.contains(file(2).digest.hex()) && !error.contains(file(3).digest.hex()), "{error}");
        let error = remove(&Breaks(Mutex::new(0)), going(), &|| Ok(())).await.unwrap_err().to_string();
        assert!(error.contains("0 of 4 files were removed: nothing"), "{error}");
        let gone = remove(&Breaks(Mutex::new(3)), going(), &|| Ok(())).await.unwrap();
        assert_eq!(
            (gone.files.len(), gone.unfinished.len()),
            (3, 0),
            "what a run is at is not called removed"
        );
    }
}
