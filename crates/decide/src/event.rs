//! What each kind of event leads to.

use tagship_domain::{
    CommitId, ModelName,
    decision::{Action, Decision, DecisionItem, ReasonCode},
    event::{Event, PullRequest, Trigger},
};
use tagship_registry::{Action as TagAction, TagEvent};

use crate::{
    deploy::Subject,
    person,
    state::{ArtifactState, ModelState, RepositoryState},
};

/// Activities of a pull request that change what it proposes.
const PROPOSING: [&str; 4] = ["opened", "reopened", "synchronize", "ready_for_review"];

/// Decides what an event leads to. Total: an event that nothing follows from is skipped with a reason.
pub fn decide(trigger: &Trigger, repository: &RepositoryState) -> Decision {
    let decided = match &trigger.event {
        Event::Push { after: None, .. } | Event::TagPush { after: None, .. } => Err((
            ReasonCode::RefDeleted,
            "a branch or tag was deleted; there is nothing to deploy".to_owned(),
        )),
        Event::Push { branch, after: Some(after) } => on_branch(trigger, repository, Some(branch), after),
        Event::TagPush { tag, after: Some(after) } => on_tag(trigger, repository, tag, after),
        Event::PullRequest(pull) => on_pull_request(repository, pull),
        Event::WorkflowRun { workflow, succeeded: false, .. } => {
            Err((ReasonCode::WorkflowFailed, format!("workflow {workflow:?} did not succeed")))
        }
        Event::WorkflowRun { workflow, from_fork: true, .. } => {
            Err((ReasonCode::FromFork, format!("workflow {workflow:?} ran for a commit of a fork")))
        }
        Event::WorkflowRun { branch, sha, .. } => on_branch(trigger, repository, branch.as_deref(), sha),
        Event::Schedule => on_schedule(repository),
        Event::Manual(request) => person::answer(request, repository),
        Event::Other { kind } => {
            Err((ReasonCode::UnknownEvent, format!("event {kind:?} is none that tagship acts on")))
        }
    };
    let (sha, pull_request) = subject_of(trigger);
    match decided {
        Ok(items) => sum_up(items, sha, pull_request),
        Err((reason_code, sentence)) => {
            Decision { action: Action::Skip, reason_code, sentence, sha, pull_request, items: vec![] }
        }
    }
}

type Decided = Result<Vec<DecisionItem>, person::Refusal>;

/// The commit and pull request that an event is about.
fn subject_of(trigger: &Trigger) -> (CommitId, Option<u64>) {
    match &trigger.event {
        Event::Push { after: Some(sha), .. }
        | Event::TagPush { after: Some(sha), .. }
        | Event::WorkflowRun { sha, .. } => (sha.clone(), None),
        Event::PullRequest(pull) => (pull.head.clone(), Some(pull.number)),
        _ => (trigger.head.clone(), None),
    }
}

/// New commits on a branch: deploy every model whose bytes an environment does not hold.
fn on_branch(
    trigger: &Trigger,
    repository: &RepositoryState,
    branch: Option<&str>,
    sha: &CommitId,
) -> Decided {
    let default = &trigger.default_branch;
    if branch != Some(default) {
        let branch = branch.unwrap_or("an unknown branch");
        return Err((ReasonCode::NotDefaultBranch, format!("{branch} is not the default branch {default}")));
    }
    at_checkout(trigger, sha)?;
    Ok(per_environment(repository, |subject| subject.deploy_checkout(false)))
}

/// The bytes of the checkout are those of the event's commit.
fn at_checkout(trigger: &Trigger, sha: &CommitId) -> Result<(), person::Refusal> {
    if trigger.head == *sha {
        return Ok(());
    }
    let sentence = format!(
        "the event is about commit {}, the checkout is at {}; check out the commit of the event",
        sha.short(),
        trigger.head.short()
    );
    Err((ReasonCode::WrongCheckout, sentence))
}

/// A pushed version tag deploys that version; every other tag is skipped. A tag that another tool made names no
/// bytes yet: those of its commit are released as the version it says.
fn on_tag(trigger: &Trigger, repository: &RepositoryState, tag: &str, commit: &CommitId) -> Decided {
    let registered = match TagEvent::parse(tag) {
        Ok(TagEvent { model, action: TagAction::Register(version), .. }) => {
            ModelName::new(model).ok().zip(Some(version))
        }
        _ => None,
    };
    let Some((model, version)) = registered else {
        return Err((ReasonCode::NotAVersionTag, format!("tag {tag:?} registers no version of a model")));
    };
    let Some(state) = repository.models.get(&model) else {
        return Err((
            ReasonCode::UnknownModel,
            format!("tag {tag:?} is about {model}, which is not configured"),
        ));
    };
    let is_released = state.release(&version).is_some();
    if !is_released {
        at_checkout(trigger, commit)?;
    }
    let deploy = |subject: Subject<'_>| {
        let item = if is_released {
            subject.deploy_version(&version, false)
        } else {
            subject.deploy_checkout(false)
        };
        let pushed = item.action == Action::Deploy;
        DecisionItem {
            reason_code: if pushed { ReasonCode::VersionTagPushed } else { item.reason_code },
            ..item
        }
    };
    Ok(environments_or_none(&model, state, deploy))
}

