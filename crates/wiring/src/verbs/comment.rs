//! `tagship comment`: the status comment from what earlier steps of the job found, from the journals, or from the
//! report of a job that could not write it.
//!
//! As the last step of a job (`if: always()`) it also tells when the job ended before its rollout did.

use std::path::Path;

use tagship_config::ModelConfig;
use tagship_domain::{
    CommitId, Exit, ModelName,
    decision::{Decision, DecisionItem},
    gate::{GateReport, Outcome},
    report::{Section, StatusReport},
    validation::ValidationReport,
};
use tagship_report::markdown;
use tagship_runner::{Failure, args::CommentArgs, event::read_event};

use super::{release::next_version, run::pull_requests};
use crate::{
    answer::Answer,
    failure::failed,
    publisher::{CommentPublisher, now, section as rollout_section, subject_of, write},
    state::{artifact_files, head},
    workflows::listens_to_comments,
    workspace::Workspace,
};

pub(crate) async fn run(args: &CommentArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (mut report, named) = match &args.input {
        Some(file) => (handed_over(workspace, file)?, args.pull_request),
        None => found_here(args, workspace).await?,
    };
    let pulls = pull_requests(workspace, named, &report.sha).await?;
    report.pull_request = pulls.first().copied();
    let body = markdown::comment(&report, &markdown::Limits::COMMENT);
    if args.dry_run {
        return Ok(Answer::plain(Exit::Done, "dry-run", "dry-run", body.clone(), json(&body, &[])));
    }
    let mut written = vec![];
    for pull_request in &pulls {
        report.pull_request = Some(*pull_request);
        if write(workspace, *pull_request, &report).await.map_err(failed)? {
            written.push(*pull_request);
        }
    }
    let nothing = |reason, text: &str| ("nothing", reason, text.to_owned());
    let (decision, reason, text) = match (pulls.as_slice(), written.as_slice()) {
        ([], _) => nothing("no-pull-request", "no pull request brought this commit; nothing was written"),
        (_, []) => nothing("denied", "the token may not comment; the summary holds the report"),
        (_, written) => ("commented", "commented", format!("commented on {}", list(written))),
    };
    let mut answer = Answer::plain(Exit::Done, decision, reason, text, json(&body, &written));
    answer.summary = Some(markdown::summary(&report));
    Ok(answer)
}

fn list(pulls: &[u64]) -> String {
    pulls.iter().map(|pull| format!("#{pull}")).collect::<Vec<_>>().join(", ")
}

fn json(body: &str, pulls: &[u64]) -> String {
    serde_json::json!({ "pull-requests": pulls, "body": body }).to_string()
}

/// What stands above a report that another job left.
const HANDED_OVER: &str =
    "This was reported by a run of the proposed change itself, which could report anything.";

/// The report that another job left in a file. It may come from a fork: it says what is shown, escaped as ever and under a
/// note, but not when or by whom, nor that anything was released. The event says about which commit it may be, and the
/// host which pull requests are that commit's.
fn handed_over(workspace: &Workspace, file: &Path) -> Result<StatusReport, Failure> {
    let missing = || Failure::usage(format!("read {}: there is no report", file.display()));
    let given: StatusReport = workspace.handover.get(None, Some(file))?.ok_or_else(missing)?;
    let report = StatusReport {
        sha: given.sha,
        pull_request: None,
        // A time of its own would let a report from the future keep every later one out.
        written: now(workspace),
        by: workspace.context.by.clone(),
        commands: false,
        note: Some(HANDED_OVER.to_owned()),
        sections: given.sections.into_iter().map(proposed_only).collect(),
    };
    let context = &workspace.context;
    let (Some(name), Some(path)) = (&context.event_name, &context.event_path) else { return Ok(report) };
    let payload = read_event(name, path)?;
    match payload.event {
        tagship_domain::event::Event::WorkflowRun { sha, .. } if sha != report.sha => {
            let text = format!(
                "the report is about commit {}, but the workflow ran for {}",
                report.sha.short(),
                sha.short()
            );
            Err(Failure::new(Exit::Negative, "other-commit", text)
                .hint("pass the report of the very run that the event names"))
        }
        _ => Ok(report),
    }
}

