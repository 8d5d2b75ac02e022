//! `tagship gate`.

use tagship_config::ModelConfig;
use tagship_domain::{
    CommitId, Environment, Exit, ModelName, Release,
    decision::{Action, Decision, ReasonCode},
    gate::GateReport,
    release::Evidence,
    report::Section,
    validation::ValidationReport,
};
use tagship_gate::{GateRequest, MAX_REPORT_BYTES, ReportFile, StableEvidence, judge};
use tagship_release as release;
use tagship_report::terminal;
use tagship_runner::{Failure, args::GateArgs, files};

use crate::{
    answer::Answer,
    failure::failed,
    sources::settle,
    state::{artifact_files, head},
    summary,
    workspace::Workspace,
};

pub(crate) async fn run(args: &GateArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let environment = workspace.environment_if_any(name, model)?;
    let validation: Option<ValidationReport> = workspace.handover.get(Some(name), args.input.as_deref())?;
    let report = gate_model(workspace, name, model, environment, validation.as_ref()).await?;
    let text = terminal::gate(&report, &workspace.style());
    let reason = format!("gate-{}", report.outcome);
    let ending = (report.outcome.to_string(), reason, report.exit());
    let answer = Answer::document(&workspace.handover, Some(name), &report, text, ending)?;
    let decision: Option<Decision> = workspace.handover.get(None, None)?;
    if report.exit() == Exit::Negative && has_arrived(decision.as_ref(), name, environment) {
        // It was turned down, and is not judged again before there is another version.
        if let Err(failure) = settle(workspace, name, environment).await {
            workspace.tell_once(&format!("warning: {}; the version is judged again", failure.message));
        }
    }
    let section =
        Section { validation, gate: Some(report), ..Section::of(name.clone(), environment.cloned()) };
    Ok(summary::show(answer, &workspace.context, vec![section]))
}

/// Whether this job is to deploy a version that has arrived. Any other look at one, on a pull request or by hand, leaves it
/// to be decided about.
fn has_arrived(decision: Option<&Decision>, name: &ModelName, environment: Option<&Environment>) -> bool {
    let items = decision.map(|decision| decision.items.as_slice()).unwrap_or_default();
    items.iter().any(|item| {
        item.action == Action::Deploy
            && item.reason_code == ReasonCode::ModelVersionCreated
            && item.model == *name
            && item.environment.as_ref() == environment
    })
}

/// Gates a configured model against what the environment holds now.
pub(crate) async fn gate_model(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    environment: Option<&Environment>,
    validation: Option<&ValidationReport>,
) -> Result<GateReport, Failure> {
    check_rules(model)?;
    let (digest, _) = artifact_files(workspace, name, model)?;
    // Checks belong to the commit that is proposed, not to the merge that the host made of it.
    let commit = match &workspace.context.proposed {
        Some(proposed) => proposed.head.clone(),
        None => head(workspace).await?,
    };
    let stable = stable_evidence(workspace, name, model, environment).await?;
    let files = ReportFiles::read(workspace, model);
    let request = GateRequest {
        settings: &model.gate,
        model: Some(name),
        digest: Some(&digest),
        validation,
        commit_checks: &commit_checks(workspace, model, &commit).await?,
        tests: &files.tests,
        metrics: files.metrics.as_ref(),
        predictions: files.predictions.as_ref(),
        stable: stable.as_ref(),
    };
    Ok(judge(&request))
}

/// Rules that cannot be read are a mistake in the configuration, found before anything is judged.
fn check_rules(model: &ModelConfig) -> Result<(), Failure> {
    tagship_gate::check_rules(&model.gate.rules).map_err(|errors| {
        let told = |error: &tagship_gate::RuleError| {
            format!("{error}\n{}", error.source.excerpt().unwrap_or_default())
        };
        Failure::usage(errors.iter().map(told).collect::<Vec<_>>().join("\n"))
    })
}

async fn commit_checks(
    workspace: &Workspace,
    model: &ModelConfig,
    commit: &CommitId,
) -> Result<Vec<tagship_ports::forge::CommitCheck>, Failure> {
    if model.gate.checks.is_empty() {
        return Ok(vec![]);
    }
    workspace.host.forge.checks(commit).await.map_err(failed)
}

/// Reports as files.
struct ReportFiles {
    tests: Vec<ReportFile>,
    metrics: Option<ReportFile>,
    predictions: Option<ReportFile>,
}

impl ReportFiles {
    fn read(workspace: &Workspace, model: &ModelConfig) -> Self {
        let read = |path: &str| {
            let limit = u64::try_from(MAX_REPORT_BYTES).unwrap_or(u64::MAX);
            ReportFile { path: path.to_owned(), content: files::read(&workspace.root.join(path), limit) }
        };
        let mut tests = vec![];
        for pattern in &model.reports.junit {
            match files::expand(&workspace.root, pattern.as_str()) {
                Ok(paths) => tests.extend(paths.iter().map(|path| read(path))),
                Err(why) => tests.push(ReportFile { path: pattern.as_str().to_owned(), content: Err(why) }),
            }
        }
        Self {
            tests,
            metrics: model.reports.metrics.as_ref().map(|path| read(path.as_str())),
            predictions: model.reports.predictions.as_ref().map(|path| read(path.as_str())),
        }
    }
}

async fn stable_evidence(
    workspace: &Workspace,
    name: &ModelName,
    model: &ModelConfig,
    environment: Option<&Environment>,
) -> Result<Option<StableEvidence>, Failure> {
    let Some(environment) = environment else { return Ok(None) };
    let registry = workspace.registry().await?;
    let Some(stable) = release::current(&registry, name, environment).map_err(failed)? else {
        return Ok(None);
    };
    evidence_of(workspace, model, &stable).await.map(Some)
}

async fn evidence_of(
    workspace: &Workspace,
    model: &ModelConfig,
    stable: &Release,
) -> Result<StableEvidence, Failure> {
    let store = workspace.store(model)?;
    let manifest = release::read_manifest(store.as_ref(), stable).await.map_err(failed)?;
    let predictions =
        release::read_evidence(store.as_ref(), &manifest, Evidence::Predictions).await.map_err(failed)?;
    let path =
        manifest.evidence.get(&Evidence::Predictions).map(|file| file.path.clone()).unwrap_or_default();
    Ok(StableEvidence {
        version: stable.version.clone(),
        metrics: manifest.metrics,
        predictions: predictions.map(|bytes| ReportFile { path, content: Ok(bytes) }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_decision_to_deploy_what_arrived_lets_the_gate_settle_it() {
        let decision = |action: &str, reason: &str| -> Decision {
            let item = json!({ "model": "churn", "environment": "production", "action": action,
                               "reason_code": reason, "sentence": "why", "digest": null, "version": null });
            let whole = json!({ "action": action, "reason_code": reason, "sentence": "why", "sha": "a".repeat(40),
                                "pull_request": null, "items": [item] });
            serde_json::from_value(whole).unwrap()
        };
        let (name, production): (ModelName, Environment) =
            ("churn".parse().unwrap(), "production".parse().unwrap());
        let arrived = decision("deploy", "model-version-created");
        assert!(has_arrived(Some(&arrived), &name, Some(&production)));
        assert!(!has_arrived(Some(&arrived), &name, None), "another place");
        assert!(!has_arrived(Some(&decision("deploy", "digest-changed")), &name, Some(&production)));
        assert!(!has_arrived(Some(&decision("validate-only", "pull-request")), &name, Some(&production)));
        assert!(!has_arrived(None, &name, Some(&production)), "by hand");
    }
}
