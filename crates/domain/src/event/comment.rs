//! Commands in comments: `/tagship promote --environment production`.
//!
//! Only the first line counts, and it must begin with the prefix. What follows is a word and its arguments; a mistake is
//! part of the command, so that its author is answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Command;
use crate::{
    name::{Environment, ModelName},
    time::Timestamp,
    version::Version,
};

/// How a command begins.
pub const PREFIX: &str = "/tagship";

/// Every command with what it does, for `help` and for whoever mistypes one.
pub const USAGE: [(&str, &str); 10] = [
    ("promote", "lead the running rollout on to its next step, past what it waits for"),
    ("promote-full", "give the candidate all traffic now, past all steps and measurements"),
    ("pause", "hold the running rollout where it is"),
    ("resume", "let a paused rollout go on"),
    ("retry", "deploy again what failed or was rolled back"),
    ("abort", "stop the running rollout and go back to stable"),
    ("rollback [VERSION]", "go back to the previous or a named version"),
    ("lock [REASON]", "let nothing new into an environment"),
    (
        "unlock [REASON]",
        "let new versions in again; with a reason also past a rollout that could not go back",
    ),
    ("status", "say what every environment holds and which rollouts run"),
];

/// Longest first line that is read, in characters.
const LONGEST: usize = 500;

/// A command that someone wrote in a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentCommand {
    /// Number of the comment, to react to.
    pub comment: u64,
    /// The pull request it stands on; absent on anything else, e.g. a plain issue.
    pub pull_request: Option<u64>,
    /// Login of the person who wrote it; what programs write is never a command.
    pub author: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// What it asks for.
    pub asked: Asked,
}

/// What a command line asks for, or why that is not clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// It is understood.
    For(CommentRequest),
    /// It is not; a sentence that says what is wrong and what there is.
    Unclear(String),
}

/// What a comment asks for, and about what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRequest {
    /// What.
    pub ask: Ask,
    /// Only this model.
    pub model: Option<ModelName>,
    /// Only this environment.
    pub environment: Option<Environment>,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Ask {
    /// Do something to a rollout, or begin one.
    Do {
        /// What.
        command: Command,
        /// The version it is about.
        version: Option<Version>,
    },
    /// Let nothing new into an environment.
    Lock {
        /// Why; empty where nobody said.
        reason: String,
    },
    /// Let new versions in again.
    Unlock {
        /// Why; needed where a rollout could not go back.
        reason: String,
    },
    /// Say how things stand.
    Status,
    /// Say what there is to ask for.
    Help,
}

impl Asked {
    /// Reads the first line of a comment; `None` where the comment is no command.
    pub fn read(body: &str) -> Option<Self> {
        let line = body.lines().next().unwrap_or_default().trim();
        let rest = line.strip_prefix(PREFIX)?;
        if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            return None;
        }
        Some(match parse(rest) {
            Ok(request) => Self::For(request),
            Err(problem) => Self::Unclear(problem),
        })
    }
}

impl Ask {
    /// Whether it only asks for words: it changes nothing.
    pub fn is_question(&self) -> bool {
        matches!(self, Self::Status | Self::Help)
    }
}

fn parse(rest: &str) -> Result<CommentRequest, String> {
    if rest.chars().count() > LONGEST {
        return Err(format!("the line is longer than {LONGEST} characters"));
    }
    let mut words = rest.split_whitespace();
    let name = words.next().unwrap_or("help").to_ascii_lowercase();
    let (mut model, mut environment, mut arguments) = (None, None, vec![]);
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        match option {
            "--model" => {
                let value = value.or_else(|| words.next());
                set(&mut model, option, value, |text| {
                    ModelName::new(text).map_err(|error| error.to_string())
                })?;
            }
            "--environment" => {
                let value = value.or_else(|| words.next());
                set(&mut environment, option, value, |text| {
                    Environment::new(text).map_err(|error| error.to_string())
                })?;
            }
            option if option.starts_with("--") => {
                return Err(format!("{option} is no option; there is --model and --environment"));
            }
            _ => arguments.push(word),
        }
    }
    Ok(CommentRequest { ask: ask(&name, &arguments)?, model, environment })
}

