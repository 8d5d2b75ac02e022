//! What every forge must do.

use tagship_domain::{
    CommitId, Digest, Timestamp,
    release::Release,
    rollout::{DeploymentState, RolloutId},
};

use crate::{
    Forge,
    forge::{Comment, CommentOutcome, DeploymentStatus, ReleaseNote},
};

/// One comment per topic where the newer wins, and every write can be repeated. The forge must know nothing of
/// pull requests 7 and 8, and `unknown` must be a commit that no pull request brought.
pub async fn forge(forge: &dyn Forge, unknown: &CommitId) {
    comments(forge).await;
    deployments_and_releases(forge).await;
    assert_eq!(forge.pull_requests_of(unknown).await, Ok(vec![]), "no pull request is no error");
    assert_eq!(forge.checks(unknown).await, Ok(vec![]), "no check is no error");
}

async fn comments(forge: &dyn Forge) {
    let comment = |pull_request, topic: &str, second, body: &str| Comment {
        pull_request,
        topic: topic.to_owned(),
        about: None,
        written: at(second),
        body: body.to_owned(),
        only_refreshes: false,
    };
    let refresh = |topic, second, body| Comment { only_refreshes: true, ..comment(7, topic, second, body) };
    for (written, expected, why) in [
        (comment(7, "status", 10, "ten"), CommentOutcome::Created, "the first of its topic"),
        (comment(7, "status", 10, "ten"), CommentOutcome::Unchanged, "it says this already"),
        (comment(7, "status", 20, "twenty"), CommentOutcome::Updated, "a newer one"),
        (comment(7, "status", 15, "late"), CommentOutcome::NewerThere, "an older one comes late"),
        (comment(7, "status", 20, "twenty"), CommentOutcome::Unchanged, "the late one changed nothing"),
        (comment(7, "other", 5, "five"), CommentOutcome::Created, "another topic"),
        (comment(8, "status", 5, "five"), CommentOutcome::Created, "another pull request"),
        (comment(7, "status", 30, "a <!-- b --> | c"), CommentOutcome::Updated, "text like a marker"),
        (comment(7, "status", 30, "a <!-- b --> | c"), CommentOutcome::Unchanged, "is kept as it is"),
        (
            refresh("status", 40, "forty"),
            CommentOutcome::Updated,
            "what is only brought up to date stands there",
        ),
        (refresh("status", 35, "late"), CommentOutcome::NewerThere, "an older one comes late again"),
        (refresh("third", 40, "forty"), CommentOutcome::NoneThere, "nothing stands there"),
        (comment(7, "third", 5, "five"), CommentOutcome::Created, "and nothing was written"),
    ] {
        assert_eq!(forge.comment(&written).await, Ok(expected), "{why}: {written:?}");
    }
}

async fn deployments_and_releases(forge: &dyn Forge) {
    let release = release();
    let status = |state, second| DeploymentStatus {
        environment: "production".parse().expect("a name"),
        release: release.clone(),
        rollout: RolloutId("production-v1.0.0-1".to_owned()),
        state,
        description: "v1.0.0 serves".to_owned(),
        at: at(second),
        url: Some("https://shop.example.org".to_owned()),
    };
    for status in [
        status(DeploymentState::InProgress, 10),
        status(DeploymentState::InProgress, 10),
        status(DeploymentState::Success, 20),
        status(DeploymentState::InProgress, 10),
        status(DeploymentState::Success, 20),
    ] {
        assert_eq!(forge.deployment(&status).await, Ok(()), "{status:?}");
    }
    let note = ReleaseNote {
        tag: "churn@v1.0.0".to_owned(),
        model: release.model.clone(),
        release,
        body: "First.".to_owned(),
        manifest: "{}\n".to_owned(),
    };
    for _ in 0..2 {
        assert_eq!(forge.release(&note).await, Ok(()), "showing a release is repeatable");
    }
}

fn release() -> Release {
    Release {
        model: "churn".parse().expect("a name"),
        version: "v1.0.0".parse().expect("a version"),
        digest: Digest::from_bytes([1; 32]),
        manifest: Digest::from_bytes([2; 32]),
        commit: "c".repeat(40).parse().expect("a commit id"),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + second).expect("a time in this century")
}
