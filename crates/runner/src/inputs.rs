//! Inputs of an action, which its `action.yml` hands over as variables `TAGSHIP_*`, turned into arguments of the verb.
//!
//! One mechanism over the definition of the arguments: an input exists for every option of a verb that is an action.
//! They are read in a workflow only (`GITHUB_ACTIONS=true`), so that no variable on a laptop steers anything. What the
//! command line gives wins over the input of the same name and over inputs that contradict it.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, error::ErrorKind, parser::ValueSource};

use crate::{context::variable, error::Failure, manifest::Action};

/// Options that are no inputs: a step has no use for the answer's format, says itself how much it logs
/// (`RUNNER_DEBUG`), and waits unless it is told otherwise; what it remembers ends with its job.
const NOT_INPUTS: [&str; 5] = ["explain", "format", "no-cache", "verbose", "wait"];

/// The input that sets an argument, in kebab case.
pub(crate) fn input_of(arg: &Arg) -> Option<String> {
    let settable = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append | ArgAction::SetTrue);
    let name = arg.get_long().map_or_else(|| arg.get_id().as_str().replace('_', "-"), str::to_owned);
    (settable && !arg.is_hide_set() && !NOT_INPUTS.contains(&name.as_str())).then_some(name)
}

/// The variable that an action hands an input over in.
pub(crate) fn variable_of(input: &str) -> String {
    format!("TAGSHIP_{}", input.replace('-', "_").to_ascii_uppercase())
}

/// The arguments of a process together with those that its environment's inputs stand for.
///
/// # Errors
/// When an input is no value of its kind.
pub(crate) fn with_inputs(program: &Command, arguments: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let Some((command, begin)) = action(program, &arguments) else { return Ok(arguments) };
    let (before, given) = arguments.split_at(begin.min(arguments.len()));
    Ok([before, &expand(command, given, variable)?].concat())
}

/// The arguments of the action that a process was started as, and where what is given to it begins: after `tagship gate`,
/// `tagship-gate`, `tagship monitor check` or `tagship-monitor check`. Absent where it is none.
fn action<'a>(program: &'a Command, arguments: &[OsString]) -> Option<(&'a Command, usize)> {
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    let (verb, mut command, mut begin) = match program.get_name().strip_prefix("tagship-") {
        Some(verb) => (verb, program, 1),
        None => (word(1)?, program.find_subcommand(word(1)?)?, 2),
    };
    if let Some(question) = Action::of(verb)?.question {
        word(begin).filter(|word| *word == question)?;
        (command, begin) = (command.find_subcommand(question)?, begin + 1);
    }
    Some((command, begin))
}

/// The arguments of a verb, with one more for every input that is set and that they leave open.
fn expand(
    command: &Command,
    given: &[OsString],
    read: impl Fn(&str) -> Option<String>,
) -> Result<Vec<OsString>, Failure> {
    let (mut options, mut positional) = (vec![], vec![]);
    for arg in command.get_arguments() {
        let Some(input) = input_of(arg) else { continue };
        let value = read(&variable_of(&input)).map(|value| value.trim().to_owned());
        // A default that an action.yml repeats is no wish, so that it contradicts nothing.
        let Some(value) = value.filter(|value| !value.is_empty() && !is_default(arg, value)) else {
            continue;
        };
        let values = arguments_for(arg, &input, &value)?;
        if is_open(command, arg, given, &values) {
            if arg.is_positional() { &mut positional } else { &mut options }.extend(values);
        }
    }
    options.extend_from_slice(given);
    if !positional.is_empty() && !given.iter().any(|word| word == "--") {
        options.push("--".into());
    }
    options.extend(positional);
    Ok(options)
}

fn is_default(arg: &Arg, value: &str) -> bool {
    matches!(arg.get_default_values(), [default] if default == value) && arg.get_action().takes_values()
}

/// What an input is on the command line.
fn arguments_for(arg: &Arg, input: &str, value: &str) -> Result<Vec<OsString>, Failure> {
    let option = |value: &str| match arg.get_long() {
        Some(long) => OsString::from(format!("--{long}={value}")),
        None => value.into(),
    };
    match arg.get_action() {
        ArgAction::SetTrue => {
            Ok(if boolean(input, value)? { vec![format!("--{input}").into()] } else { vec![] })
        }
        // A list has an element on each line, or between commas where the option takes them.
        ArgAction::Append => {
            let elements = value.split(|c| c == '\n' || Some(c) == arg.get_value_delimiter());
            Ok(elements.map(str::trim).filter(|element| !element.is_empty()).map(option).collect())
        }
        _ => Ok(vec![option(value)]),
    }
}

/// What workflows write for yes and no.
fn boolean(input: &str, value: &str) -> Result<bool, Failure> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(Failure::usage(format!("input {input}: {value:?} is neither yes nor no"))
            .hint("write true, false, yes, no, 1 or 0")),
    }
}