fn set<T>(
    slot: &mut Option<T>,
    option: &str,
    value: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<(), String> {
    let value = value.ok_or_else(|| format!("{option} needs a name"))?;
    match slot.replace(read(value)?) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is given twice")),
    }
}

fn ask(name: &str, arguments: &[&str]) -> Result<Ask, String> {
    let ask = match name {
        "lock" => return Ok(Ask::Lock { reason: arguments.join(" ") }),
        "unlock" => return Ok(Ask::Unlock { reason: arguments.join(" ") }),
        "rollback" => {
            let version = arguments.first().map(|text| text.parse::<Version>());
            let version = version.transpose().map_err(|error| error.to_string())?;
            if arguments.len() > 1 {
                return Err(format!("rollback takes one version, not {:?}", arguments.join(" ")));
            }
            return Ok(Ask::Do { command: Command::Rollback, version });
        }
        "status" => Ask::Status,
        "help" => Ask::Help,
        // A deployment begins with a merge, a tag or a workflow started by hand.
        other => match other.parse::<Command>() {
            Ok(command) if command != Command::Deploy => Ask::Do { command, version: None },
            _ => {
                let known: Vec<&str> =
                    USAGE.iter().filter_map(|(usage, _)| usage.split(' ').next()).collect();
                return Err(format!("{other:?} is no command; there is {}, help", known.join(", ")));
            }
        },
    };
    if arguments.is_empty() { Ok(ask) } else { Err(format!("{name} takes no {:?}", arguments.join(" "))) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(body: &str) -> CommentRequest {
        match Asked::read(body) {
            Some(Asked::For(request)) => request,
            other => panic!("{body:?}: {other:?}"),
        }
    }

    fn problem(body: &str) -> String {
        match Asked::read(body) {
            Some(Asked::Unclear(problem)) => problem,
            other => panic!("{body:?}: {other:?}"),
        }
    }

    #[test]
    fn every_command_of_the_help_is_understood() {
        for (usage, _) in USAGE {
            let name = usage.split(' ').next().unwrap();
            assert!(matches!(Asked::read(&format!("/tagship {name}")), Some(Asked::For(_))), "{name}");
        }
        assert_eq!(request("/tagship").ask, Ask::Help);
        assert_eq!(
            request("/tagship Promote-Full\r\nthanks").ask,
            Ask::Do { command: Command::PromoteFull, version: None }
        );
    }

    #[test]
    fn arguments_stand_anywhere_on_the_first_line() {
        let asked = request("/tagship rollback --model churn v1.2.0 --environment=production");
        assert_eq!(
            asked.ask,
            Ask::Do { command: Command::Rollback, version: Some("v1.2.0".parse().unwrap()) }
        );
        assert_eq!(asked.model.unwrap().as_str(), "churn");
        assert_eq!(asked.environment.unwrap().as_str(), "production");
        let asked = request("/tagship lock --environment production  incident   #12\nmore");
        assert_eq!(asked.ask, Ask::Lock { reason: "incident #12".to_owned() });
    }

    #[test]
    fn only_the_first_line_and_the_whole_prefix_count() {
        for body in [
            "",
            "hello",
            "hello\n/tagship promote",
            "\n/tagship promote",
            "/tagshipper promote",
            "> /tagship promote",
        ] {
            assert_eq!(Asked::read(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_mistake_is_answered_with_what_there_is() {
        assert!(problem("/tagship promot").contains("promote, promote-full, pause"));
        assert!(problem("/tagship deploy").contains("no command"), "a comment begins no deployment");
        assert!(problem("/tagship rollback latest").contains("latest"));
        assert!(problem("/tagship rollback v1.0.0 v1.1.0").contains("one version"));
        assert!(problem("/tagship promote now").contains("takes no"));
        assert!(problem("/tagship promote --env production").contains("--environment"));
        assert!(problem("/tagship promote --model").contains("needs a name"));
        assert!(problem("/tagship promote --model a --model b").contains("twice"));
        assert!(problem(&format!("/tagship lock {}", "x".repeat(1000))).contains("500"));
    }

    proptest! {
        #[test]
        fn no_comment_is_too_strange(body in any::<String>(), rest in ".{0,80}") {
            let _ = Asked::read(&body);
            let command = format!("/tagship {rest}");
            prop_assert!(Asked::read(&command).is_some());
        }
    }
}
