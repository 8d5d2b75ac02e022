//! The acts of the demo, in order. Each ends as told or fails.

mod better_live;
mod better_model;
mod first_release;
mod hostile_model;
mod roll_back;
mod worse_live;
mod worse_model;

use tagship_runner::Failure;

use super::stage::Stage;

/// The version that the first model becomes.
const FIRST: &str = "v0.1.0";
/// The version that the better model becomes.
const BETTER: &str = "v0.2.0";
/// The version that the best model becomes.
const BEST: &str = "v0.3.0";
/// The version that the model becomes that only looks better.
const DECEPTIVE: &str = "v0.4.0";
/// The pull request that brings the best model.
const BEST_PULL_REQUEST: u64 = 5;

/// An act.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    FirstRelease,
    BetterModel,
    WorseModel,
    HostileModel,
    BetterLive,
    WorseLive,
    RollBack,
}

impl Act {
    /// All acts, in order.
    pub(super) const ALL: [Self; 7] = [
        Self::FirstRelease,
        Self::BetterModel,
        Self::WorseModel,
        Self::HostileModel,
        Self::BetterLive,
        Self::WorseLive,
        Self::RollBack,
    ];

    /// What happens, in a line.
    pub(super) fn headline(self) -> &'static str {
        match self {
            Self::FirstRelease => "A first model goes live",
            Self::BetterModel => "A better model is proposed, merged and deployed",
            Self::WorseModel => "A worse model does not get past the gate",
            Self::HostileModel => "A hostile file is refused unopened",
            Self::BetterLive => "A canary earns its traffic, and outlives its runner",
            Self::WorseLive => "A model that fooled the gate is caught by live traffic",
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
            Self::BetterLive => {
                "Pull request #5 brings a small neural network, and a canary: 10 %, then 50 %, then all of the \
                 traffic, compared with stable once a second. Real rollouts look once a minute, with narrower \
                 margins, and take minutes to hours."
            }
            Self::WorseLive => {
                "Pull request #6 trains on everything there is: rows whose outcome is not known yet count as 0, \
                 and the test rows are among the others."
            }
            Self::RollBack => "Somebody wants the version before back, whatever the metrics say.",
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
            Self::BetterLive => better_live::play(stage).await,
            Self::WorseLive => worse_live::play(stage).await,
            Self::RollBack => roll_back::play(stage).await,
        }
    }
}
