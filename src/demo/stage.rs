//! What an act has at hand, and the steps that acts are made of. Every step is checked the moment it is done.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;
use tagship_domain::{
    Document, Exit,
    rollout::{Kind, Phase, RolloutState},
    schema,
};
use tagship_runner::Failure;

use super::{
    child::{Children, Ran},
    directory::Directory,
    fixtures::{ENVIRONMENT, MODEL},
    inference::{Answers, LiveRows, infer_path},
    reading::{Block, folded, plain},
    repository::{CLONE, Event, Repository},
    server::Server,
    timeline::Timeline,
    traffic::{LABEL_DELAY, RATE, ServedBy, Traffic},
};

/// Parts of a comment that are always shown: the headline and how far it got.
const FIRST_BLOCKS: usize = 2;
/// Longest that a rollout may take, as an argument.
pub(super) const TIME_BUDGET: &str = "60s";

/// Everything that the acts share.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) timeline: Timeline,
    pub(super) directory: Directory,
    pub(super) children: Children,
    pub(super) repository: Repository,
    pub(super) server: Server,
    pub(super) rows: Arc<LiveRows>,
    /// What each version answered when it served.
    pub(super) answers: BTreeMap<String, Answers>,
}

/// Something did not go as told.
pub(super) fn broken(expected: impl fmt::Display, found: impl fmt::Display) -> Failure {
    Failure::new(Exit::Negative, "demo-failed", format!("expected {expected}\n  found    {found}"))
}

/// Both must be the same.
pub(super) fn same<T: PartialEq + fmt::Display>(what: &str, expected: &T, found: &T) -> Result<(), Failure> {
    if expected == found { Ok(()) } else { Err(broken(format!("{what} {expected}"), found)) }
}

impl Stage {
    /// Runs a verb in the clone, which must end with the given exit code, and tells of it.
    pub(super) async fn verb(&self, told: &str, arguments: &[&str], exit: Exit) -> Result<Ran, Failure> {
        let ran = self.children.verb(self.repository.clone(), arguments).await?;
        self.ended(told, ran, exit)
    }

    /// Tells of a verb that must have ended with the given exit code.
    pub(super) fn ended(&self, told: &str, ran: Ran, exit: Exit) -> Result<Ran, Failure> {
        let ran = ran.must_end(exit)?;
        match exit {
            Exit::Done => self.timeline.step(told, ran.took),
            _ => self.timeline.refusal(&format!("{told}: exit code {}", exit.code()), ran.took),
        }
        Ok(ran)
    }

    /// Runs a verb in the clone, which must end with the given exit code.
    pub(super) async fn quietly(&self, arguments: &[&str], exit: Exit) -> Result<Ran, Failure> {
        self.children.verb(self.repository.clone(), arguments).await?.must_end(exit)
    }

    /// Runs all that an event leads to.
    pub(super) async fn run(&self, told: &str, event: &Event, exit: Exit) -> Result<Ran, Failure> {
        self.verb(told, &event.run().each_ref().map(String::as_str), exit).await
    }

    /// Runs a verb that answers a document.
    pub(super) async fn document<T: Document>(&self, told: &str, arguments: &[&str]) -> Result<T, Failure> {
        let arguments = [arguments, &["--format", "json"]].concat();
        let ran = self.verb(told, &arguments, Exit::Done).await?;
        schema::from_json(&ran.out).map_err(|error| broken("a document", format!("{error}: {}", ran.told())))
    }

    /// Asks the server about live rows; the given version must answer.
    pub(super) async fn served(&mut self, version: &str) -> Result<Answers, Failure> {
        let server = self.server.addresses().inference;
        let answers = self.rows.ask(server).await?;
        same("an answer by version", &version.to_owned(), &answers.version)?;
        self.timeline.step(&format!("POST {}: {version} answers", infer_path()), answers.took);
        let (rows, right) = (self.rows.ids.len(), self.rows.right(&answers));
        self.timeline.fact(&format!("{right} of {rows} live rows right"));
        self.answers.insert(version.to_owned(), answers.clone());
        Ok(answers)
    }

