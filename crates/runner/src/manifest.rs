//! What each verb is as an action: its inputs, from the definition of its arguments, and the outputs that it sets.

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::{
    args::Cli,
    inputs::{input_of, variable_of},
};

/// A verb that is an action.
#[derive(Debug)]
pub struct Action {
    /// The verb, and the name of the action's folder.
    pub verb: &'static str,
    /// Which of the verb's own verbs it is, where it has some.
    pub question: Option<&'static str>,
    /// Name on the Marketplace; unique.
    pub title: &'static str,
    /// In a sentence, of at most 125 characters.
    pub description: &'static str,
    /// A Feather icon.
    pub icon: &'static str,
    /// A colour that `branding` knows.
    pub color: &'static str,
    /// Outputs besides [`COMMON_OUTPUTS`].
    pub outputs: &'static [Output],
}

/// An output of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
}

/// An input of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name, in kebab case.
    pub name: String,
    /// The variable that hands it over.
    pub variable: String,
    /// What it is for.
    pub description: String,
    /// What it is where nothing is given.
    pub default: Option<String>,
    /// What it may hold.
    pub kind: Kind,
}

/// What an input may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// One of some words.
    Word(Vec<String>),
    /// Texts, one per line.
    Lines,
    /// Some of some words, between commas.
    Words(Vec<String>),
}

/// What every action sets, on failure too.
pub const COMMON_OUTPUTS: [Output; 3] = [
    Output { name: "decision", description: "What came of it, in one word; `error` where it failed." },
    Output { name: "reason-code", description: "Why, in one stable word." },
    Output {
        name: "result",
        description: "The answer as a JSON document; where it is larger than 64 KB, without its larger parts and with `shortened: true`.",
    },
];

const RESULT_FILE: Output =
    Output { name: "result-file", description: "File with the same document, whatever its size." };
const VERSION: Output = Output { name: "version", description: "The version that was released." };
const DIGEST: Output = Output { name: "digest", description: "The sha256 digest of the released bytes." };
const MATRIX: Output = Output {
    name: "matrix",
    description: "What there is to do, as a JSON matrix of model and environment for `fromJSON`.",
};
const REPORT_FILE: Output = Output {
    name: "report-file",
    description: "File with the report for reviewers, for a later job with more rights to comment from.",
};

/// The verb of the action at the root of the repository.
pub const ROOT: &str = "run";

/// Every action, the one at the root first.
pub const ACTIONS: [Action; 9] = [
    Action {
        verb: ROOT,
        question: None,
        title: "Tagship",
        description: "Ship a model from git to production: validate, gate, release, roll out, and roll back what misbehaves.",
        icon: "anchor",
        color: "blue",
        outputs: &[RESULT_FILE, REPORT_FILE],
    },
    Action {
        verb: "decide",
        question: None,
        title: "Tagship decide",
        description: "Say what an event leads to, for every model and environment.",
        icon: "git-branch",
        color: "gray-dark",
        outputs: &[RESULT_FILE, MATRIX],
    },
    Action {
        verb: "validate",
        question: None,
        title: "Tagship validate",
        description: "Judge model files without running them, then run their golden cases.",
        icon: "shield",
        color: "orange",
        outputs: &[RESULT_FILE],
    },
    Action {
        verb: "gate",
        question: None,
        title: "Tagship gate",
        description: "Judge test reports and metrics, alone and against what serves now.",
        icon: "check-circle",
        color: "yellow",
        outputs: &[RESULT_FILE],
    },
    Action {
        verb: "release",
        question: None,
        title: "Tagship release",
        description: "Tag a version and store its bytes, once validation and gate have passed.",
        icon: "tag",
        color: "green",
        outputs: &[VERSION, DIGEST],
    },
    Action {
        verb: "rollout",
        question: None,
        title: "Tagship rollout",
        description: "Move an environment to a released version, step by step, or go on with a running rollout.",
        icon: "trending-up",
        color: "green",
        outputs: &[RESULT_FILE],
    },
    Action {
        verb: "rollback",
        question: None,
        title: "Tagship rollback",
        description: "Move an environment back to the previous or a named version.",
        icon: "rotate-ccw",
        color: "red",
        outputs: &[RESULT_FILE],
    },
    Action {
        verb: "monitor",
        question: Some("check"),
        title: "Tagship monitor",
        description: "Look at everything that is watched of a model, tell of what is bad, and undo what got worse under guard.",
        icon: "activity",
        color: "blue",
        outputs: &[RESULT_FILE],
    },
    Action {
        verb: "comment",
        question: None,
        title: "Tagship comment",
        description: "Bring the status comment of a pull request up to date.",
        icon: "message-square",
        color: "purple",
        outputs: &[],
    },
];

