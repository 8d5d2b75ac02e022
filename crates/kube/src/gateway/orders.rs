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
    route::Wanted,
    view::{Loaded, Memory, View},
    workload::Subject,
};
use crate::{
    cluster::{Kind, Write},
    failure::Refusal,
};

/// How often a write is decided anew because somebody wrote in between; gateways write the status all the time.
const ROUNDS: usize = 4;

impl GatewayApiTarget {
    /// Decides from what there is, and writes the route where that changes it.
    pub(super) async fn change(
        &self,
        operation: &str,
        order: &Order,
        decide: impl Fn(&View, &mut Wanted) -> Result<(), PortError> + Sync,
    ) -> Result<Done, PortError> {
        for _ in 0..ROUNDS {
            let view = self.look(&order.model).await?;
            let mut wanted = begin(operation, order, &view)?;
            decide(&view, &mut wanted)?;
            match self.write(operation, &view, wanted).await {
                Err(Refusal::Stale) => {}
                Err(Refusal::Failed(error)) => return Err(error),
                Ok(done) => return Ok(done),
            }
        }
        let message = "the route is written by somebody else all the time";
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    async fn write(&self, operation: &str, view: &View, mut wanted: Wanted) -> Result<Done, Refusal> {
        match &view.route {
            Some(route) if Wanted::of(route) == wanted => {
                return standing(operation, view).map_err(Refusal::Failed);
            }
            // Nothing is there and nothing is to be: an empty route would only answer errors.
            None if wanted.backends.is_empty() => return Ok(Done::AlreadyThere),
            _ => {}
        }
        let is_moved = view.route.as_ref().is_none_or(|route| {
            route.backends != wanted.backends || route.memory.matched != wanted.memory.matched
        });
        if is_moved {
            wanted.memory.before = view.applied();
        }
        self.namespace.apply(Kind::Route, &wanted.object(&self.settings, view), Write::Real).await?;
        Ok(if is_moved { Done::Pending } else { Done::Applied })
    }

    /// Makes the Service and the Deployment of a version, all of it rehearsed before anything is written.
    pub(super) async fn load(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &View,
    ) -> Result<(), PortError> {
        let invalid = |why: String| PortError::new(Problem::Invalid, operation, why);
        let deployment = self.manifest.deployment(subject).map_err(invalid)?;
        let service = self.manifest.service(subject);
        let mut wanted = begin(operation, order, view)?;
        wanted.backends.insert(subject.name(), 0);
        let route = wanted.object(&self.settings, view);
        let rehearsed = [(Kind::Service, &service), (Kind::Deployment, &deployment), (Kind::Route, &route)];
        let all = rehearsed.map(|(kind, object)| (kind, object, Write::Rehearsed)).into_iter();
        // The Deployment is what tells that a version is loaded, so that it comes last.
        let real = rehearsed.into_iter().take(2).map(|(kind, object)| (kind, object, Write::Real));
        for (kind, object, write) in all.chain(real) {
            match self.namespace.apply(kind, object, write).await {
                Ok(()) => {}
                Err(Refusal::Failed(error)) => return Err(error),
                // The route is decided anew when it is written.
                Err(Refusal::Stale) if write == Write::Rehearsed => {}
                Err(Refusal::Stale) => {
                    let message = "somebody wrote in between";
                    return Err(PortError::new(Problem::Unreachable, operation, message));
                }
            }
        }
        Ok(())
    }
}

/// What is written now, under the order's fence.
pub(super) fn begin(operation: &str, order: &Order, view: &View) -> Result<Wanted, PortError> {
    let Some(route) = &view.route else {
        let memory = Memory {
            model: order.model.clone(),
            fence: order.fence,
            stable: None,
            matched: None,
            before: BTreeMap::new(),
        };
        return Ok(Wanted { memory, backends: BTreeMap::new() });
    };
    let seen = route.memory.fence;
    if order.fence < seen {
        let message = format!("order {} came after {seen}", order.fence);
        return Err(PortError::new(Problem::Fenced, operation, message));
    }
    let mut wanted = Wanted::of(route);
    wanted.memory.fence = order.fence;
    Ok(wanted)
}

/// Whether what is written is in force.
fn standing(operation: &str, view: &View) -> Result<Done, PortError> {
    match view.route.as_ref().filter(|route| !route.settled && !route.backends.is_empty()) {
        None => Ok(Done::AlreadyThere),
        Some(route) => match &route.objection {
            Some(said) => Err(PortError::new(Problem::Unreachable, operation, said.clone())),
            None => Ok(Done::Pending),
        },
    }
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
    let of = |shares: BTreeMap<Version, u8>| shares.get(version).copied().unwrap_or_default();
    let matched = view.route.as_ref().and_then(|route| route.memory.matched.as_ref());
    let busy = |problem: Problem, message: String| Err(PortError::new(problem, operation, message));
    match (of(view.desired()), of(view.applied())) {
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
