//! Questions on a terminal. Each has an answer that Enter takes.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use tagship_domain::{Environment, ModelName};
use tagship_runner::{Context, Failure, args::InitArgs};

use super::propose::Proposal;

/// Whether somebody is there who can answer.
pub(super) fn may_ask(args: &InitArgs, context: &Context) -> bool {
    !args.yes && !args.dry_run && !context.hosted && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for the model's name and for what serves it.
///
/// # Errors
/// When an answer is not usable, or the terminal goes away.
pub(super) fn confirm(proposal: &mut Proposal) -> Result<(), Failure> {
    let [model] = proposal.models.as_mut_slice() else { return Ok(()) };
    say(&format!("Found {} ({}).\n", model.artifact, model.format))?;
    let name = question("Name of the model", model.name.as_str())?;
    model.name = ModelName::new(name).map_err(Failure::usage)?;
    if proposal.server.is_none() {
        let url =
            question("Address of its model server (`tagship serve`), empty where there is none yet", "")?;
        if !url.is_empty() {
            let admin = question("Address of the server's control interface", "")?;
            proposal.server = Some((url, admin));
            let environment = question("Name of the environment", proposal.environment.as_str())?;
            proposal.environment = Environment::new(environment).map_err(Failure::usage)?;
        }
    }
    Ok(())
}

/// The answer, or the default where it is empty.
fn question(words: &str, default: &str) -> Result<String, Failure> {
    let offered = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    say(&format!("{words}{offered}: "))?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::incomplete(format!("read the answer: {error}")))?;
    let answer = line.trim();
    Ok(if answer.is_empty() { default } else { answer }.to_owned())
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::incomplete(format!("ask on the terminal: {error}")))
}
