//! Carrying out orders: decided from what there is, remembered, then written, each guarded by what it was decided from.
//!
//! The `InferenceService` is read before the notebook. So a run that comes late finds either the newer fence in the notebook, or
//! an `InferenceService` that is no longer the one that it read.

use serde_json::json;
use tagship_ports::{
    PortError, Problem,
    target::{Done, Order},
};

use super::{
    KserveTarget,
    moves::{Move, Write as Wanted},
    refusals::{refuse_foreign, refuse_mode},
    view::View,
};
use crate::{
    cluster::{Kind, Write},
    failure::Refusal,
    object::refuse_late,
    silence::Silence,
};

/// How often a write is decided anew because somebody wrote in between; controllers write the status all the time.
const ROUNDS: usize = 4;

impl KserveTarget {
    /// Decides from what there is, and writes where that changes something.
    pub(super) async fn carry_out(
        &self,
        operation: &str,
        order: &Order,
        silence: Silence,
        decide: impl Fn(&View) -> Result<Move, PortError> + Sync,
    ) -> Result<Done, PortError> {
        for _ in 0..ROUNDS {
            let view = self.look(operation, &order.model, silence).await?;
            refuse_late(operation, order, view.fence())?;
            let wanted = decide(&view)?;
            // What runs in another mode can be taken away, and nothing else.
            if let Some(service) = view.service.as_ref().filter(|_| wanted.write != Some(Wanted::Delete)) {
                refuse_mode(operation, &service.object, self.settings.mode)?;
            }
            match self.write(operation, order, &view, wanted).await {
                Err(Refusal::Stale | Refusal::Exists | Refusal::Absent) => {}
                other => return other.map_err(|refusal| refusal.into_error(operation)),
            }
        }
        let message = "the InferenceService is written by somebody else all the time";
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    async fn write(
        &self,
        operation: &str,
        order: &Order,
        view: &View,
        mut wanted: Move,
    ) -> Result<Done, Refusal> {
        if let (Some(service), Some(_)) = (&view.service, &wanted.write) {
            refuse_foreign(operation, &service.object)?;
        }
        let is_nothing = view.service.is_none() && wanted.write.is_none() && view.notebook.is_none();
        if is_nothing {
            return Ok(wanted.done);
        }
        wanted.memory.fence = order.fence;
        if let Some(write @ (Wanted::Create(_) | Wanted::Replace(_))) = &wanted.write {
            self.send(view, write, Write::Rehearsed).await?;
        }
        self.remember(order, view, &wanted).await?;
        if let Some(write) = &wanted.write {
            self.send(view, write, Write::Real).await?;
        }
        Ok(wanted.done)
    }

    async fn remember(&self, order: &Order, view: &View, wanted: &Move) -> Result<(), Refusal> {
        let object = wanted.memory.notebook(&self.settings, order);
        let Some(there) = &view.notebook else {
            return self.namespace.create(Kind::ConfigMap, &object, Write::Real).await.map(|_| ());
        };
        if there["data"] == object["data"] {
            return Ok(());
        }
        let annotations = &object["metadata"]["annotations"];
        let change = json!({ "metadata": { "annotations": annotations }, "data": object["data"] });
        self.namespace.merge(Kind::ConfigMap, there, change, Write::Real).await.map(|_| ())
    }

    async fn send(&self, view: &View, write: &Wanted, how: Write) -> Result<(), Refusal> {
        let kind = Kind::InferenceService;
        let there = view.service.as_ref().map(|service| &service.object);
        match (write, there) {
            (Wanted::Create(object), _) => self.namespace.create(kind, object, how).await.map(|_| ()),
            (Wanted::Replace(change) | Wanted::Change(change), Some(there)) => {
                self.namespace.merge(kind, there, change.clone(), how).await.map(|_| ())
            }
            (Wanted::Delete, Some(there)) => self.namespace.delete(kind, there).await,
            (_, None) => Ok(()),
        }
    }
}