impl Action {
    /// The action of a verb.
    pub(crate) fn of(verb: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.verb == verb)
    }

    /// The words that it begins with: `gate`, `monitor check`.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.verb].into_iter().chain(self.question)
    }

    /// Its arguments, in the whole program.
    fn command<'a>(&self, program: &'a Command) -> Option<&'a Command> {
        self.words().try_fold(program, |command, word| command.find_subcommand(word))
    }

    /// Its inputs: an input for every option, then those of every action.
    pub fn inputs(&self) -> Vec<Input> {
        let mut program = Cli::command();
        program.build();
        let command = self.command(&program);
        let options = command.into_iter().flat_map(Command::get_arguments);
        options.filter_map(input).chain(common_inputs()).collect()
    }

    /// Everything that it sets.
    pub fn outputs(&self) -> impl Iterator<Item = &Output> {
        COMMON_OUTPUTS.iter().chain(self.outputs)
    }
}

fn input(arg: &Arg) -> Option<Input> {
    let name = input_of(arg)?;
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let default = match arg.get_default_values() {
        [default] if arg.get_action().takes_values() => default.to_str().map(str::to_owned),
        _ => None,
    };
    let kind = kind(arg);
    let what = match &kind {
        Kind::Lines => " One per line.".to_owned(),
        Kind::Word(words) => format!(" One of {}.", words.join(", ")),
        Kind::Words(words) => format!(" Some of {}, between commas.", words.join(", ")),
        Kind::Text | Kind::Integer | Kind::Boolean => String::new(),
    };
    let description = format!("{}.{what}", help.trim_end_matches('.'));
    Some(Input { variable: variable_of(&name), name, description, default, kind })
}

fn kind(arg: &Arg) -> Kind {
    let words = || -> Vec<String> {
        arg.get_possible_values().iter().map(|word| word.get_name().to_owned()).collect()
    };
    match arg.get_action() {
        ArgAction::SetTrue => Kind::Boolean,
        ArgAction::Append if arg.get_value_delimiter().is_some() => Kind::Words(words()),
        ArgAction::Append => Kind::Lines,
        _ if !words().is_empty() => Kind::Word(words()),
        _ if arg.get_value_parser().type_id()
            == clap::builder::ValueParser::from(clap::value_parser!(u64)).type_id() =>
        {
            Kind::Integer
        }
        _ => Kind::Text,
    }
}

/// Inputs of the step around the verb: which token it has, and where its program comes from (`actions/_run/run.sh`).
fn common_inputs() -> [Input; 4] {
    let input = |name: &str, description: &str, default: Option<&str>, kind: Kind| Input {
        name: name.to_owned(),
        variable: variable_of(name),
        description: description.to_owned(),
        default: default.map(str::to_owned),
        kind,
    };
    [
        input(
            "github-token",
            "The token for the repository's host; it never goes anywhere else.",
            Some("${{ github.token }}"),
            Kind::Text,
        ),
        input(
            "binary-dir",
            "Directory with the programs of a release, instead of downloading them; the variable TAGSHIP_BINARY_DIR by default.",
            None,
            Kind::Text,
        ),
        input(
            "download-base",
            "Address below which releases lie, for a mirror; the releases of tagship/tagship on github.com by default.",
            None,
            Kind::Text,
        ),
        input(
            "build",
            "Set to source to build the programs with cargo from the action's own checkout instead of downloading them.",
            None,
            Kind::Word(vec!["source".to_owned()]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_is_a_verb_with_inputs_and_fits_the_marketplace() {
        let mut titles = BTreeSet::new();
        for action in &ACTIONS {
            assert!(action.command(&Cli::command()).is_some(), "{}", action.verb);
            assert!(action.description.chars().count() <= 125, "{}", action.verb);
            assert!(titles.insert(action.title), "{}", action.title);
            let inputs = action.inputs();
            let names: BTreeSet<_> = inputs.iter().map(|input| &input.name).collect();
            assert_eq!(names.len(), inputs.len(), "{}", action.verb);
            assert!(inputs.iter().all(|input| input.description.len() > 3), "{}", action.verb);
            assert!(
                ["config", "model", "github-token"].iter().all(|name| names.contains(&(*name).to_owned()))
            );
            assert!(!names.contains(&"help".to_owned()) && !names.contains(&"format".to_owned()));
        }
    }

    #[test]
    fn kinds_follow_the_arguments() {
        let kind = |verb: &str, name: &str| {
            let action = ACTIONS.iter().find(|action| action.verb == verb).unwrap();
            action.inputs().into_iter().find(|input| input.name == name).map(|input| input.kind)
        };
        assert_eq!(kind("validate", "paths"), Some(Kind::Lines));
        assert_eq!(kind("comment", "pull-request"), Some(Kind::Integer));
        assert_eq!(kind("rollout", "dry-run"), Some(Kind::Boolean));
        assert_eq!(kind("run", "fail-on"), Some(Kind::Words(vec!["paused".into(), "running".into()])));
    }
}
