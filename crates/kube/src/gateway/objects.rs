//! The Service and the Deployment of a version: made, marked and removed. Each carries the highest fence that an order about
//! it had, and is deleted only as it was read: what another run has brought back in between stays.

use serde_json::{Value, json};
use tagship_domain::Version;
use tagship_ports::{PortError, Problem, target::Order};

use super::{
    GatewayApiTarget,
    orders::{ROUNDS, begin, refuse_late},
    standing::covers,
    view::{View, fence, is_going, text},
    workload::{MANIFEST, MARKS, Subject, VERSION},
};
use crate::{
    cluster::{Kind, Write, is_made},
    failure::Refusal,
};

/// One of the two objects of a version.
struct Part {
    kind: Kind,
    /// As it is made.
    rendered: Value,
    /// As it was read; absent where it is not there.
    there: Option<Value>,
}

/// What is done to a part that is there.
enum Mend {
    Nothing,
    Merge(Value),
    /// It is made anew.
    Replace,
}

impl GatewayApiTarget {
    /// Makes sure of the Service and the Deployment of a version; all that is made is rehearsed before anything is written.
    /// Answers whether something was written.
    pub(super) async fn load(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &View,
    ) -> Result<bool, PortError> {
        let name = subject.name();
        let deployment = match view.version(subject.version) {
            Some(loaded) => Some(loaded.object.clone()),
            None => self.namespace.named(Kind::Deployment, &name).await?,
        };
        let rendered = self
            .manifest
            .deployment(subject)
            .map_err(|why| PortError::new(Problem::Invalid, operation, why))?;
        // The Deployment is what tells that a version is loaded, so that it comes last.
        let parts = [
            Part {
                kind: Kind::Service,
                rendered: self.manifest.service(subject),
                there: self.namespace.get(Kind::Service, &name).await?,
            },
            Part { kind: Kind::Deployment, rendered, there: deployment },
        ];
        for there in parts.iter().filter_map(|part| part.there.as_ref()) {
            refuse_others(operation, subject, view, there)?;
        }
        self.rehearse(operation, order, subject, view, &parts).await?;
        let mut is_written = false;
        for part in parts {
            is_written |= self.ensure(operation, order, subject, view, part).await?;
        }
        Ok(is_written)
    }

    /// Has the cluster look at everything that would be made, and at the route.
    async fn rehearse(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &View,
        parts: &[Part],
    ) -> Result<(), PortError> {
        let missing: Vec<&Part> = parts.iter().filter(|part| part.there.is_none()).collect();
        for part in &missing {
            let made = self.namespace.create(part.kind, &part.rendered, Write::Rehearsed).await;
            made.map_err(|refusal| refusal.into_error(operation))?;
        }
        let mut wanted = begin(operation, order, view)?;
        wanted.backends.insert(subject.name(), 0);
        let object = wanted.object(&self.settings, view, order);
        let rehearsed = match &view.route {
            _ if missing.is_empty() => return Ok(()),
            None => self.namespace.create(Kind::Route, &object, Write::Rehearsed).await.map(|_| ()),
            // It is not ours to apply yet; that comes with the write.
            Some(route) if is_made(&route.object) => Ok(()),
            Some(_) => self.namespace.apply(Kind::Route, &object, Write::Rehearsed).await,
        };
        match rehearsed {
            // The route is decided anew when it is written.
            Ok(()) | Err(Refusal::Stale | Refusal::Exists) => Ok(()),
            Err(refusal) => Err(refusal.into_error(operation)),
        }
    }

