//! What has to be true in the end, whoever died: read with git and as plain JSON, by none of the code that wrote it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tagship_testkit::Cli;

use super::{scenario::Scenario, stage::Stage, template::PULL_REQUEST};

pub(super) const JOURNAL: &str = "refs/tagship/rollouts/production/churn";
/// Phases in which a rollout has ended.
const ENDS: [&str; 4] = ["Succeeded", "Failed", "RolledBack", "Superseded"];

/// What others see in the end, without times and without what depends on how many runs it took: facts by their name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End(BTreeMap<&'static str, String>);

impl End {
    /// What is otherwise than in another end; empty where nothing is.
    pub(super) fn differences(&self, expected: &Self) -> Vec<String> {
        let differ = self.0.iter().filter(|(name, fact)| expected.0.get(*name) != Some(fact));
        differ.map(|(name, fact)| format!("{name}: {fact}, undisturbed {:?}", expected.0.get(name))).collect()
    }
}

/// Reads the end of a stage, and checks what no end may break.
pub(super) fn end(stage: &Stage<'_>, serves: &str) -> Result<End> {
    let entries = journal(stage)?;
    check_journal(&entries)?;
    let (weights, origin) = (stage.weights()?, stage.path("origin.git"));
    let newest = &entries.last().context("the journal has an entry")?.state;
    ensure!(is_end(newest), "the lock is still held: {}", newest["phase"]);
    ensure!(weights.get(serves) == Some(&100), "{serves} should have all traffic: {weights:?}");
    let candidate = text(&newest["candidate"]["version"]);
    let applied = newest["weight"]["applied"].as_u64().context("the state has a share")?;
    let real = weights.get(&candidate).copied().unwrap_or(0);
    ensure!(applied == real, "the journal says {applied} % for {candidate}, the target gives it {real} %");
    let forge = stage.clone().join(".tagship/forge");
    let comments = names(&forge.join("comments"))?;
    ensure!(comments.len() <= 1, "one comment on one pull request, not {comments:?}");
    let comment = fs::read_to_string(forge.join(format!("comments/{PULL_REQUEST}-status.md")))?;
    no_locks(&stage.clone().join(".git"))?;
    no_locks(&origin)?;
    check_store(stage, &origin)?;
    // Headlines name version and outcome.
    let headlines: Vec<&str> = comment.lines().filter(|line| line.starts_with('#')).collect();
    Ok(End(BTreeMap::from([
        ("phases and shares of each rollout", format!("{:?}", rollouts(&entries))),
        ("tags", format!("{:?}", tags(stage, &origin)?)),
        ("refs of the origin", stage.git(&origin, &["for-each-ref", "--format=%(refname)"])?),
        ("files of the forge", format!("{:?}", files(&forge)?)),
        ("deployments", format!("{:?}", deployments(&forge.join("deployments"))?)),
        ("traffic", format!("{weights:?}")),
        ("comment", headlines.join("\n")),
    ])))
}

/// What served before serves again, the journal is whole and says with these words why.
pub(super) fn undone_and_told(stage: &Stage<'_>, words: &str) -> Result<()> {
    let entries = journal(stage)?;
    check_journal(&entries)?;
    let newest = &entries.last().context("the journal has an entry")?.state;
    let (phase, cause) = (text(&newest["phase"]), text(&newest["cause"]));
    ensure!(["RolledBack", "Failed"].contains(&phase.as_str()), "it is {phase}");
    ensure!(cause.contains(words), "it does not say {words:?}: {cause}");
    let (weights, stable) = (stage.weights()?, text(&newest["stable"]["version"]));
    ensure!(weights.get(&stable) == Some(&100), "{stable} should have all traffic again: {weights:?}");
    check_store(stage, &stage.path("origin.git"))
}

/// Whether a rollback waits for a person.
pub(super) fn is_stuck(stage: &Stage<'_>) -> Result<bool> {
    Ok(journal(stage)?.last().is_some_and(|entry| entry.state["phase"] == "RollbackFailed"))
}

