//! What is wrong with the tags, and putting right what can be: with one more tag each, or a fetch. Never by deleting one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tagship_adapters::SystemClock;
use tagship_domain::Exit;
use tagship_git::GitRepo;
use tagship_ports::Clock as _;
use tagship_registry::{
    Finding, FindingKind, Options, PlannedTag, Registry, Repair, TagEvent, TagNameError, Trailer, Trailers,
};
use tagship_release::{ReleaseError, publish, read_registry};
use tagship_runner::{Context, Failure};

use super::{annotations::Annotations, write::ended};
use crate::{answer::Answer, failure::failed, project::actor};

/// Most tags that one call makes; each ends one finding, so that more would mean that none does.
const MOST_REPAIRS: usize = 10_000;

/// What to do about a finding that is there after the repairs.
const AGAIN: &str = "it is there after the repairs; run `tagship registry doctor --repair` again";
/// What stands in the way of a repair.
const SETTLE_FIRST: &str =
    "first settle the tags of this model that the remote does not have, or has otherwise";

/// Examines one repository.
pub(super) struct Doctor<'a> {
    pub(super) repo: &'a GitRepo,
    pub(super) options: &'a Options,
    pub(super) annotations: &'a Annotations<'a>,
    pub(super) context: &'a Context,
}

/// What is wrong, and what was or would be done about it.
struct Case {
    finding: Finding,
    remedy: Option<Remedy>,
}

/// What puts something right.
enum Remedy {
    /// A command that is run, or would be.
    Fetch(&'static str),
    /// A tag that is made, or would be.
    Tag(PlannedTag),
    /// What a person can do.
    ByHand(String),
}

impl Doctor<'_> {
    /// Says what is wrong; with `repair` also what the remote knows and what would be done, with `yes` does it.
    pub(super) async fn run(&self, repair: bool, yes: bool) -> Result<Answer, Failure> {
        if !repair {
            let by_hand = |finding: Finding| Case { remedy: Some(Remedy::of(&finding)), finding };
            let cases = self.findings().await?.into_iter().map(by_hand);
            return Ok(answer(&cases.collect::<Vec<_>>(), false));
        }
        let mut cases = self.fetch(yes).await?;
        if self.repo.is_shallow() {
            // Without all tags nothing else can be said.
            return Ok(answer(&cases, yes));
        }
        let unsettled = unsettled(&cases);
        let mut done = if yes { self.make_tags(&unsettled).await? } else { vec![] };
        cases.append(&mut done);
        let planned = self.plan(&self.registry().await?)?;
        for finding in self.findings().await? {
            let tag = planned.iter().find(|repair| repair.finding == finding);
            let remedy = match tag {
                Some(repair) if is_of(&unsettled, &repair.tag) => {
                    Some(Remedy::ByHand(SETTLE_FIRST.to_owned()))
                }
                // What was repaired and is here again, or came in meanwhile, was not made by this run.
                Some(_) if yes => Some(Remedy::ByHand(AGAIN.to_owned())),
                Some(repair) => Some(Remedy::Tag(repair.tag.clone())),
                None => Some(Remedy::of(&finding)),
            };
            cases.push(Case { finding, remedy });
        }
        Ok(answer(&cases, yes))
    }

    async fn registry(&self) -> Result<Registry, Failure> {
        read_registry(self.repo, self.options.clone()).await.map_err(failed)
    }

    async fn findings(&self) -> Result<Vec<Finding>, Failure> {
        let mut registry = self.registry().await?;
        self.annotations.describe(&mut registry).await?;
        self.annotations.examine(&mut registry).await?;
        Ok(registry.doctor(SystemClock.now()))
    }

    /// What this clone and the remote do not have in common. Tags that are missing here are fetched.
    async fn fetch(&self, yes: bool) -> Result<Vec<Case>, Failure> {
        let mut cases = vec![];
        let mut case = |kind: FindingKind, subject: &str| {
            let finding = Finding::on_tag(kind, subject);
            let remedy = match kind {
                FindingKind::ShallowClone => Remedy::Fetch("git fetch --unshallow --tags"),
                FindingKind::UnfetchedTag => Remedy::Fetch("git fetch --tags"),
                _ => Remedy::of(&finding),
            };
            cases.push(Case { finding, remedy: Some(remedy) });
        };
        if self.repo.is_shallow() {
            case(FindingKind::ShallowClone, "the clone");
            if !yes {
                return Ok(cases);
            }
            self.repo.deepen().await.map_err(failed)?;
            if self.repo.is_shallow() {
                let why = "the clone is shallow still: it has no remote, or that is shallow itself";
                return Err(Failure::incomplete(why)
                    .hint("clone the whole repository, in a workflow `fetch-depth: 0`"));
            }
        }
        let differences = self.repo.tag_differences().await.map_err(failed)?;
        let of_registry = |name: &&String| TagEvent::parse(name) != Err(TagNameError::Foreign);
        for (kind, names) in [
            (FindingKind::UnfetchedTag, &differences.unfetched),
            (FindingKind::UnpublishedTag, &differences.unpublished),
            (FindingKind::DifferentTag, &differences.different),
        ] {
            names.iter().filter(of_registry).for_each(|name| case(kind, name));
        }
        if yes && !differences.unfetched.is_empty() {
            self.repo.fetch_all_tags().await.map_err(failed)?;
        }
        Ok(cases)
    }

