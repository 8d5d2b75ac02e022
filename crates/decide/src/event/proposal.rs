//! Changes that are proposed: pull requests and merge queues. They are validated and gated, and deploy nothing.

use tagship_domain::{
    CommitId,
    decision::{Action, DecisionItem, ReasonCode},
    event::{PullRequest, Trigger},
};

use super::{Decided, at_checkout, per_environment};
use crate::{deploy::Subject, state::RepositoryState};

/// Activities of a pull request that change what it proposes.
const PROPOSING: [&str; 4] = ["opened", "reopened", "synchronize", "ready_for_review"];

/// A pull request is validated and gated for every model it changes; nothing is deployed.
pub(super) fn on_pull_request(
    trigger: &Trigger,
    repository: &RepositoryState,
    pull: &PullRequest,
) -> Decided {
    if pull.activity == "closed" {
        let how =
            if pull.merged { "merged; the push that follows deploys it" } else { "closed without a merge" };
        return Err((ReasonCode::PullRequestClosed, format!("pull request #{} was {how}", pull.number)));
    }
    if !PROPOSING.contains(&pull.activity.as_str()) {
        let sentence = format!("{:?} of pull request #{} changes no bytes", pull.activity, pull.number);
        return Err((ReasonCode::EventIgnored, sentence));
    }
    if pull.privileged {
        keeps_trust(trigger, pull)?;
    }
    let why = format!("pull request #{}", pull.number);
    Ok(per_environment(repository, |subject| proposed(subject, ReasonCode::PullRequest, &why)))
}

/// In a run with the repository's own rights the checkout gives the configuration. That of a fork must not; and the base,
/// which is checked out there otherwise, holds nothing of what is proposed.
fn keeps_trust(trigger: &Trigger, pull: &PullRequest) -> Result<(), (ReasonCode, String)> {
    let number = pull.number;
    let is_head = trigger.head == pull.head;
    if is_head && pull.from_fork {
        let sentence = format!(
            "pull request #{number} of a fork is checked out in a run that has secrets and may write: its content would \
             be configuration and code; use the event pull_request, or check it out into a directory of its own and \
             validate the model there by its path"
        );
        return Err((ReasonCode::FromFork, sentence));
    }
    if !is_head {
        let sentence = format!(
            "the checkout is at {}, which is not what pull request #{number} proposes ({}): nothing of it is judged in a \
             run that has secrets; use the event pull_request",
            trigger.head.short(),
            pull.head.short()
        );
        return Err((ReasonCode::WrongCheckout, sentence));
    }
    Ok(())
}

/// A merge queue asks whether changes may be merged together. Where it asks about another commit than the one that is
/// checked out, there is no answer, and no answer must not let it merge.
pub(super) fn on_merge_group(
    trigger: &Trigger,
    repository: &RepositoryState,
    sha: &CommitId,
    base: &str,
) -> Decided {
    at_checkout(trigger, sha).map_err(|(_, sentence)| (ReasonCode::MergeNotCheckedOut, sentence))?;
    let why = format!("the merge queue of {base}");
    Ok(per_environment(repository, |subject| proposed(subject, ReasonCode::MergeQueue, &why)))
}

/// What stands against deploying the bytes does not stand against judging them.
fn proposed(subject: Subject<'_>, reason_code: ReasonCode, why: &str) -> DecisionItem {
    let item = subject.deploy_checkout(false);
    let judged = !matches!(item.action, Action::Skip)
        || matches!(item.reason_code, ReasonCode::PreviouslyRolledBack | ReasonCode::EnvironmentLocked);
    if !judged {
        return item;
    }
    let sentence = format!("{why} changes {}: validate and gate it", subject.name);
    DecisionItem { action: Action::ValidateOnly, reason_code, sentence, ..item }
}
