//! The Service and the Deployment of a version: made, marked and removed. Each carries the highest fence that an order about
//! it had, and is deleted only as it was read: what another run has brought back in between stays.

use serde_json::{Value, json};
use tagship_domain::Version;
use tagship_ports::{PortError, Problem, target::Order};

use super::{
    GatewayApiTarget,
    orders::{ROUNDS, begin},
    standing::covers,
    view::{View, fence},
    workload::{MANIFEST, MARKS, Subject},
};
use crate::{
    cluster::{Kind, Write, is_made},
    failure::Refusal,
    marks::VERSION,
    object::{is_going, refuse_late, text},
};

const BUSY: &str = "its objects are written by somebody else all the time";

/// One of the two objects of a version.
struct Part {
    kind: Kind,
    /// As it is made.
    rendered: Value,
    /// As it was read; absent where it is not there.
    there: Option<Value>,
}

impl GatewayApiTarget {
    /// Makes sure of the Service and the Deployment of a version; all that is made is rehearsed before anything is written.
    /// Answers whether something was written.
    pub(super) async fn load(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &mut View,
    ) -> Result<bool, PortError> {
        let name = subject.name();
        let there = self.deployment(subject, view).await?;
        let rendered = self
            .manifest
            .deployment(subject)
            .map_err(|why| PortError::new(Problem::Invalid, operation, why))?;
        let mut deployment = Part { kind: Kind::Deployment, rendered, there };
        let there = self.namespace.get(Kind::Service, &name).await?;
        let mut service = Part { kind: Kind::Service, rendered: Value::Null, there };
        service.rendered = self.manifest.service(subject, deployment.there.as_ref(), service.there.as_ref());
        let parts = [&service, &deployment];
        for there in parts.iter().filter_map(|part| part.there.as_ref()) {
            refuse_others(operation, subject, view, there)?;
        }
        self.rehearse(operation, order, subject, view, &parts).await?;
        let is_cleared = self.clear(operation, order, subject, view, &mut deployment).await?;
        // One that is made now listens where the settings say.
        service.rendered = self.manifest.service(subject, deployment.there.as_ref(), service.there.as_ref());
        // The Deployment is what tells that a version is loaded, so that it comes last.
        let mut is_written = is_cleared;
        for part in [service, deployment] {
            is_written |= self.ensure(operation, order, subject, view, part).await?;
        }
        Ok(is_written)
    }

    /// The Deployment of a version, whatever its labels and marks are.
    async fn deployment(&self, subject: &Subject<'_>, view: &View) -> Result<Option<Value>, PortError> {
        match view.version(subject.version) {
            Some(loaded) => Ok(Some(loaded.object.clone())),
            None => self.namespace.named(Kind::Deployment, &subject.name()).await,
        }
    }

    /// Deletes a Deployment that never answered and that the manifest now describes otherwise, so that it is made anew.
    /// Where somebody wrote in between, everything is looked at again. Answers whether it was deleted.
    async fn clear(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &mut View,
        part: &mut Part,
    ) -> Result<bool, PortError> {
        for _ in 0..ROUNDS {
            let Some(there) = part.there.as_ref().filter(|there| is_void(part, there, subject, view)) else {
                return Ok(false);
            };
            refuse_others(operation, subject, view, there)?;
            refuse_late(operation, order, fence(there))?;
            match self.namespace.delete(part.kind, there).await {
                Ok(()) => {
                    part.there = None;
                    return Ok(true);
                }
                Err(Refusal::Stale) => {
                    *view = self.look(&order.model).await?;
                    begin(operation, order, view)?;
                    part.there = self.deployment(subject, view).await?;
                }
                Err(refusal) => return Err(refusal.into_error(operation)),
            }
        }
        Err(PortError::new(Problem::Unreachable, operation, BUSY))
    }

    /// Has the cluster look at everything that would be made, and at the route.
    async fn rehearse(
        &self,
        operation: &str,
        order: &Order,
        subject: &Subject<'_>,
        view: &View,
        parts: &[&Part],
    ) -> Result<(), PortError> {
        let missing: Vec<&&Part> = parts.iter().filter(|part| part.there.is_none()).collect();
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
                        None => return Ok(false),
                        Some(change) => {
                            self.namespace.merge(part.kind, there, change, Write::Real).await.map(|_| ())
                        }
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
        Err(PortError::new(Problem::Unreachable, operation, BUSY))
    }

    /// Name of the Service of a version that is not loaded: one that the route remembers, or that a run left behind which ended
    /// before it had made the Deployment, too.
    pub(super) async fn left_behind(
        &self,
        order: &Order,
        version: &Version,
        view: &View,
    ) -> Result<Option<String>, PortError> {
        let memory = view.route.as_ref().map(|route| &route.memory);
        if let Some(known) = memory.and_then(|memory| memory.versions.get(version)) {
            return Ok(Some(known.name.clone()));
        }
        let note = order.note.as_ref();
        let digests = [note.map(|note| &note.candidate), note.and_then(|note| note.stable.as_ref())];
        for digest in digests.into_iter().flatten() {
            let (namespace, app) = (&self.settings.namespace, &self.settings.route);
            let subject = Subject { namespace, app, version, digest, order };
            let there = self.namespace.get(Kind::Service, &subject.name()).await?;
            if there.is_some_and(|there| subject.is_of(&there)) {
                return Ok(Some(subject.name()));
            }
        }
        Ok(None)
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
            _ => self.namespace.get(kind, name).await,
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

/// Whether a Deployment is of another manifest and nobody would miss it: no request is led to it, and none of its pods
/// answers. One that is only short of pods is left as it runs.
fn is_void(part: &Part, there: &Value, subject: &Subject<'_>, view: &View) -> bool {
    let manifest = |object: &Value| object["metadata"]["annotations"][MANIFEST].clone();
    let answering = there["status"]["availableReplicas"].as_u64().unwrap_or_default();
    is_idle(subject, view) && answering == 0 && manifest(there) != manifest(&part.rendered)
}

/// Whether no request is or may be led to a version.
fn is_idle(subject: &Subject<'_>, view: &View) -> bool {
    let matched = view.route.as_ref().and_then(|route| route.memory.matched.as_ref());
    view.most(subject.version) == 0 && matched.is_none_or(|matched| matched.version != *subject.version)
}

/// What a part lacks, as a change of it. What can answer is left as it runs; only its marks are renewed.
fn mend(part: &Part, there: &Value, subject: &Subject<'_>, view: &View) -> Option<Value> {
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
    if part.kind == Kind::Service && is_idle(subject, view) && !covers(&there["spec"], spec) {
        change["spec"] = spec.clone();
    }
    Some(change).filter(|change| change.as_object().is_some_and(|fields| !fields.is_empty()))
}
