//! Deployments that the host holds back until somebody lets them go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::Environment;

/// A run whose job may not deploy to an environment yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingApproval {
    /// The environment.
    pub environment: Environment,
    /// Where it can be approved.
    pub run: String,
    /// Who may, people by their login and teams as `team NAME`; empty where no person is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
}

impl PendingApproval {
    /// What is waited for, and who may do what about it.
    pub fn sentence(&self) -> String {
        let Self { environment, run, reviewers } = self;
        match reviewers.as_slice() {
            [] => format!(
                "a deployment to {environment} waits for a rule of the environment, a timer or another program; see {run}"
            ),
            [one] => {
                format!("a deployment to {environment} waits for approval: {one} may review it at {run}")
            }
            [others @ .., last] => format!(
                "a deployment to {environment} waits for approval: {} or {last} may review it at {run}",
                others.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_who_may_act_and_where() {
        let pending = |reviewers: &[&str]| PendingApproval {
            environment: Environment::new("production").unwrap(),
            run: "https://git.example.org/acme/shop/actions/runs/5".to_owned(),
            reviewers: reviewers.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (reviewers, words) in [
            (&[][..], "waits for a rule of the environment"),
            (&["ada"][..], "approval: ada may review it at https://git.example.org/acme/shop/actions/runs/5"),
            (&["ada", "bob", "team ml"][..], "approval: ada, bob or team ml may review it"),
        ] {
            let sentence = pending(reviewers).sentence();
            assert!(sentence.contains("production") && sentence.contains(words), "{sentence}");
        }
    }
}
