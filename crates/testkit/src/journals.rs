//! Journals of rollouts in bulk, for what has to hold for many of them.

use std::fmt::Write as _;

use crate::{Cli, Repository};

/// Gives every named model a journal of one entry: what the newest entry of another journal says, about that model.
///
/// `like` is the model of the journal that is copied; its name must stand for nothing else in a state.
#[track_caller]
pub fn copy(repository: &Repository, environment: &str, like: &str, models: &[String]) {
    let journal = |model: &str| format!("refs/tagship/rollouts/{environment}/{model}");
    let state = repository.git(&["show", &format!("{}:rollout.json", journal(like))]);
    let mut commands = String::new();
    for model in models {
        let state = state.replace(&format!("\"{like}\""), &format!("\"{model}\""));
        write_entry(&mut commands, &journal(model), &state);
    }
    import(repository, &commands);
}

/// Gives a model a journal whose newest entry holds something that is no state.
#[track_caller]
pub fn spoil(repository: &Repository, environment: &str, model: &str) {
    let mut commands = String::new();
    write_entry(&mut commands, &format!("refs/tagship/rollouts/{environment}/{model}"), "no state");
    import(repository, &commands);
}

fn write_entry(commands: &mut String, reference: &str, state: &str) {
    let (message, length) = ("Copied", state.len());
    let _ = writeln!(commands, "commit {reference}\ncommitter Ada <ada@example.com> 1767268800 +0000");
    let _ = writeln!(commands, "data {}\n{message}", message.len());
    let _ = writeln!(commands, "M 100644 inline rollout.json\ndata {length}\n{state}");
    let _ = writeln!(commands, "M 100644 inline measurements.jsonl\ndata 0\n");
}

#[track_caller]
fn import(repository: &Repository, commands: &str) {
    let import = Cli::new("git").args(["fast-import", "--quiet", "--force"]);
    import.current_dir(repository.path()).stdin(commands).run().assert_code(0);
}
