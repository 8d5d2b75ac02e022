//! What a program that moves traffic keeps of the rules of its protocol.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{exit::Exit, gate::Outcome, name::ModelName, schema::Document};

/// The answer of `tagship target check`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HookReport {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The model that it was asked about.
    pub model: ModelName,
    /// How often the program was run.
    pub runs: u32,
    /// Every rule, in the order of the guide.
    pub rules: Vec<HookRule>,
    /// What of the check the program still holds; empty where it went as it should.
    pub left: Vec<String>,
}

/// One rule of the protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HookRule {
    /// Stable name.
    pub rule: String,
    /// What it asks of a program.
    pub promise: String,
    /// `successful`, `failed`, `not-applicable`, or `inconclusive` where the check did not get that far.
    pub outcome: Outcome,
    /// What was seen; empty where the rule is kept.
    pub message: String,
    /// The question that showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<serde_json::Value>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<HookAnswer>,
    /// What to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What a program answered, cleaned and cut for reading; values of the variables it was given are `***`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HookAnswer {
    /// Its exit code; absent where it was ended.
    pub exit_code: Option<i32>,
    /// What it printed as its answer.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl HookReport {
    /// The rules that came out like this.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &HookRule> {
        self.rules.iter().filter(move |rule| rule.outcome == outcome)
    }

    /// A broken rule is a negative verdict; a rule that was not reached is never a pass.
    pub fn exit(&self) -> Exit {
        let worst = self.rules.iter().map(|rule| rule.outcome).max();
        match worst {
            Some(Outcome::Failed) => Exit::Negative,
            Some(Outcome::Successful | Outcome::NotApplicable) if self.left.is_empty() => Exit::Done,
            _ => Exit::Incomplete,
        }
    }
}

impl Document for HookReport {
    const SCHEMA: &'static str = "tagship/hook-check/v1";
}
