//! `tagship doctor`: looks at the journal, the stage tags and the target of environments, and changes nothing.

use std::collections::BTreeMap;

use tagship_domain::{
    Exit, Release, Version,
    examination::{Examination, ExaminedPlace},
    rollout::RolloutState,
    schema,
    traffic::TargetState,
};
use tagship_registry::{Event, Registry, StageRecord, Trailer};
use tagship_release as release;
use tagship_report::terminal;
use tagship_rollout::{Tags, Views, discrepancies};
use tagship_runner::{Failure, args::DoctorArgs};

use super::status::wanted;
use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, recorded},
    targets::open_target,
    together::together,
    workspace::Workspace,
};

/// How many environments are looked at at a time: one whose target does not answer holds few others up.
const AT_A_TIME: usize = 8;

pub(crate) async fn run(args: &DoctorArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let places = wanted(workspace, args.common.model.as_ref(), args.common.environment.as_ref())?;
    let registry = workspace.registry().await.map_err(|failure| failure.message);
    let looks = places.into_iter().map(|place| examined(workspace, place, registry.as_ref()));
    let examination = Examination { at: workspace.clock.now(), places: together(looks, AT_A_TIME).await };
    let text = terminal::examination(&examination, &workspace.style());
    let json = schema::to_json(&examination).map_err(Failure::incomplete)?;
    let (exit, reason) = match examination.exit() {
        Exit::Done => (Exit::Done, "healthy"),
        Exit::Negative => (Exit::Negative, "findings"),
        exit => (exit, "not-seen"),
    };
    Ok(Answer::plain(exit, "examined", reason, text, json))
}

async fn examined(
    workspace: &Workspace,
    place: Place<'_>,
    registry: Result<&Registry, &String>,
) -> ExaminedPlace {
    let Place { name, environment, .. } = place;
    let assigned = match registry {
        Ok(registry) => Assigned::read(registry, place).map_err(|failure| failure.message),
        Err(why) => Err(why.clone()),
    };
    // The target first: what a rollout does in between is in the journal then, and not the other way round.
    let target = served(workspace, place).await.map_err(|failure| failure.message);
    let journal = recorded(workspace, place).await.map_err(|failure| failure.message);
    let views = Views {
        model: name,
        environment,
        now: workspace.clock.now(),
        journal: journal.as_ref().map(Option::<RolloutState>::as_ref).map_err(Clone::clone),
        tags: assigned.as_ref().map(Assigned::tags).map_err(Clone::clone),
        target: target.as_ref().map_err(Clone::clone),
    };
    ExaminedPlace {
        model: name.clone(),
        environment: environment.clone(),
        discrepancies: discrepancies(&views),
    }
}

async fn served(workspace: &Workspace, place: Place<'_>) -> Result<TargetState, Failure> {
    let opened = open_target(workspace, place.model, place.settings)?;
    opened.target.observe(place.name).await.map_err(failed)
}

/// What the tags say of a model in an environment.
struct Assigned {
    held: Option<Release>,
    rollout: Option<String>,
    released: BTreeMap<Version, tagship_domain::Digest>,
}

impl Assigned {
    fn read(registry: &Registry, place: Place<'_>) -> Result<Self, Failure> {
        let Place { name, environment, .. } = place;
        let releases = release::releases(registry, name).map_err(failed)?;
        let current = registry.model(name).ok().and_then(|model| model.current(environment));
        let assigned = current
            .and_then(|version| version.stages().find(|stage| stage.stage() == environment.as_str()))
            .and_then(StageRecord::active_since);
        let trailers = assigned.map(Event::trailers);
        Ok(Self {
            held: release::current(registry, name, environment).map_err(failed)?,
            rollout: trailers
                .and_then(|trailers| trailers.get(Trailer::Rollout).map(str::to_owned))
                .filter(|rollout| !rollout.is_empty()),
            released: releases.into_iter().map(|release| (release.version, release.digest)).collect(),
        })
    }

    fn tags(&self) -> Tags<'_> {
        Tags { held: self.held.as_ref(), rollout: self.rollout.as_deref(), released: &self.released }
    }
}
