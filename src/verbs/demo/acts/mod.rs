//! The acts of the demo, in order. Each ends as told or fails.

mod better_model;
mod first_release;
mod hostile_model;
mod roll_back;
mod worse_model;

use tagship_runner::Failure;

use super::stage::Stage;

/// The version that the first model becomes.
const FIRST: &str = "v0.1.0";
/// The version that the better model becomes.
const BETTER: &str = "v0.2.0";
/// The pull request that brings the better model.
const BETTER_PULL_REQUEST: u64 = 2;

/// An act.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    FirstRelease,
    BetterModel,
    WorseModel,
    HostileModel,
    RollBack,
}

impl Act {
    /// All acts, in order.
    pub(super) const ALL: [Self; 5] =
        [Self::FirstRelease, Self::BetterModel, Self::WorseModel, Self::HostileModel, Self::RollBack];

    /// What happens, in a line.
    pub(super) fn headline(self) -> &'static str {
        match self {
            Self::FirstRelease => "A first model goes live",
            Self::BetterModel => "A better model is proposed, merged and deployed",
            Self::WorseModel => "A worse model does not get past the gate",
            Self::HostileModel => "A hostile file is refused unopened",
            Self::RollBack => "One command goes back",
        }
    }

    /// How it comes to it.
    pub(super) fn told(self) -> &'static str {
        match self {
            Self::FirstRelease => "An ONNX model is pushed to main. One step of a workflow at a time.",
            Self::BetterModel => "Pull request #2 brings a model that was trained on more data.",
            Self::WorseModel => "Pull request #3 brings a model whose training labels were partly wrong.",
            Self::HostileModel => "Pull request #4 brings a pickle that runs a command when it is loaded.",
            Self::RollBack => "Somebody wants the first version back, whatever the metrics say.",
        }
    }

    /// Plays it.
    ///
    /// # Errors
    /// When anything does not end as told.
    pub(super) async fn play(self, stage: &mut Stage) -> Result<(), Failure> {
        match self {
            Self::FirstRelease => first_release::play(stage).await,
            Self::BetterModel => better_model::play(stage).await,
            Self::WorseModel => worse_model::play(stage).await,
            Self::HostileModel => hostile_model::play(stage).await,
            Self::RollBack => roll_back::play(stage).await,
        }
    }
}
