//! `tagship comment`: the status comment from what earlier steps of the job found.

use tagship_config::ModelConfig;
use tagship_domain::{
    Exit, ModelName,
    decision::{Decision, DecisionItem},
    gate::{GateReport, Outcome},
    report::{Section, StatusReport},
    validation::ValidationReport,
};
use tagship_report::markdown;
use tagship_runner::{Failure, args::CommentArgs};

use super::{release::next_version, run::pull_requests};
use crate::{
    answer::Answer,
    failure::failed,
    publisher::{now, write},
    state::{artifact_files, head},
    workspace::Workspace,
};

pub(crate) async fn run(args: &CommentArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let head = head(workspace).await?;
    // Outside of CI the job's directory stays; a decision about another commit is an older run's.
    let decision: Option<Decision> = workspace.handover.get(None, None)?;
    let decision = decision.filter(|decision| workspace.context.hosted || decision.sha == head);
    let sections = sections(workspace, decision.as_ref()).await?;
    if sections.is_empty() {
        return Err(Failure::new(Exit::Incomplete, "nothing-found", "there is nothing to comment on")
            .hint("run `tagship validate` and `tagship gate` first, in the same job"));
    }
    let sha = match &decision {
        Some(decision) => decision.sha.clone(),
        None => head,
    };
    let named = args.pull_request.or(decision.as_ref().and_then(|decision| decision.pull_request));
    let pulls = pull_requests(workspace, named, &sha).await?;
    let mut report = StatusReport {
        sha,
        pull_request: pulls.first().copied(),
        written: now(workspace),
        by: workspace.context.by.clone(),
        sections,
    };
    let body = markdown::comment(&report, &markdown::Limits::COMMENT);
    if args.dry_run {
        return Ok(Answer::plain(Exit::Done, "dry-run", "dry-run", body.clone(), json(&body, &[])));
    }
    for pull_request in &pulls {
        report.pull_request = Some(*pull_request);
        write(workspace, *pull_request, &report).await.map_err(failed)?;
    }
    let (reason, text) = match pulls.as_slice() {
        [] => ("no-pull-request", "no pull request brought this commit; nothing was written".to_owned()),
        pulls => ("commented", format!("commented on {}", list(pulls))),
    };
    let mut answer = Answer::plain(Exit::Done, "commented", reason, text, json(&body, &pulls));
    answer.summary = Some(markdown::summary(&report));
    Ok(answer)
}

fn list(pulls: &[u64]) -> String {
    pulls.iter().map(|pull| format!("#{pull}")).collect::<Vec<_>>().join(", ")
}

fn json(body: &str, pulls: &[u64]) -> String {
    serde_json::json!({ "pull-requests": pulls, "body": body }).to_string()
}

/// One section per chosen model that an earlier step said something about.
async fn sections(workspace: &Workspace, decision: Option<&Decision>) -> Result<Vec<Section>, Failure> {
    let mut sections = vec![];
    for (name, model) in workspace.models()? {
        let validation: Option<ValidationReport> = workspace.handover.get(Some(name), None)?;
        let gate: Option<GateReport> = workspace.handover.get(Some(name), None)?;
        let (digest, _) = artifact_files(workspace, model)?;
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
    Ok(Section {
        model: name.clone(),
        environment: item.and_then(|item| item.environment.clone()),
        decision: item.cloned(),
        validation,
        gate,
        release: None,
        next,
        rollout: None,
        timeline: vec![],
        series: vec![],
    })
}
