//! Metric source `command`: a value, or counts, from a program that prints JSON.
//!
//! The program is started by itself, never through a shell, with the variables that are named and nothing else; it has
//! a time, and what it prints is bounded. The question is on its standard input too.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tagship_domain::{Duration as Length, Timestamp, Version, tally::Tally, threshold::Point};
use tagship_ports::{PortError, Problem, Question, TallySource, ValueSource};

use super::{
    Opening,
    document::{Extract, Keys},
    fetch::Unusable,
    template::{self, Template},
};
use crate::{
    settings,
    targets::exec::{
        INHERITED,
        hook::{Hook, said},
    },
};

const WHAT: &str = "metric source command";
const DEFAULT_TIMEOUT: Length = Length::from_secs(30);
const SCHEMA: &str = "tagship/metric/v1";

/// Settings of metric source `command`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CommandSettings {
    /// The program and its arguments, with places for what the look is about.
    command: Vec<String>,
    /// Environment variables that it gets, beside those that every program needs.
    #[serde(default)]
    env: Vec<String>,
    /// Where the value is in what it prints.
    #[serde(default)]
    path: Option<String>,
    /// Where the count of bad observations is.
    #[serde(default)]
    bad: Option<String>,
    /// Where the count of all observations is.
    #[serde(default)]
    total: Option<String>,
    /// When it is ended.
    #[serde(default)]
    timeout: Option<Length>,
}

/// A program that prints JSON.
#[derive(Clone)]
pub struct CommandJson {
    hook: Hook,
    arguments: Vec<Template>,
    extract: Extract,
}

impl fmt::Debug for CommandJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandJson").field("command", &self.hook.command).finish_non_exhaustive()
    }
}

impl CommandJson {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let given: CommandSettings = settings::read(WHAT, opening.settings)?;
        if given.command.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(settings::wrong(WHAT, "`command` is empty")
                .hint("write the program and its arguments, e.g. `command: [scripts/p99.py, \"{{arm}}\"]`"));
        }
        if given.timeout == Some(Length::default()) {
            return Err(settings::wrong(WHAT, "a `timeout` of no time ends every command"));
        }
        let template = |text: &String| {
            Template::new(text).map_err(|why| settings::wrong(WHAT, format!("`command` {why}")))
        };
        let keys =
            Keys { path: given.path.as_deref(), bad: given.bad.as_deref(), total: given.total.as_deref() };
        let arguments = given.command[1..].iter().map(template).collect::<Result<_, _>>()?;
        let hook = Hook {
            command: given.command[..1].to_vec(),
            directory: absolute(opening.root),
            environment: environment(&given.env, opening.variable)?,
            timeout: given.timeout.unwrap_or(DEFAULT_TIMEOUT),
        };
        Ok(Self { hook, arguments, extract: Extract::of(WHAT, keys, opening.kind)? })
    }

    async fn document(&self, question: &Question<'_>) -> Result<Value, PortError> {
        let operation = format!("ask {} about {}", self.hook.command[0], question.version);
        let mut hook = self.hook.clone();
        for argument in &self.arguments {
            let filled = argument.fill(question, template::plain);
            let unfit = |why| PortError::new(Problem::Invalid, &operation, why);
            hook.command.push(filled.map_err(unfit)?);
        }
        let asked = json!({
            "schema": SCHEMA, "version": question.version, "candidate": question.candidate, "stable": question.stable,
            "from": question.from, "to": question.to,
        });
        let answered =
            hook.ask(&operation, asked.to_string().as_bytes()).await.map_err(|error| {
                match error.problem {
                    Problem::Unreachable => error.hint("raise `timeout`, or have it answer sooner"),
                    _ => error,
                }
            })?;
        let wrong = |message: String| PortError::new(Problem::Invalid, &operation, message);
        if answered.code != 0 {
            let message = format!("it ended with exit code {}{}", answered.code, said(&answered.log));
            return Err(wrong(message)
                .hint("exit with 0 where there is an answer; `null` says that there is no value"));
        }
        serde_json::from_slice(&answered.stdout).map_err(|error| {
            wrong(format!("it printed no JSON: {error}{}", said(&answered.log)))
                .hint("print one JSON document on stdout, and everything else on stderr")
        })
    }

    fn unusable(&self, unusable: Unusable, version: &Version) -> PortError {
        unusable.about(version, &self.hook.command[0])
    }
}

/// Where a program runs; a relative directory would be taken from wherever the program is started.
fn absolute(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}

fn environment(
    names: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, PortError> {
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), variable(name)?)));
    let mut environment: BTreeMap<String, String> = inherited.collect();
    for name in names {
        let value = settings::secret(WHAT, name, variable, "set it, or take it out of `env`")?;
        environment.insert(name.clone(), value.expose().clone());
    }
    Ok(environment)
}

#[async_trait]
impl ValueSource for CommandJson {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let document = self.document(question).await?;
        let value = self.extract.value(&document).map_err(|why| self.unusable(why, question.version))?;
        Ok(vec![Point { at: question.to, value }])
    }

    fn knows_the_past(&self) -> bool {
        self.arguments.iter().any(Template::says_when)
    }
}

#[async_trait]
impl TallySource for CommandJson {
    async fn tally(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError> {
        let question = Question { version, candidate: version, stable: None, from: at, to: at };
        let document = self.document(&question).await?;
        self.extract.tally(&document).map_err(|why| self.unusable(why, version))
    }

    fn knows_the_past(&self) -> bool {
        ValueSource::knows_the_past(self)
    }
}

#[cfg(test)]
mod tests;