/// What a proposal can say of itself: how it was judged.
fn proposed_only(section: Section) -> Section {
    let Section { model, environment, decision, validation, gate, next, .. } = section;
    Section { decision, validation, gate, next, ..Section::of(model, environment) }
}

/// What earlier steps of this job and the journals say, and the pull request of the event.
async fn found_here(
    args: &CommentArgs,
    workspace: &Workspace,
) -> Result<(StatusReport, Option<u64>), Failure> {
    let head = head(workspace).await?;
    // Outside of CI the job's directory stays; a decision about another commit is an older run's.
    let decision: Option<Decision> = workspace.handover.get(None, None)?;
    let decision = decision.filter(|decision| workspace.context.hosted || decision.sha == head);
    let sha = decision.as_ref().map_or(head, |decision| decision.sha.clone());
    let (sections, note) = match rollouts(workspace, &sha).await? {
        (sections, _) if sections.is_empty() => (judged(workspace, decision.as_ref()).await?, None),
        found => found,
    };
    if sections.is_empty() {
        return Err(Failure::new(Exit::Incomplete, "nothing-found", "there is nothing to comment on")
            .hint("run `tagship validate` and `tagship gate` first, in the same job"));
    }
    let named = args.pull_request.or(decision.as_ref().and_then(|decision| decision.pull_request));
    let by = workspace.context.by.clone();
    Ok((
        StatusReport {
            sha,
            pull_request: None,
            written: now(workspace),
            by,
            note,
            commands: listens_to_comments(&workspace.root),
            sections,
        },
        named,
    ))
}

/// A section for every rollout of the commit's release, and a note where this very run left one under way.
async fn rollouts(workspace: &Workspace, sha: &CommitId) -> Result<(Vec<Section>, Option<String>), Failure> {
    let publisher = CommentPublisher { workspace };
    let (mut sections, mut note) = (vec![], None);
    for (name, model, environment, _) in workspace.places() {
        let newest = publisher.newest(name, environment).await.map_err(failed)?;
        let Some((state, story)) = newest.filter(|(state, _)| subject_of(state).commit == *sha) else {
            continue;
        };
        let own = state.by.run.is_some() && state.by.run == workspace.context.by.run;
        if own && state.is_open() {
            note = Some(format!(
                "The job that led the rollout to {environment} has ended. {} keeps {} of the traffic, and the next \
                 scheduled `tagship rollout --all` goes on.",
                state.candidate.version, state.weight.applied
            ));
        }
        sections.push(rollout_section(workspace, model, state, story).await.map_err(failed)?);
    }
    Ok((sections, note))
}

/// One section per chosen model that an earlier step said something about.
async fn judged(workspace: &Workspace, decision: Option<&Decision>) -> Result<Vec<Section>, Failure> {
    let mut sections = vec![];
    for (name, model) in workspace.models()? {
        let validation: Option<ValidationReport> = workspace.handover.get(Some(name), None)?;
        let gate: Option<GateReport> = workspace.handover.get(Some(name), None)?;
        let (digest, _) = artifact_files(workspace, name, model)?;
        let judged = |report: &ValidationReport| {
            report.artifacts.iter().any(|artifact| artifact.sha256.as_ref() == Some(&digest))
        };
        let validation = validation.filter(judged);
        let gate = gate.filter(|gate| gate.digest.as_ref() == Some(&digest));
        if validation.is_none() && gate.is_none() {
            continue;
        }
        let item = decision.and_then(|decision| decision.items.iter().find(|item| item.model == *name));
        sections.push(section(workspace, (name, model), item, validation, gate).await?);
    }
    Ok(sections)
}

async fn section(
    workspace: &Workspace,
    (name, model): (&ModelName, &ModelConfig),
    item: Option<&DecisionItem>,
    validation: Option<ValidationReport>,
    gate: Option<GateReport>,
) -> Result<Section, Failure> {
    let passed = gate.as_ref().is_some_and(|gate| gate.outcome == Outcome::Successful);
    let next = match &validation {
        Some(validation) if passed => next_version(workspace, name, model, validation).await?,
        _ => None,
    };
    let environment = item.and_then(|item| item.environment.clone());
    Ok(Section { decision: item.cloned(), validation, gate, next, ..Section::of(name.clone(), environment) })
}
