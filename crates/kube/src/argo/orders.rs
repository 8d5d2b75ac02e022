//! Carrying out orders: decided from what there is, then written, each write guarded by what it was decided from. No write is
//! forced, and none asks who owns a field.

use serde_json::{Value, json};
use tagship_ports::{
    PortError, Problem,
    target::{Done, Order},
};

use super::{
    ArgoTarget,
    moves::{Move, Write as Wanted},
    services,
    settings::{canary_service, stable_service},
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

impl ArgoTarget {
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
            let done = wanted.done;
            match self.write(order, &view, wanted).await {
                Ok(()) => return Ok(done),
                Err(Refusal::Stale | Refusal::Exists | Refusal::Absent) => {}
                Err(refusal) => return Err(refusal.into_error(operation)),
            }
        }
        let message = "the Rollout is written by somebody else all the time";
        Err(PortError::new(Problem::Unreachable, operation, message))
    }

    async fn write(&self, order: &Order, view: &View, mut wanted: Move) -> Result<(), Refusal> {
        wanted.memory.fence = order.fence;
        match (&wanted.write, &view.rollout) {
            (Some(Wanted::Create(object)), None) => self.make(order, view, &wanted, object.clone()).await,
            (Some(Wanted::Delete), Some(rollout)) => {
                // The order outlives the Rollout in the Service.
                self.open(order, view, Some(false)).await?;
                self.namespace.delete(Kind::Rollout, &rollout.object).await
            }
            (write, Some(rollout)) => {
                let is_new = wanted.memory != view.memory;
                let mut change = match write {
                    Some(Wanted::Change(change)) => change.clone(),
                    _ => json!({}),
                };
                if is_new || write.is_some() {
                    change["metadata"]["annotations"] = wanted.memory.annotations(order);
                    self.namespace.merge(Kind::Rollout, &rollout.object, change, Write::Real).await?;
                }
                // Argo refuses the Rollout where somebody has deleted one.
                self.make_services(order, view, &rollout.object, wanted.memory.open).await?;
                self.open(order, view, wanted.open).await
            }
            (_, None) => self.open(order, view, wanted.open).await,
        }
    }

    /// Makes the Services, and then the `Rollout`, which Argo refuses without them.
    async fn make(
        &self,
        order: &Order,
        view: &View,
        wanted: &Move,
        mut object: Value,
    ) -> Result<(), Refusal> {
        for (key, value) in wanted.memory.annotations(order).as_object().into_iter().flatten() {
            object["metadata"]["annotations"][key.as_str()] = value.clone();
        }
        self.namespace.create(Kind::Rollout, &object, Write::Rehearsed).await?;
        self.open(order, view, Some(false)).await?;
        self.make_services(order, view, &object, false).await?;
        self.namespace.create(Kind::Rollout, &object, Write::Real).await.map(|_| ())
    }

    /// Makes the Services that are not there.
    async fn make_services(
        &self,
        order: &Order,
        view: &View,
        rollout: &Value,
        open: bool,
    ) -> Result<(), Refusal> {
        let name = &self.settings.name;
        for (name, there) in [(stable_service(name), &view.stable), (canary_service(name), &view.canary)] {
            if there.is_none() {
                let selector = &rollout["spec"]["selector"]["matchLabels"];
                let service = services::made(&self.settings, &order.model, &name, selector, open);
                self.namespace.create(Kind::Service, &service, Write::Real).await?;
            }
        }
        Ok(())
    }

    /// Lets requests in, or none.
    async fn open(&self, order: &Order, view: &View, open: Option<bool>) -> Result<(), Refusal> {
        let (Some(service), Some(open)) = (&view.stable, open) else { return Ok(()) };
        let change = if open {
            services::opened(service, self.settings.port)
        } else {
            services::closed(service, order.fence)
        };
        match change {
            Some(change) => {
                self.namespace.merge(Kind::Service, service, change, Write::Real).await.map(|_| ())
            }
            None => Ok(()),
        }
    }
}