/// A pull request is validated and gated for every model it changes; nothing is deployed.
fn on_pull_request(repository: &RepositoryState, pull: &PullRequest) -> Decided {
    if pull.activity == "closed" {
        let how =
            if pull.merged { "merged; the push that follows deploys it" } else { "closed without a merge" };
        return Err((ReasonCode::PullRequestClosed, format!("pull request #{} was {how}", pull.number)));
    }
    if !PROPOSING.contains(&pull.activity.as_str()) {
        let sentence = format!("{:?} of pull request #{} changes no bytes", pull.activity, pull.number);
        return Err((ReasonCode::UnknownEvent, sentence));
    }
    Ok(per_environment(repository, |subject| proposed(subject, pull.number)))
}

fn proposed(subject: Subject<'_>, number: u64) -> DecisionItem {
    let item = subject.deploy_checkout(false);
    match item.action {
        Action::Skip if item.reason_code != ReasonCode::PreviouslyRolledBack => item,
        _ => DecisionItem {
            action: Action::ValidateOnly,
            reason_code: ReasonCode::PullRequest,
            sentence: format!("pull request #{number} changes {}: validate and gate it", subject.name),
            ..item
        },
    }
}

/// The clock: go on with every rollout that has not ended.
fn on_schedule(repository: &RepositoryState) -> Decided {
    let tick = |subject: Subject<'_>| {
        let running = subject.state.running.as_ref()?;
        let sentence = format!(
            "go on with the rollout of {} {} to {} ({})",
            subject.name, running.version, subject.environment, running.phase
        );
        let item = subject.item(Action::Tick, ReasonCode::RolloutRunning, sentence);
        Some(DecisionItem { version: Some(running.version.clone()), ..item })
    };
    let items: Vec<_> = repository
        .models
        .iter()
        .flat_map(|(name, model)| Subject::all(name, model))
        .filter_map(tick)
        .collect();
    if items.is_empty() {
        return Err((ReasonCode::NothingToDo, "no rollout is running".to_owned()));
    }
    Ok(items)
}

fn per_environment(
    repository: &RepositoryState,
    judge: impl Fn(Subject<'_>) -> DecisionItem,
) -> Vec<DecisionItem> {
    repository.models.iter().flat_map(|(name, model)| environments_or_none(name, model, &judge)).collect()
}

/// A model without environments still gets an item, so that its bytes are validated.
fn environments_or_none(
    name: &ModelName,
    model: &ModelState,
    judge: impl Fn(Subject<'_>) -> DecisionItem,
) -> Vec<DecisionItem> {
    if !model.environments.is_empty() {
        return Subject::all(name, model).map(judge).collect();
    }
    let bare = |action, reason_code, sentence, digest| DecisionItem {
        model: name.clone(),
        environment: None,
        action,
        reason_code,
        sentence,
        digest,
        version: None,
    };
    vec![match &model.artifact {
        ArtifactState::Missing(why) => {
            let sentence = format!("the artifact of {name} is not in this checkout: {why}");
            bare(Action::Skip, ReasonCode::ArtifactMissing, sentence, None)
        }
        ArtifactState::Present(digest) if model.release_of(digest).is_some() => {
            let sentence = format!("these bytes of {name} are released, and no environment is configured");
            bare(Action::Skip, ReasonCode::NoEnvironment, sentence, Some(digest.clone()))
        }
        ArtifactState::Present(digest) => {
            let sentence = format!("{name} has no environment: validate and gate it, deploy nothing");
            bare(Action::ValidateOnly, ReasonCode::NoEnvironment, sentence, Some(digest.clone()))
        }
    }]
}

/// The strongest action speaks for all; several items with different reasons are `several`.
fn sum_up(items: Vec<DecisionItem>, sha: CommitId, pull_request: Option<u64>) -> Decision {
    let Some(strongest) = items.iter().max_by_key(|item| item.action) else {
        let sentence = "no model is configured".to_owned();
        return Decision {
            action: Action::Skip,
            reason_code: ReasonCode::NothingToDo,
            sentence,
            sha,
            pull_request,
            items,
        };
    };
    let action = strongest.action;
    let agreeing: Vec<_> = items.iter().filter(|item| item.action == action).collect();
    let (reason_code, sentence) = match agreeing.as_slice() {
        [only] => (only.reason_code, only.sentence.clone()),
        several => {
            let same = several.iter().all(|item| item.reason_code == strongest.reason_code);
            let code = if same { strongest.reason_code } else { ReasonCode::Several };
            let sentences: Vec<_> = several.iter().map(|item| item.sentence.as_str()).collect();
            (code, sentences.join("; "))
        }
    };
    Decision { action, reason_code, sentence, sha, pull_request, items }
}

#[cfg(test)]
mod tests;
