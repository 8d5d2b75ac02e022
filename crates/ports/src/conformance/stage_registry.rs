//! What every registry of stages must do.

use tagship_domain::{CommitId, Provenance, Timestamp, rollout::RolloutId};

use crate::{
    PortError, Problem, StageRegistry,
    stage_registry::StageChange,
    target::Done::{self, AlreadyThere, Applied},
};

/// Changes are recorded once, and one that comes late is refused. The registry must have versions `v1.0.0` and
/// `v1.1.0` of `churn` on `commit`, and nothing in `conformance`.
pub async fn stage_registry(registry: &dyn StageRegistry, commit: &CommitId) {
    let change = |version, fence| change(commit, version, fence);
    let assign = async |version, fence| registry.assign(&change(version, fence)).await;
    let unassign = async |version, fence| registry.unassign(&change(version, fence)).await;
    let reaffirm = async |version, fence| registry.reaffirm(&change(version, fence)).await;

    done(&assign("v1.0.0", 4).await, Applied, "the first assignment");
    done(&assign("v1.0.0", 4).await, AlreadyThere, "the same effect again");
    done(&assign("v1.1.0", 9).await, Applied, "the next version");
    for late in [assign("v1.0.0", 4).await, unassign("v1.1.0", 5).await] {
        assert_eq!(late.map_err(|error| error.problem), Err(Problem::Fenced), "a late run records nothing");
    }
    done(&assign("v1.1.0", 10).await, AlreadyThere, "it holds that version");
    done(&unassign("v1.1.0", 12).await, Applied, "going back");
    done(&unassign("v1.1.0", 12).await, AlreadyThere, "the same effect again");
    done(&assign("v1.0.0", 13).await, AlreadyThere, "what was held before shows again");
    done(&unassign("v1.0.0", 14).await, Applied, "nothing is held");
    done(&reaffirm("v1.1.0", 15).await, Applied, "nothing is held, and that is recorded once more");
    done(&reaffirm("v1.1.0", 15).await, AlreadyThere, "the same effect again");
    let late = assign("v1.1.0", 14).await;
    assert_eq!(
        late.map_err(|error| error.problem),
        Err(Problem::Fenced),
        "what was on its way comes too late"
    );
    done(&unassign("v1.1.0", 16).await, AlreadyThere, "still nothing is held");
    done(&assign("v1.1.0", 17).await, Applied, "what was unassigned can be assigned again");
    done(&reaffirm("v1.0.0", 19).await, Applied, "what is held is recorded once more");
    done(&reaffirm("v1.0.0", 19).await, AlreadyThere, "the same effect again");
    done(&assign("v1.1.0", 19).await, AlreadyThere, "and is held still");
    let late = assign("v1.0.0", 18).await;
    assert_eq!(
        late.map_err(|error| error.problem),
        Err(Problem::Fenced),
        "what was on its way comes too late"
    );
}

fn done(answer: &Result<Done, PortError>, expected: Done, why: &str) {
    assert_eq!(answer, &Ok(expected), "{why}");
}

fn change(commit: &CommitId, version: &str, fence: u64) -> StageChange {
    let second = 1_900_000_000 + i64::try_from(fence).expect("a small number");
    StageChange {
        model: "churn".parse().expect("a name"),
        version: version.parse().expect("a version"),
        commit: commit.clone(),
        environment: "conformance".parse().expect("a name"),
        rollout: RolloutId(format!("conformance-{version}-1")),
        fence,
        reason: "conformance".to_owned(),
        by: Provenance { actor: "ada".to_owned(), run: None },
        at: Timestamp::from_seconds(second).expect("a time in this century"),
    }
}
