//! Looking at what there is: the `InferenceService`, the notebook, and the newest revision, which is believed to be of a version
//! only if it says so itself. A version is loaded when its own server says that the model is.

use serde_json::Value;
use tagship_domain::ModelName;
use tagship_ports::{PortError, Problem};

use super::{
    KserveTarget, PORT,
    refusals::refuse_mode,
    settings::Mode,
    split::{Carried, Split, pods},
    view::{Newest, View},
};
use crate::{cluster::Kind, endpoint, owners::refuse_others, silence::Silence};

/// Where a revision says which bytes its pods load (`StorageInitializerSourceUriInternalAnnotationKey` of `KServe`).
const SOURCE: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";

impl KserveTarget {
    /// What there is, in whichever mode.
    pub(super) async fn look(
        &self,
        operation: &str,
        model: &ModelName,
        silence: Silence,
    ) -> Result<View, PortError> {
        let service = self.namespace.get(Kind::InferenceService, &self.settings.name).await?;
        if let Some(service) = &service {
            refuse_others(operation, Kind::InferenceService, service, model)?;
        }
        let notebook = self.namespace.get(Kind::ConfigMap, &self.settings.notebook()).await?;
        let mut view = match &self.settings.mode {
            Mode::Knative => View::new(model, service, notebook)?,
            Mode::Standard => {
                let split = self.split(service.as_ref(), silence).await?;
                View::with(model, service, notebook, split)?
            }
        };
        if view.memory.model != *model {
            let message = format!("ConfigMap {} is of model {}", self.settings.notebook(), view.memory.model);
            return Err(PortError::new(Problem::Conflict, operation, message)
                .hint("give each model a `name` of its own"));
        }
        if let Some(uri) = view.unknown() {
            let message = format!("storageUri {uri:?} is of no version that Tagship wrote");
            return Err(PortError::new(Problem::Conflict, operation, message)
                .hint("write the address of the version before back, or delete the InferenceService"));
        }
        match self.settings.mode {
            Mode::Knative => self.look_closer(operation, &mut view, silence).await?,
            Mode::Standard => self.ask_the_canary(operation, &mut view, silence).await?,
        }
        Ok(view)
    }

    /// What there is, in a mode in which shares mean what they say.
    pub(super) async fn see(&self, operation: &str, model: &ModelName) -> Result<View, PortError> {
        let view = self.look(operation, model, Silence::Fails).await?;
        view.service
            .as_ref()
            .map_or(Ok(()), |service| refuse_mode(operation, &service.object, self.settings.mode))?;
        Ok(view)
    }

    /// What the newest revision says of itself, and its server of the model.
    async fn look_closer(&self, operation: &str, view: &mut View, silence: Silence) -> Result<(), PortError> {
        let Some(created) = view.service.as_ref().and_then(|service| service.created.clone()) else {
            return Ok(());
        };
        let revision = silence.or(self.namespace.get(Kind::Revision, &created).await, None)?;
        let revision = revision.unwrap_or(Value::Null);
        let uri = revision["metadata"]["annotations"][SOURCE].as_str().unwrap_or_default().to_owned();
        view.said = Some(Newest { uri, answers: true });
        if view.must_answer() {
            let answers = silence.or(self.answers(operation, &private(&created)).await, false)?;
            view.said.iter_mut().for_each(|newest| newest.answers = answers);
        }
        Ok(())
    }

    /// What there is in Standard mode. A cluster without routes has none.
    async fn split(&self, service: Option<&Value>, silence: Silence) -> Result<Option<Split>, PortError> {
        let Some(service) = service else { return Ok(None) };
        let now = self.clock.now();
        let route = match self.namespace.get(Kind::Route, &self.settings.name).await {
            Err(error) if error.problem == Problem::Unsupported => None,
            Err(_) if silence == Silence::NotReady => {
                // The way back begins where a version served.
                let carried = Carried::Unsettled { was_taken: true };
                return Ok(Some(Split { carried, ..Split::read(service, None, now) }));
            }
            route => route?,
        };
        Ok(Some(Split::read(service, route.as_ref(), now)))
    }

    /// Asks the server of the canary, or of the first version before it is given traffic.
    async fn ask_the_canary(
        &self,
        operation: &str,
        view: &mut View,
        silence: Silence,
    ) -> Result<(), PortError> {
        let (Some(service), Some(split)) = (&view.service, &view.split) else { return Ok(()) };
        let asked = match &split.canary {
            Some(canary) => canary.is_called_ready.then_some(&canary.predictor),
            None => (service.hidden && service.is_current).then(|| &service.object["spec"]["predictor"]),
        };
        if let Some(predictor) = asked {
            let pods = pods(&self.settings.name, predictor);
            let answers = silence.or(self.answers(operation, &pods).await, false)?;
            view.split.iter_mut().for_each(|split| split.answers = answers);
        }
        Ok(())
    }

    async fn answers(&self, operation: &str, pods: &str) -> Result<bool, PortError> {
        let served_as = self.settings.served_as()?;
        let (namespace, model) = (&self.namespace, &served_as);
        endpoint::Service { namespace, name: pods, port: PORT, model, operation }.is_ready().await
    }
}

/// Knative's Service of the pods of a revision themselves; the other one asks for a header.
pub(super) fn private(revision: &str) -> String {
    format!("{revision}-private")
}