    /// Registry and journal must agree that a version is in place and nothing is under way.
    pub(super) async fn settled(&self, version: &str, kind: Kind) -> Result<RolloutState, Failure> {
        let journal = self.journal().await?;
        same("the journal's tip to be in phase", &Phase::Succeeded.to_string(), &journal.phase.to_string())?;
        same("the journal to be about", &version.to_owned(), &journal.candidate.version.to_string())?;
        let kinds = (format!("{kind:?}"), format!("{:?}", journal.kind));
        same("the journal's tip to be a", &kinds.0, &kinds.1)?;
        self.held(version).await?;
        Ok(journal)
    }

    /// The registry must name a version, as the journal does.
    pub(super) async fn held(&self, version: &str) -> Result<(), Failure> {
        let ran = self.quietly(&["registry", "show", "--format", "json"], Exit::Done).await?;
        let registry: Value = serde_json::from_str(&ran.out).map_err(|error| broken("JSON", error))?;
        let stage = registry[MODEL]["stage"][ENVIRONMENT].as_str().unwrap_or("nothing");
        same(&format!("the registry to name {ENVIRONMENT}"), &version, &stage)?;
        self.timeline.step(&format!("registry and journal agree: {ENVIRONMENT} holds {version}"), ran.took);
        Ok(())
    }

    /// Lets live traffic begin.
    pub(super) fn live_traffic(&self) -> Traffic {
        self.timeline.fact(&format!(
            "live traffic begins: {RATE} requests a second, each about one live row; its true label follows {} ms \
             later",
            LABEL_DELAY.as_millis()
        ));
        Traffic::start(self.server.addresses().inference, &self.rows)
    }

    /// Tells what live traffic got from two versions, both of which must have served it.
    pub(super) fn tell_served(&self, served: &ServedBy, versions: [&str; 2]) -> Result<(), Failure> {
        let mut facts = vec![];
        for version in versions {
            let of_version =
                served.get(version).ok_or_else(|| broken(format!("answers by {version}"), "none"))?;
            facts.push(format!("{version} {of_version}"));
        }
        let all: u64 = served.values().map(|served| served.answered).sum();
        self.timeline
            .fact(&format!("live traffic ends: all {all} requests were answered; {}", facts.join("; ")));
        Ok(())
    }

    /// Tells how a rollout ended, and what its candidate showed before it got traffic.
    pub(super) fn tell(&self, rollout: &RolloutState) {
        for judge in rollout.judges.values() {
            self.timeline.fact(&judge.message);
        }
        self.timeline.fact(&format!("{}, {} of the traffic", rollout.message, rollout.weight.applied));
    }

    /// The newest state in the journal that was pushed.
    pub(super) async fn journal(&self) -> Result<RolloutState, Failure> {
        let text = self.repository.at_origin(&format!("{}:rollout.json", journal_ref())).await?;
        schema::from_json(&text).map_err(|error| broken("a rollout in the journal", error))
    }

    /// The status comment on a pull request must say all of this. Shown are its first lines, and the parts that say
    /// the words in `show`, which a reader must see without unfolding anything.
    pub(super) fn comment(&self, number: u64, must_say: &[&str], show: &[&str]) -> Result<(), Failure> {
        let text = self.directory.read(&format!("{CLONE}/.tagship/forge/comments/{number}-status.md"))?;
        let said = plain(&text);
        if let Some(words) = must_say.iter().find(|words| !said.contains(**words)) {
            return Err(broken(format!("{words:?} in the comment on #{number}"), format!("\n{said}")));
        }
        let blocks = folded(&text);
        if let Some(words) = show.iter().find(|words| !blocks.iter().any(|block| block.says(words))) {
            return Err(broken(
                format!("{words:?} in the comment on #{number}, outside of folds"),
                format!("\n{said}"),
            ));
        }
        let is_shown =
            |at: usize, block: &Block| at < FIRST_BLOCKS || show.iter().any(|words| block.says(words));
        let shown = blocks.into_iter().enumerate().filter(|(at, block)| is_shown(*at, block));
        let shown: Vec<Block> = shown.map(|(_, block)| block).collect();
        self.timeline.excerpt(&format!("the comment on #{number} now says:"), &shown);
        Ok(())
    }
}

/// Name of the journal of the demo's model and environment.
pub(super) fn journal_ref() -> String {
    format!("refs/tagship/rollouts/{ENVIRONMENT}/{MODEL}")
}