/// A rollback that could not be completed keeps what it brought back, says with these words why, and is completed by a person
/// who goes back once more.
pub(super) fn kept_and_completed(stage: &Stage<'_>, scenario: &Scenario, words: &str) -> Result<()> {
    let served = |when: &str| -> Result<()> {
        let weights = stage.weights()?;
        let all = weights.get(scenario.serves) == Some(&100);
        ensure!(all, "{when}: {} should have all traffic: {weights:?}", scenario.serves);
        Ok(())
    };
    served("after a rollback that failed")?;
    let entries = journal(stage)?;
    let newest = &entries.last().context("the journal has an entry")?.state;
    let told = format!("{} {}", text(&newest["message"]), text(&newest["cause"]));
    ensure!(told.contains(words), "it does not say {words:?}: {told}");
    let left = text(&newest["stable"]["version"]);
    for run in scenario.runs {
        stage.run(run)?;
    }
    stage.settle()?;
    served("when it was completed")?;
    let entries = journal(stage)?;
    let phase = &entries.last().context("the journal has an entry")?.state["phase"];
    ensure!(phase == "Succeeded", "a person went back once more, and it is {phase}");
    let out = format!("version '{left}'");
    let tags = tags(stage, &stage.path("origin.git"))?;
    ensure!(
        tags.iter().any(|tag| tag.contains("Unassigning") && tag.ends_with(&out)),
        "{left} is not out: {tags:?}"
    );
    check_store(stage, &stage.path("origin.git"))
}

/// One entry of the journal.
struct Entry {
    subject: String,
    parents: usize,
    state: Value,
}

/// All entries, oldest first.
fn journal(stage: &Stage<'_>) -> Result<Vec<Entry>> {
    let origin = stage.path("origin.git");
    let log =
        stage.git(&origin, &["log", "--reverse", "--topo-order", "--format=%H%x09%P%x09%s", JOURNAL])?;
    let ids = log.lines().map(|line| line.split('\t').next().unwrap_or_default());
    let asked = ids.flat_map(|id| [id, ":rollout.json\n"]).collect::<String>();
    let states = Cli::new("git").args(["cat-file", "--batch"]).current_dir(&origin).stdin(asked).run();
    // A line with id, kind and size stands before each.
    let states: String = states.stdout.lines().filter(|line| !line.contains(" blob ")).collect();
    let mut states = serde_json::Deserializer::from_str(&states).into_iter::<Value>();
    let entry = |line: &str| {
        let mut parts = line.splitn(3, '\t').skip(1);
        let mut part = || parts.next().context("three parts");
        let (parents, subject) = (part()?, part()?);
        let state = states.next().with_context(|| format!("{subject}: no state"))?;
        let state = state.with_context(|| format!("{subject}: the state is half written"))?;
        Ok(Entry { subject: subject.to_owned(), parents: parents.split_whitespace().count(), state })
    };
    log.lines().map(entry).collect()
}

/// The journal is one chain; numbers and times only grow; one rollout ends before the next one begins; each entry says what
/// happened, and what ended badly says why.
fn check_journal(entries: &[Entry]) -> Result<()> {
    let mut before: Option<&Entry> = None;
    for entry in entries {
        let (state, subject) = (&entry.state, &entry.subject);
        ensure!(entry.parents == usize::from(before.is_some()), "{subject}: {} parents", entry.parents);
        let told = !text(&state["message"]).is_empty() && !text(&state["reason"]).is_empty();
        ensure!(told && subject.contains(&text(&state["phase"])), "{subject}: it does not say what happened");
        let undone = ["Failed", "RolledBack"].contains(&text(&state["phase"]).as_str());
        ensure!(!undone || !text(&state["cause"]).is_empty(), "{subject}: it does not say why");
        if let Some(before) = before {
            check_order(&before.state, state).with_context(|| format!("{} -> {subject}", before.subject))?;
        }
        before = Some(entry);
    }
    Ok(())
}

fn check_order(before: &Value, after: &Value) -> Result<()> {
    let seq = |state: &Value| state["seq"].as_u64().unwrap_or_default();
    ensure!(seq(before) <= seq(after), "numbers fall");
    ensure!(moment(&before["since"]) <= moment(&after["since"]), "time goes back");
    if before["id"] == after["id"] {
        ensure!(!is_end(before) || before["phase"] == after["phase"], "it went on after its end");
    } else {
        ensure!(is_end(before), "it began while another one was under way");
        ensure!(after["phase"] == "Pending", "it did not begin at its beginning");
    }
    Ok(())
}