/// Whether the given arguments neither set an argument already nor contradict it.
fn is_open(command: &Command, arg: &Arg, given: &[OsString], values: &[OsString]) -> bool {
    if given.is_empty() {
        return true;
    }
    let parse = |command: Command, more: &[OsString]| {
        let words = more.iter().chain(given).cloned();
        command.no_binary_name(true).try_get_matches_from(words)
    };
    // What is wrong with the given arguments is told when all are read.
    let matches = parse(command.clone().ignore_errors(true), &[]);
    let is_set = |matches: &clap::ArgMatches| {
        matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    if matches.is_ok_and(|matches| is_set(&matches)) {
        return false;
    }
    let contradicts = |more: &[OsString]| {
        parse(command.clone(), more).is_err_and(|error| error.kind() == ErrorKind::ArgumentConflict)
    };
    arg.is_positional() || contradicts(&[]) || !contradicts(values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::args::{Cli, MonitorArgs, RolloutArgs, RunArgs, Unfinished, ValidateArgs};

    fn expanded(command: &Command, given: &[&str], inputs: &[(&str, &str)]) -> Result<Vec<String>, Failure> {
        let inputs: BTreeMap<String, &str> =
            inputs.iter().map(|(input, value)| (variable_of(input), *value)).collect();
        let given: Vec<OsString> = given.iter().map(OsString::from).collect();
        let words = expand(command, &given, |name| inputs.get(name).map(|value| (*value).to_owned()))?;
        Ok(words.into_iter().map(|word| word.into_string().unwrap()).collect())
    }

    fn rollout(given: &[&str], inputs: &[(&str, &str)]) -> Vec<String> {
        expanded(&RolloutArgs::command(), given, inputs).unwrap()
    }

    #[test]
    fn an_input_is_an_argument_and_an_empty_one_is_none() {
        assert_eq!(
            rollout(&[], &[("model", "churn"), ("version", ""), ("metrics", " \n")]),
            ["--model=churn"]
        );
        let yes = ["true", "YES", "1", "True", "yes"];
        assert!(yes.iter().all(|yes| rollout(&[], &[("once", yes)]) == ["--once"]));
        let no = ["false", "No", "0"];
        assert!(no.iter().all(|no| rollout(&[], &[("once", no)]).is_empty()));
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_refused_with_its_name() {
        let refused = expanded(&RolloutArgs::command(), &[], &[("dry-run", "maybe")]).unwrap_err();
        assert!(refused.message.contains("dry-run") && refused.message.contains("maybe"), "{refused}");
        assert!(refused.to_string().contains("true, false, yes, no, 1 or 0"), "{refused}");
    }

    #[test]
    fn the_command_line_wins_over_its_input_and_over_a_contradicting_one() {
        assert_eq!(rollout(&["--model", "a"], &[("model", "b")]), ["--model", "a"]);
        assert_eq!(rollout(&["--abort"], &[("pause", "true"), ("version", "v1.0.0")]), ["--abort"]);
        assert_eq!(rollout(&["--all"], &[("version", "v1.0.0"), ("once", "1")]), ["--once", "--all"]);
        assert_eq!(rollout(&["--wait"], &[("once", "1")]), ["--wait"]);
        // Two inputs that contradict each other are the workflow's mistake, which parsing tells.
        let both = rollout(&[], &[("abort", "true"), ("pause", "true")]);
        assert!(RolloutArgs::try_parse_from([vec!["x".to_owned()], both].concat()).is_err());
    }

    #[test]
    fn a_default_that_a_manifest_repeats_is_no_wish() {
        assert_eq!(rollout(&[], &[("config", "tagship.yml"), ("time-budget", "30m")]), [""; 0]);
    }

    #[test]
    fn paths_come_one_per_line_and_states_between_commas() {
        let command = ValidateArgs::command();
        let words =
            expanded(&command, &[], &[("paths", "a b.onnx\n\n -c.onnx \n"), ("golden", "g")]).unwrap();
        assert_eq!(words, ["--golden=g", "--", "a b.onnx", "-c.onnx"]);
        let given = expanded(&command, &["mine.onnx"], &[("paths", "theirs.onnx")]).unwrap();
        assert_eq!(given, ["mine.onnx"]);
        let words = expanded(&RunArgs::command(), &[], &[("fail-on", "paused, running")]).unwrap();
        let args = RunArgs::try_parse_from([vec!["x".to_owned()], words].concat()).unwrap();
        assert_eq!(args.pace.fail_on, [Unfinished::Paused, Unfinished::Running]);
    }

    #[test]
    fn a_value_stays_a_value() {
        for hostile in ["--dry-run", "a --once", "$(id)", "`id`", "a;b", "*"] {
            assert_eq!(rollout(&[], &[("metrics", hostile)]), [format!("--metrics={hostile}")]);
        }
    }

    #[test]
    fn only_verbs_that_are_actions_have_inputs() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let status = words(&["tagship", "status"]);
        assert_eq!(with_inputs(&Cli::command(), status.clone()).unwrap(), status);
        let begin = |program: &Command, given: &[&str]| {
            action(program, &words(given)).map(|(command, begin)| (command.get_name().to_owned(), begin))
        };
        let (whole, small) = (Cli::command(), MonitorArgs::command());
        let check = |begin| Some(("check".to_owned(), begin));
        assert_eq!(begin(&whole, &["tagship", "gate"]), Some(("gate".to_owned(), 2)));
        assert_eq!(begin(&whole, &["tagship", "monitor", "check", "--dry-run"]), check(3));
        assert_eq!(begin(&small, &["tagship-monitor", "check"]), check(2));
        for none in [&["tagship", "monitor", "drift"][..], &["tagship", "monitor"], &["tagship"], &[]] {
            assert_eq!(begin(&whole, none), None, "{none:?}");
        }
        assert_eq!(begin(&small, &["tagship-monitor", "slo"]), None);
    }
}
