//! Deployments: one per rollout, found by its payload, with a status for every change.
//!
//! The host's own time of a status is when it arrived; when it was *written* stands in the fragment of its log's
//! address, where it disturbs nobody, so that a late status never hides a newer one.

use serde::Deserialize;
use serde_json::{Value, json};
use tagship_domain::{Timestamp, rollout::DeploymentState};
use tagship_ports::{PortError, Problem, forge::DeploymentStatus};

use crate::{
    GitHub,
    call::Call,
    error::{CallError, Reason},
};

/// Longest description, in characters.
pub(crate) const DESCRIPTION: usize = 140;
/// How many of an environment's earlier deployments are looked at for one that still counts as serving.
const EARLIER: usize = 30;
const NEEDS: &str = "deployments: write";
/// In front of the time in the fragment of a log's address.
const FRAGMENT: &str = "#tagship-";

#[derive(Debug, Clone, Deserialize)]
struct Deployment {
    id: u64,
    #[serde(default)]
    payload: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Status {
    id: u64,
    state: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    log_url: Option<String>,
}

impl GitHub {
    pub(crate) async fn set_deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        let about = format!("set the deployment of {} to {}", status.release.model, status.environment);
        let all = self.deployments_in(status, &about).await?;
        let mut of_rollout: Vec<&Deployment> = all.iter().filter(|one| is_of_rollout(one, status)).collect();
        of_rollout.sort_by_key(|one| one.id);
        let (own, last) = match of_rollout.first() {
            Some(own) => (own.id, self.last_status(own.id, &about).await?),
            None => {
                let (own, is_new) = self.first_deployment(status, &about).await?;
                (own, if is_new { None } else { self.last_status(own, &about).await? })
            }
        };
        let recorded = last.as_ref().and_then(written);
        if recorded.is_some_and(|recorded| recorded > status.at) {
            return Ok(());
        }
        if !last.is_some_and(|last| is_said(&last, status)) {
            self.add_status(own, status, status.state, &about).await?;
        }
        // Two runs that created it at once: the first one stays.
        for double in of_rollout.iter().skip(1) {
            match self.end(double.id, status, &about, |_whatever| true).await {
                // Whoever made it has removed it meanwhile.
                Err(error) if error.reason == Reason::Missing => {}
                Err(error) => return Err(error.into()),
                Ok(_) => self.remove_deployment(double.id, &about).await?,
            }
        }
        if status.state == DeploymentState::Success {
            let mut earlier: Vec<&Deployment> =
                all.iter().filter(|one| is_of_model(one, status) && !is_of_rollout(one, status)).collect();
            earlier.sort_by_key(|one| std::cmp::Reverse(one.id));
            for other in earlier.into_iter().take(EARLIER) {
                // Failed ones never served; running ones are led by their own rollout.
                if !self.end(other.id, status, &about, |state| state == Some("success")).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Every deployment of the environment.
    async fn deployments_in(
        &self,
        status: &DeploymentStatus,
        about: &str,
    ) -> Result<Vec<Deployment>, CallError> {
        let path = self.client.repo(&["deployments"]);
        let call = Call::get(about, path).query("environment", status.environment.as_str()).needs(NEEDS);
        self.client.list(call, None).await
    }

    /// Creates the deployment. Of several runs that do so at once the first one's stays, and the others end their own.
    /// Answers the one that counts, and whether it is the one created here.
    async fn first_deployment(
        &self,
        status: &DeploymentStatus,
        about: &str,
    ) -> Result<(u64, bool), CallError> {
        let created = self.create_deployment(status, about).await?.id;
        let all = self.deployments_in(status, about).await?;
        let of_rollout = all.iter().filter(|one| is_of_rollout(one, status)).map(|one| one.id);
        let first = of_rollout.fold(created, u64::min);
        if first != created {
            self.add_status(created, status, DeploymentState::Inactive, about).await?;
            self.remove_deployment(created, about).await?;
        }
        Ok((first, first == created))
    }

    /// Removes a deployment that is inactive. One that the host keeps, as it keeps a newer one's, disturbs nobody.
    async fn remove_deployment(&self, deployment: u64, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["deployments", &deployment.to_string()]);
        match self.client.send(&Call::delete(about, path).needs(NEEDS)).await {
            Err(error) if !matches!(error.reason, Reason::Missing | Reason::Unprocessable) => Err(error),
            _ => Ok(()),
        }
    }

    async fn create_deployment(
        &self,
        status: &DeploymentStatus,
        about: &str,
    ) -> Result<Deployment, CallError> {
        let release = &status.release;
        let body = json!({
            // A commit, never a branch: the host would merge or wait for checks of what moves on.
            "ref": release.commit.as_str(),
            "auto_merge": false,
            "required_contexts": [],
            "task": "deploy",
            "environment": status.environment.as_str(),
            "production_environment": status.environment.as_str() == "production",
            "transient_environment": false,
            "description": shortened(&release.to_string()),
            "payload": {
                "tagship": {
                    "rollout": status.rollout.0,
                    "model": release.model,
                    "version": release.version,
                    "digest": release.digest,
                },
            },
        });
        let call = Call::create(about, self.client.repo(&["deployments"]), body).needs(NEEDS);
        let find = || async {
            let mut all = self.deployments_in(status, about).await?;
            all.retain(|one| is_of_rollout(one, status));
            Ok(all.into_iter().min_by_key(|one| one.id))
        };
        self.client.create(&call, find).await
    }

    /// The newest status.
    async fn last_status(&self, deployment: u64, about: &str) -> Result<Option<Status>, CallError> {
        let path = self.client.repo(&["deployments", &deployment.to_string(), "statuses"]);
        let call = Call::get(about, path).query("per_page", "10").needs(NEEDS);
        let statuses: Vec<Status> = self.client.fetch(&call).await?;
        Ok(statuses.into_iter().max_by_key(|status| status.id))
    }

    /// Makes a deployment inactive whose state is one of those. False where it was inactive already, so that
    /// everything before it is too.
    async fn end(
        &self,
        deployment: u64,
        by: &DeploymentStatus,
        about: &str,
        ends: fn(Option<&str>) -> bool,
    ) -> Result<bool, CallError> {
        let last = self.last_status(deployment, about).await?;
        let state = last.as_ref().map(|last| last.state.as_str());
        if state == Some("inactive") {
            return Ok(false);
        }
        if ends(state) && last.as_ref().and_then(written).is_none_or(|written| written <= by.at) {
            self.add_status(deployment, by, DeploymentState::Inactive, about).await?;
        }
        Ok(true)
    }

    async fn add_status(
        &self,
        deployment: u64,
        status: &DeploymentStatus,
        state: DeploymentState,
        about: &str,
    ) -> Result<(), CallError> {
        let own = state == status.state;
        let description =
            if own { status.description.clone() } else { format!("{} serves", status.release.version) };
        let mut body = json!({
            "state": state,
            "environment": status.environment.as_str(),
            "description": shortened(&description),
            "log_url": self.log_url(status),
            // The host would end those of other models too, and none in production.
            "auto_inactive": false,
        });
        // Before that, what is reached there is another version.
        if let (Some(url), DeploymentState::Success) = (&status.url, state) {
            body["environment_url"] = Value::from(url.as_str());
        }
        let path = self.client.repo(&["deployments", &deployment.to_string(), "statuses"]);
        let call = Call::create(about, path, body).needs(NEEDS);
        let find = || async {
            let last = self.last_status(deployment, about).await?;
            let wanted = DeploymentStatus { state, description: description.clone(), ..status.clone() };
            Ok(last.filter(|last| is_said(last, &wanted)))
        };
        self.client.create::<Status, _, _>(&call, find).await.map(|_| ())
    }

    fn log_url(&self, status: &DeploymentStatus) -> String {
        let settings = &self.client.settings;
        let page = settings.run_url.clone().unwrap_or_else(|| {
            let server = settings.server_url.trim_end_matches('/');
            format!("{server}/{}/commit/{}", settings.repository, status.release.commit)
        });
        format!("{page}{FRAGMENT}{}", status.at.as_millis())
    }

    /// Nothing may be deployed to an environment whose name the host would not keep.
    pub(crate) fn check_environment(status: &DeploymentStatus) -> Result<(), PortError> {
        let name = status.environment.as_str();
        if name.chars().count() > 255 {
            let message = "an environment's name has at most 255 characters";
            return Err(PortError::new(Problem::Invalid, format!("deploy to {name}"), message));
        }
        Ok(())
    }
}

fn is_of_rollout(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    text(deployment, "rollout") == Some(&status.rollout.0) && is_of_model(deployment, status)
}

fn is_of_model(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    text(deployment, "model") == Some(status.release.model.as_str())
}

fn text<'a>(deployment: &'a Deployment, field: &str) -> Option<&'a str> {
    deployment.payload.get("tagship")?.get(field)?.as_str()
}

/// When a status was written; absent where it is not ours.
fn written(status: &Status) -> Option<Timestamp> {
    let (_, millis) = status.log_url.as_deref()?.rsplit_once(FRAGMENT)?;
    Timestamp::from_millis(millis.parse().ok()?).ok()
}

/// Whether a status says exactly this already.
fn is_said(there: &Status, status: &DeploymentStatus) -> bool {
    json!(status.state) == json!(there.state)
        && there.description.as_deref() == Some(&shortened(&status.description))
        && written(there) == Some(status.at)
}

/// The first characters of a description, as many as the host takes.
pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(DESCRIPTION - 1).chain(['…']).collect()
}