/// Each rollout with its phases in order; an entry that only repeats the one before counts once.
fn rollouts(entries: &[Entry]) -> Vec<(String, Vec<(String, u64)>)> {
    let mut rollouts: Vec<(String, Vec<(String, u64)>)> = vec![];
    for Entry { state, .. } in entries {
        let id = text(&state["id"]);
        if rollouts.last().is_none_or(|(last, _)| *last != id) {
            rollouts.push((id, vec![]));
        }
        let here = (text(&state["phase"]), state["weight"]["desired"].as_u64().unwrap_or_default());
        if let Some((_, phases)) = rollouts.last_mut().filter(|(_, phases)| phases.last() != Some(&here)) {
            phases.push(here);
        }
    }
    rollouts
}

fn is_end(state: &Value) -> bool {
    ENDS.contains(&text(&state["phase"]).as_str())
}

/// Tags with what they are about; of every version one, and of every number of a stage one.
fn tags(stage: &Stage<'_>, origin: &Path) -> Result<Vec<String>> {
    let format = "--format=%(objecttype) %(refname:strip=2) %(contents:subject)";
    let tags = lines(&stage.git(origin, &["for-each-ref", format, "refs/tags"])?);
    match tags.iter().find(|tag| !tag.starts_with("tag ")) {
        Some(light) => bail!("{light} is no annotated tag"),
        None => Ok(tags),
    }
}

/// Every file of the store holds the bytes that its name says, and what the tags name is there.
fn check_store(stage: &Stage<'_>, origin: &Path) -> Result<()> {
    let blobs = stage.clone().join(".tagship/store/blobs/sha256");
    let mut found = vec![];
    let blobs_there = files(&blobs)?;
    let names: Vec<&str> = blobs_there.iter().map(String::as_str).collect();
    for line in stage.output("sha256sum", &blobs, &names)?.lines() {
        let (digest, file) = line.split_once("  ").context("a sum and a name")?;
        ensure!(file.ends_with(digest), "{file} of the store holds other bytes");
        found.push(digest.to_owned());
    }
    let messages = stage.git(origin, &["for-each-ref", "--format=%(contents)", "refs/tags"])?;
    let named = messages.lines().filter_map(|line| line.strip_prefix("Tagship-Manifest: sha256:"));
    for digest in named {
        ensure!(found.iter().any(|blob| blob == digest.trim()), "manifest {digest} is lost");
    }
    Ok(())
}

fn deployments(directory: &Path) -> Result<Vec<(String, String)>> {
    let mut found = vec![];
    for file in files(directory)? {
        let shown: Value = serde_json::from_str(&fs::read_to_string(directory.join(&file))?)
            .with_context(|| format!("{file} is half written"))?;
        found.push((text(&shown["rollout"]), text(&shown["state"])));
    }
    Ok(found)
}

/// Nothing that a dead git holds keeps the next one out.
fn no_locks(directory: &Path) -> Result<()> {
    match files(directory)?
        .into_iter()
        .find(|file| Path::new(file).extension().is_some_and(|end| end == "lock"))
    {
        Some(lock) => bail!("{} is still locked by {lock}", directory.display()),
        None => Ok(()),
    }
}

/// Names of the files below a directory that are not hidden, sorted; of a rollout without its time.
fn files(directory: &Path) -> Result<Vec<String>> {
    let mut found = vec![];
    for name in names(directory)?.into_iter().filter(|name| !name.starts_with('.')) {
        let path = directory.join(&name);
        if path.is_dir() {
            found.extend(files(&path)?.into_iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(name);
        }
    }
    Ok(found)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    if !directory.exists() {
        return Ok(vec![]);
    }
    let entries = fs::read_dir(directory).with_context(|| format!("read {}", directory.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The text of a value that is one; empty otherwise.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A time as text that sorts: fractions of a second are as long as they have to be.
fn moment(value: &Value) -> String {
    let text = text(value);
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<9}")
}
