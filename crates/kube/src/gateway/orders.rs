//! Carrying out orders: decided from what there is, guarded by the fence and by the resource version, and written only
//! where that changes something.

use std::collections::BTreeMap;

use tagship_domain::Version;
use tagship_ports::{
    PortError, Problem,
    target::{Done, Order},
};

use super::{
    GatewayApiTarget,
    memory::Memory,
    route::Wanted,
    view::{Loaded, View},
};
use crate::{
    cluster::{Kind, Write, is_made},
    failure::Refusal,
    object::refuse_late,
};

/// How often a write is decided anew because somebody wrote in between; gateways write the status all the time.
pub(super) const ROUNDS: usize = 4;

impl GatewayApiTarget {
    /// Decides from what there is, and writes the route where that changes it.
    pub(super) async fn change(
        &self,
        operation: &str,
        order: &Order,
        decide: impl Fn(&View, &mut Wanted) -> Result<(), PortError> + Sync,
    ) -> Result<Done, PortError> {
        let view = self.look(&order.model).await?;
        self.change_from(view, operation, order, decide).await
    }

    /// The same from what was seen already: where that is old, the write is refused and decided anew.
    pub(super) async fn change_from(
        &self,
        mut view: View,
        operation: &str,
        order: &Order,
        decide: impl Fn(&View, &mut Wanted) -> Result<(), PortError> + Sync,
    ) -> Result<Done, PortError> {
        for _ in 0..ROUNDS {
            let mut wanted = begin(operation, order, &view)?;
            decide(&view, &mut wanted)?;
            match self.write(operation, order, &view, wanted).await {
                Err(Refusal::Stale | Refusal::Exists | Refusal::Absent) => {}
                other => return other.map_err(|refusal| refusal.into_error(operation)),
            }
            view = self.look(&order.model).await?;
        }
        let message = "the route is written by somebody else all the time";
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    async fn write(
        &self,
        operation: &str,
        order: &Order,
        view: &View,
        mut wanted: Wanted,
    ) -> Result<Done, Refusal> {
        let Some(route) = &view.route else {
            // Nothing is there and nothing is to be: an empty route would only answer errors.
            if wanted.backends.is_empty() {
                return Ok(Done::AlreadyThere);
            }
            let object = wanted.object(&self.settings, view, order);
            let made = self.namespace.create(Kind::Route, &object, Write::Real).await?;
            self.namespace.adopt(Kind::Route, &made).await?;
            return Ok(Done::Pending);
        };
        let is_moved = !route.is(&wanted.spec(&self.settings, view));
        if !is_moved && route.memory == wanted.memory {
            return Ok(standing(operation, view, Done::AlreadyThere)?);
        }
        if is_made(&route.object) {
            // Whoever made it did not get to own it.
            self.namespace.adopt(Kind::Route, &route.object).await?;
            return Err(Refusal::Stale);
        }
        if is_moved {
            wanted.memory.before = view.bounds();
        }
        let object = wanted.object(&self.settings, view, order);
        self.namespace.apply(Kind::Route, &object, Write::Real).await?;
        if is_moved { Ok(Done::Pending) } else { Ok(standing(operation, view, Done::Applied)?) }
    }
}

/// What is written now, under the order's fence.
pub(super) fn begin(operation: &str, order: &Order, view: &View) -> Result<Wanted, PortError> {
    let Some(route) = &view.route else {
        let memory = Memory::new(order.model.clone(), order.fence);
        return Ok(Wanted { memory, backends: BTreeMap::new() });
    };
    refuse_late(operation, order, Some(route.memory.fence))?;
    let mut wanted = Wanted::of(route);
    wanted.memory.fence = order.fence;
    wanted.memory.versions.retain(|version, _| view.version(version).is_some());
    Ok(wanted)
}

/// Whether what is written is in force; `done` where it is.
fn standing(operation: &str, view: &View, done: Done) -> Result<Done, PortError> {
    match view.route.as_ref().filter(|route| !route.settled) {
        None => Ok(done),
        Some(route) => match &route.objection {
            Some(said) => Err(PortError::new(Problem::Unreachable, operation, said.clone())),
            None => Ok(Done::Pending),
        },
    }
}

/// Refuses to give a version more than it has while it cannot answer.
pub(super) fn refuse_unready(
    operation: &str,
    view: &View,
    version: &Version,
    share: u8,
) -> Result<(), PortError> {
    if share == 0 || loaded(operation, view, version)?.ready || share <= view.wanted(version) {
        return Ok(());
    }
    let message = format!("{version} is not ready to take {share}% of the traffic");
    Err(PortError::new(Problem::Unreachable, operation, message))
}

pub(super) fn loaded<'a>(
    operation: &str,
    view: &'a View,
    version: &Version,
) -> Result<&'a Loaded, PortError> {
    view.version(version)
        .ok_or_else(|| PortError::new(Problem::NotFound, operation, format!("{version} is not loaded")))
}

/// Refuses to unload a version that has traffic, or may still have.
pub(super) fn refuse_busy(operation: &str, view: &View, version: &Version) -> Result<(), PortError> {
    let matched = view.route.as_ref().and_then(|route| route.memory.matched.as_ref());
    let busy = |problem: Problem, message: String| Err(PortError::new(problem, operation, message));
    match (view.wanted(version), view.most(version)) {
        (0, 0) if matched.is_some_and(|matched| matched.version == *version) => {
            busy(Problem::Conflict, format!("requests are led to {version} by a header"))
        }
        (0, 0) => Ok(()),
        (0, had) => {
            let message =
                format!("the gateway has not yet confirmed that {version} lost its {had}% of the traffic");
            busy(Problem::Unreachable, message)
        }
        (has, _) => busy(Problem::Conflict, format!("{version} has {has}% of the traffic")),
    }
}