    async fn ensure(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &View,
        mut part: Part,
    ) -> Result<bool, PortError> {
        for _ in 0..ROUNDS {
            let done = match &part.there {
                None => self.namespace.create(part.kind, &part.rendered, Write::Real).await.map(|_| ()),
                Some(there) => {
                    refuse_others(operation, subject, view, there)?;
                    refuse_late(operation, order, fence(there))?;
                    match mend(&part, there, subject, view) {
                        Mend::Nothing => return Ok(false),
                        Mend::Merge(change) => {
                            self.namespace.merge(part.kind, there, change, Write::Real).await.map(|_| ())
                        }
                        // What was deleted is made in the next round.
                        Mend::Replace => match self.namespace.delete(part.kind, there).await {
                            Ok(()) => Err(Refusal::Absent),
                            other => other,
                        },
                    }
                }
            };
            match done {
                Ok(()) => return Ok(true),
                Err(Refusal::Failed(error)) => return Err(error),
                Err(Refusal::Absent) => part.there = None,
                Err(Refusal::Stale | Refusal::Exists) => {
                    part.there = self.read(part.kind, &subject.name()).await?;
                }
            }
        }
        let message = "its objects are written by somebody else all the time";
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    /// Removes one object of a version, unless a newer order has brought it back.
    pub(super) async fn remove(
        &self,
        operation: &str,
        order: &Order,
        kind: Kind,
        name: &str,
        version: &Version,
    ) -> Result<(), PortError> {
        for _ in 0..ROUNDS {
            let Some(there) = self.read(kind, name).await? else { return Ok(()) };
            let of = there["metadata"]["annotations"][VERSION].as_str().unwrap_or_default();
            if !of.is_empty() && *of != version.to_string() {
                let message = format!("{} {name} is of {of} and is left alone", kind.parts().3);
                return Err(PortError::new(Problem::Conflict, operation, message));
            }
            refuse_late(operation, order, fence(&there))?;
            match self.namespace.delete(kind, &there).await {
                Ok(()) => return Ok(()),
                Err(Refusal::Stale) => {}
                Err(refusal) => return Err(refusal.into_error(operation)),
            }
        }
        let message = format!("{} {name} is written by somebody else all the time", kind.parts().3);
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    /// A Deployment is looked for by the right that lists them.
    async fn read(&self, kind: Kind, name: &str) -> Result<Option<Value>, PortError> {
        match kind {
            Kind::Deployment => self.namespace.named(kind, name).await,
            Kind::Route | Kind::Service => self.namespace.get(kind, name).await,
        }
    }
}

/// Refuses an object that was not made for the version, and one that is about to go.
fn refuse_others(
    operation: &str,
    subject: &Subject<'_>,
    view: &View,
    there: &Value,
) -> Result<(), PortError> {
    let (kind, name) = (text(there, "/kind"), text(there, "/metadata/name"));
    let memory = view.route.as_ref().map(|route| &route.memory);
    let remembered = memory.and_then(|memory| memory.named(name));
    let is_remembered =
        remembered.is_some_and(|(version, digest)| version == *subject.version && digest == *subject.digest);
    if !is_remembered && !subject.is_of(there) {
        let message = format!(
            "{kind} {name} is there and was not made for {} with {}",
            subject.version, subject.digest
        );
        return Err(PortError::new(Problem::Conflict, operation, message)
            .hint("delete it if nothing of value runs in it, or give `route` another name"));
    }
    if is_going(there) {
        let message = format!("{kind} {name} is still being deleted");
        return Err(PortError::new(Problem::Unreachable, operation, message));
    }
    Ok(())
}

/// What a part lacks. What has traffic or can answer is left as it runs; only its marks are renewed.
fn mend(part: &Part, there: &Value, subject: &Subject<'_>, view: &View) -> Mend {
    let is_ready = view.version(subject.version).is_some_and(|loaded| loaded.ready);
    let is_idle = view.most(subject.version) == 0;
    let manifest = |object: &Value| object["metadata"]["annotations"][MANIFEST].clone();
    if part.kind == Kind::Deployment && is_idle && !is_ready && manifest(there) != manifest(&part.rendered) {
        return Mend::Replace;
    }
    let mut change = json!({});
    let marks = subject.marks();
    let kept = ["labels", "annotations"].iter().all(|kind| {
        let marks = marks[*kind].as_object().into_iter().flatten();
        let mut needed = marks.filter(|(key, _)| *kind == "labels" || MARKS.contains(&key.as_str()));
        needed.all(|(key, value)| there["metadata"][*kind][key.as_str()] == *value)
    });
    if !kept {
        change["metadata"] = marks;
    }
    let spec = &part.rendered["spec"];
    if part.kind == Kind::Service && is_idle && !covers(&there["spec"], spec) {
        change["spec"] = spec.clone();
    }
    if change.as_object().is_none_or(serde_json::Map::is_empty) { Mend::Nothing } else { Mend::Merge(change) }
}