    fn plan(&self, registry: &Registry) -> Result<Vec<Repair>, Failure> {
        registry.plan_repairs(&self.trailers(), SystemClock.now()).map_err(failed)
    }

    /// Makes every repair that is a tag, one after the other. Another run may make one first, which is as good.
    async fn make_tags(&self, unsettled: &BTreeSet<String>) -> Result<Vec<Case>, Failure> {
        let (trailers, mut done) = (self.trailers(), vec![]);
        while done.len() < MOST_REPAIRS {
            let planned = self.plan(&self.registry().await?)?;
            let next = planned.into_iter().find(|repair| !is_of(unsettled, &repair.tag));
            let Some(Repair { finding, .. }) = next else { break };
            // A repair that did not end its finding will not do so the next time.
            if done.iter().any(|case: &Case| case.finding == finding) {
                break;
            }
            let this = |registry: &Registry| -> Result<Option<PlannedTag>, ReleaseError> {
                let repairs = registry.plan_repairs(&trailers, SystemClock.now())?;
                Ok(repairs.into_iter().find(|repair| repair.finding == finding).map(|repair| repair.tag))
            };
            let made = publish(self.repo, self.options, &this).await.map_err(ended)?;
            done.extend(made.map(|tag| Case { finding: finding.clone(), remedy: Some(Remedy::Tag(tag)) }));
        }
        Ok(done)
    }

    fn trailers(&self) -> Trailers {
        Trailers::new()
            .with(Trailer::Actor, &actor(self.repo, self.context))
            .with(Trailer::Run, self.context.by.run.as_deref().unwrap_or_default())
            .with(Trailer::Reason, "repair of the registry")
    }
}

/// Models with tags that the remote does not have, or has otherwise. What is planned from these tags is about a registry
/// that nobody else sees.
fn unsettled(cases: &[Case]) -> BTreeSet<String> {
    let kinds = [FindingKind::UnpublishedTag, FindingKind::DifferentTag];
    let tags = cases.iter().filter(|case| kinds.contains(&case.finding.kind));
    tags.filter_map(|case| TagEvent::parse(&case.finding.subject).ok()).map(|tag| tag.model).collect()
}

fn is_of(models: &BTreeSet<String>, tag: &PlannedTag) -> bool {
    TagEvent::parse(&tag.name).is_ok_and(|tag| models.contains(&tag.model))
}

impl Remedy {
    fn of(finding: &Finding) -> Self {
        Self::ByHand(finding.by_hand())
    }

    fn is_done(&self, yes: bool) -> bool {
        yes && !matches!(self, Self::ByHand(_))
    }

    fn text(&self, yes: bool) -> String {
        match (self, yes) {
            (Self::Fetch(command), false) => format!("would run `{command}`"),
            (Self::Fetch(command), true) => format!("done: {command}"),
            (Self::Tag(tag), yes) => {
                let message = tag.message.lines().next().unwrap_or_default();
                let verb = if yes { "done: made" } else { "would make" };
                format!("{verb} tag {} on {}: {message}", tag.name, tag.target.short())
            }
            (Self::ByHand(what), _) => format!("by hand: {what}"),
        }
    }
}

fn answer(cases: &[Case], yes: bool) -> Answer {
    let json =
        json!({ "findings": cases.iter().map(|case| object(case, yes)).collect::<Vec<_>>() }).to_string();
    let left =
        cases.iter().filter(|case| !case.remedy.as_ref().is_some_and(|remedy| remedy.is_done(yes))).count();
    let (exit, reason, text) = match (cases, left) {
        ([], _) => (Exit::Done, "healthy", "every registry tag makes sense".to_owned()),
        (cases, 0) => (Exit::Done, "repaired", lines(cases, yes)),
        (cases, _) => (Exit::Negative, "findings", lines(cases, yes)),
    };
    Answer::plain(exit, "examined", reason, text, json)
}

fn lines(cases: &[Case], yes: bool) -> String {
    let mut lines = vec![];
    for Case { finding, remedy } in cases {
        lines.push(format!("{}: {finding}", finding.kind.code()));
        lines.extend(remedy.as_ref().map(|remedy| format!("  {}", remedy.text(yes))));
    }
    lines.join("\n")
}

fn object(Case { finding, remedy }: &Case, yes: bool) -> Value {
    let mut object = json!({
        "code": finding.kind.code(), "subject": finding.subject, "sentence": finding.to_string()
    });
    if let Some(remedy) = remedy {
        object["remedy"] = remedy.text(yes).into();
        object["done"] = remedy.is_done(yes).into();
    }
    object
}
