//! `tagship status`.

use serde_json::json;
use tagship_domain::Exit;
use tagship_release as release;
use tagship_report::terminal;
use tagship_runner::Failure;

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, recorded},
    workspace::Workspace,
};

pub(crate) async fn run(workspace: &Workspace) -> Result<Answer, Failure> {
    let registry = workspace.registry().await?;
    let (mut rows, mut places) = (vec![], vec![]);
    for (name, model, environment, settings) in workspace.places() {
        let place = Place { name, model, environment, settings };
        let current = release::current(&registry, name, environment).map_err(failed)?;
        let rollout = recorded(workspace, place).await?;
        let holds = current.as_ref().map_or_else(|| "-".to_owned(), |current| current.version.to_string());
        let told = rollout.as_ref().map_or_else(
            || "never deployed".to_owned(),
            |state| format!("{} {}: {}", state.candidate.version, state.phase, state.message),
        );
        rows.push(vec![name.to_string(), environment.to_string(), holds, told]);
        places.push(
            json!({ "model": name, "environment": environment, "current": current, "rollout": rollout }),
        );
    }
    let text = if rows.is_empty() {
        "no environment is configured\n".to_owned()
    } else {
        terminal::table(&["MODEL", "ENVIRONMENT", "HOLDS", "LAST ROLLOUT"], &rows, &workspace.style())
    };
    Ok(Answer::plain(Exit::Done, "shown", "done", text, json!({ "places": places }).to_string()))
}
