//! `tagship rollout explain`.

use std::fmt::Write as _;

use tagship_domain::{Exit, explanation::Recorded, rollout::RolloutId, schema};
use tagship_report::{explain, html, terminal};
use tagship_rollout::{chain, ids, journal_name};
use tagship_runner::{
    Failure,
    args::ExplainArgs,
    write::{self, Existing},
};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, json_sentence},
    workspace::Workspace,
};

/// Most entries of a journal that are read.
const ENTRIES: usize = 20_000;
/// Most rollouts that are named where the wanted one is not there.
const NAMED: usize = 8;

/// Reads the journal and nothing else: neither target nor registry has to be there.
pub(crate) async fn run(args: &ExplainArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let recorded = read(args, workspace, place).await?;
    let Some(explanation) = explain(&recorded) else {
        let text = format!("no rollout of {name} to {environment} was ever started");
        return Ok(Answer::plain(Exit::Done, "nothing", "no-rollout", text.clone(), json_sentence(&text)));
    };
    let mut text = terminal::explanation(&explanation, &workspace.style());
    if let Some(path) = &args.html {
        write::shared(path, &html::explanation(&explanation), Existing::Replace)?;
        let _ = writeln!(text, "\nwritten to {}", path.display());
    }
    let json = schema::to_json(&explanation).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, "explained", "done", text, json))
}

async fn read(args: &ExplainArgs, workspace: &Workspace, place: Place<'_>) -> Result<Vec<Recorded>, Failure> {
    let journal = journal_name(place.environment, place.name);
    let entries = async || workspace.host.journals.history(&journal, ENTRIES).await.map_err(failed);
    let wanted = args.rollout.clone().map(RolloutId);
    let unusable = |error| Failure::incomplete(format!("read journal {journal}: {error}"));
    let recorded = chain(entries().await?, wanted.as_ref()).map_err(unusable)?;
    match wanted.filter(|_| recorded.is_empty()) {
        None => Ok(recorded),
        Some(wanted) => {
            let known = ids(&entries().await?).map_err(unusable)?;
            let known: Vec<String> = known.iter().take(NAMED).map(ToString::to_string).collect();
            let known = if known.is_empty() {
                "it is empty".to_owned()
            } else {
                format!("there is {}", known.join(", "))
            };
            Err(Failure::usage(format!("journal {journal} has no rollout {:?}", wanted.0)).hint(known))
        }
    }
}
