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
        return Err(untrusted(trigger, pull));
    }
    let why = format!("pull request #{}", pull.number);
    Ok(per_environment(repository, |subject| proposed(subject, ReasonCode::PullRequest, &why)))
}

/// A run with the repository's own rights takes its configuration from the checkout, so that what is proposed must not be
/// there; and the base, which is there otherwise, holds nothing of what is proposed. Either way nothing is judged.
fn untrusted(trigger: &Trigger, pull: &PullRequest) -> (ReasonCode, String) {
    let number = pull.number;
    let way_out = "use the event pull_request, or check the head out into a directory of its own and validate the model \
                   there by its path";
    if trigger.head == pull.head {
        let sentence = format!(
            "the head of pull request #{number} is checked out in a run that has secrets and may write: its content would be \
             configuration; {way_out}"
        );
        return (ReasonCode::UntrustedCheckout, sentence);
    }
    let sentence = format!(
        "a run that has secrets judges nothing of pull request #{number}, whose head {} is not checked out; {way_out}",
        pull.head.short()
    );
    (ReasonCode::PrivilegedRun, sentence)
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
        || matches!(
            item.reason_code,
            ReasonCode::PreviouslyRolledBack | ReasonCode::EnvironmentLocked | ReasonCode::AwaitsEnvironment
        );
    if !judged {
        return item;
    }
    let sentence = format!("{why} changes {}: validate and gate it", subject.name);
    DecisionItem { action: Action::ValidateOnly, reason_code, sentence, ..item }
}
