//! Notifiers: where people are told what a rollout came to.

mod alerters;
mod alertmanager;
mod post;
mod slack;
mod teams;
#[cfg(test)]
mod tests;
mod webhook;

use tagship_config::NotifyConfig;
use tagship_domain::notice::{Notice, NoticeKind};
use tagship_ports::{Notifier, PortError, Problem};

pub use alerters::{ALERTERS, open_alerter};
pub use alertmanager::Alertmanager;
pub use slack::Slack;
pub use teams::Teams;
pub use webhook::Webhook;

/// The kinds of notifiers that a configuration may name.
pub const KINDS: [&str; 3] = ["slack", "teams", "webhook"];

/// A notifier with what it is told.
pub struct Channel {
    on: Vec<NoticeKind>,
    notifier: Box<dyn Notifier>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("on", &self.on).finish_non_exhaustive()
    }
}

impl Channel {
    /// A notifier that is told of these kinds.
    pub fn new(on: Vec<NoticeKind>, notifier: Box<dyn Notifier>) -> Self {
        Self { on, notifier }
    }

    /// Sends a notice, if it is of a kind that is told here.
    ///
    /// # Errors
    /// When it could not be sent; that is for a warning.
    pub async fn tell(&self, notice: &Notice) -> Result<(), PortError> {
        if self.on.contains(&notice.kind) { self.notifier.notify(notice).await } else { Ok(()) }
    }
}

/// Opens a notifier that a configuration names. `secret` answers the value of an environment variable.
///
/// # Errors
/// [`Problem::Denied`] for a secret that is not set, which is for a warning: a run from a fork has none.
/// [`Problem::Unsupported`] and [`Problem::Invalid`] for an unknown kind, or settings that it does not have.
pub fn open(config: &NotifyConfig, secret: &dyn Fn(&str) -> Option<String>) -> Result<Channel, PortError> {
    let settings = &config.notifier.settings;
    let notifier: Box<dyn Notifier> = match config.notifier.kind.as_str() {
        "slack" => Box::new(Slack::from_settings(settings, secret)?),
        "teams" => Box::new(Teams::from_settings(settings, secret)?),
        "webhook" => Box::new(Webhook::from_settings(settings, secret)?),
        other => {
            let message = format!("{other:?} is no kind of notifier");
            return Err(PortError::new(Problem::Unsupported, "open the notifier", message)
                .hint(format!("known kinds are {}", KINDS.join(", "))));
        }
    };
    Ok(Channel::new(config.on.clone(), notifier))
}

/// What people read, wherever they are told.
struct Message {
    title: String,
    sentence: String,
    advice: Option<String>,
    /// What can be opened, by its name.
    links: Vec<(&'static str, String)>,
}

impl Message {
    fn of(notice: &Notice) -> Self {
        let run = post::link(notice.run.as_ref()).map(|run| ("Open the run", run));
        Self {
            title: title(notice),
            sentence: notice.sentence.clone(),
            advice: notice.advice.clone(),
            links: run.into_iter().collect(),
        }
    }
}

/// One line that says what a notice is about.
fn title(notice: &Notice) -> String {
    let (model, environment) = (&notice.model, &notice.environment);
    let what = match notice.kind {
        NoticeKind::Start => "rollout began",
        NoticeKind::Pause => "waits for a person",
        NoticeKind::Promotion => "promoted",
        NoticeKind::Rollback => match notice.phase {
            tagship_domain::rollout::Phase::RollbackFailed => "rollback FAILED",
            tagship_domain::rollout::Phase::Failed => "failed before any traffic",
            _ => "rolled back",
        },
    };
    let candidate = &notice.candidate;
    match &notice.stable {
        Some(stable) => format!("{model} {candidate} ({environment}, over {stable}): {what}"),
        None => format!("{model} {candidate} ({environment}, first version): {what}"),
    }
}
