//! What can be put right by one more tag. Nothing is ever deleted, and what a stage holds to Tagship stays as it is.

use tagship_domain::{Environment, ModelName, Timestamp};

use crate::{
    error::RegistryError,
    event::Event,
    finding::{Finding, FindingKind},
    model::{Model, ModelVersion, StageRecord},
    plan::PlannedTag,
    registry::Registry,
    trailers::Trailers,
};

/// A finding and the tag that ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What is wrong.
    pub finding: Finding,
    /// The tag to make.
    pub tag: PlannedTag,
}

/// A version and a stage that one more tag settles.
pub(crate) struct Place<'a> {
    version: &'a ModelVersion,
    stage: &'a str,
}

impl Registry {
    /// Every repair that one more tag is. Each is planned as if it were the next one: after one was made, read the tags
    /// and plan again.
    ///
    /// # Errors
    /// When no legal tag is left.
    pub fn plan_repairs(&self, trailers: &Trailers, now: Timestamp) -> Result<Vec<Repair>, RegistryError> {
        let mut repairs = Vec::new();
        for model in self.models() {
            for (finding, place) in repairable(model) {
                let tag = self.plan_repair(model, &finding, &place, trailers, now)?;
                repairs.extend(tag.map(|tag| Repair { finding, tag }));
            }
        }
        Ok(repairs)
    }

    /// `None` where the names are none of Tagship's, so that it never writes such a tag.
    fn plan_repair(
        &self,
        model: &Model,
        finding: &Finding,
        place: &Place<'_>,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Option<PlannedTag>, RegistryError> {
        let names = (ModelName::new(model.name()), Environment::new(place.stage), place.version.version());
        let (Ok(name), Ok(stage), Some(version)) = names else { return Ok(None) };
        match finding.kind {
            FindingKind::WithdrawnInStage => self.plan_unassignment(&name, version, &stage, trailers, now),
            _ => self.plan_reaffirmation(&name, version, &stage, trailers, now).map(Some),
        }
    }
}

/// What is wrong with a model and can be put right so.
pub(crate) fn repairable(model: &Model) -> impl Iterator<Item = (Finding, Place<'_>)> {
    withdrawn(model).chain(ties(model))
}

/// Withdrawn versions that are still assigned.
fn withdrawn(model: &Model) -> impl Iterator<Item = (Finding, Place<'_>)> {
    let gone = model.versions().filter(|version| !version.is_active());
    gone.flat_map(|version| version.stages().map(move |record| (version, record))).filter_map(
        |(version, record)| {
            let event = record.active_since()?;
            let subject = format!("{}@{}", model.name(), version.label());
            let detail = format!(
                "{} puts it into {}, where it would be again once it is registered again",
                event.tag,
                record.stage()
            );
            let finding = Finding { kind: FindingKind::WithdrawnInStage, subject, detail };
            Some((finding, Place { version, stage: record.stage() }))
        },
    )
}

/// Stages that GTO sees held by another version, as it does not look at counters.
fn ties(model: &Model) -> impl Iterator<Item = (Finding, Place<'_>)> {
    let mut stages: Vec<&str> =
        model.versions().flat_map(ModelVersion::stages).map(StageRecord::stage).collect();
    stages.sort_unstable();
    stages.dedup();
    stages.into_iter().filter_map(|stage| {
        let (ours, theirs) = (model.holder(stage), gto_holder(model, stage));
        if ours.map(ModelVersion::commit) == theirs.map(ModelVersion::commit) {
            return None;
        }
        let name = |version: Option<&ModelVersion>| {
            version.map_or("none".to_owned(), |version| version.label().into_owned())
        };
        let finding = Finding {
            kind: FindingKind::Tie,
            subject: format!("{}#{stage}", model.name()),
            detail: format!("{} to tagship, {} to GTO", name(ours), name(theirs)),
        };
        Some((finding, Place { version: ours.or(theirs)?, stage }))
    })
}

/// Who holds a stage by GTO's rules for events of one second: an unassignment comes after an assignment, and of two
/// versions the one that was registered first stays.
fn gto_holder<'a>(model: &'a Model, stage: &str) -> Option<&'a ModelVersion> {
    let mut holder: Option<(Timestamp, &ModelVersion)> = None;
    for version in model.versions().filter(|version| version.is_active()) {
        let Some(record) = version.stage(stage) else { continue };
        let newest = |event: Option<&Event>| event.map(Event::time);
        let (on, off) = (newest(record.assignments().last()), newest(record.unassignments().last()));
        let Some(on) = on.filter(|on| off.is_none_or(|off| off < *on)) else { continue };
        if holder.is_none_or(|(since, _)| on > since) {
            holder = Some((on, version));
        }
    }
    holder.map(|(_, version)| version)
}
