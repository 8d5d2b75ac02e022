//! The end: what was shown, and how the reader can look around.

use std::{fmt::Write as _, time::Duration};

use tagship_domain::Exit;
use tagship_runner::Failure;

use super::{
    fixtures::TOKEN_VARIABLE,
    inference::infer_path,
    repository::CLONE,
    stage::{Stage, journal_ref},
};

/// Stops the server and takes leave.
///
/// # Errors
/// When the server did not run until the end.
pub(super) async fn close(stage: Stage, keep: bool, took: Duration) -> Result<(), Failure> {
    let status = stage.quietly(&["status"], Exit::Done).await?;
    let guide = if keep { kept(&stage) } else { vanishing().to_owned() };
    let Stage { timeline, server, .. } = stage;
    server.stop().await?;
    timeline.end(&format!("Every act ended as told, in {:.1} s.", took.as_secs_f64()));
    timeline.verbatim(&format!("\n{}", status.out.trim_end()));
    timeline.verbatim(&guide);
    Ok(())
}

fn vanishing() -> &'static str {
    "\nLook around yourself: `tagship demo --keep` leaves everything in ./tagship-demo."
}

/// Commands that work in the kept directory, to be copied.
fn kept(stage: &Stage) -> String {
    let addresses = stage.server.addresses();
    let (inference, admin) = (addresses.inference, addresses.admin);
    let clone = stage.directory.at(CLONE);
    let programs = stage.children.program().parent().unwrap_or(stage.children.program());
    let mut text = String::from("\nLook around:\n\n");
    let mut command = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    command(format!("cd {}", clone.display()));
    command(format!("PATH={}:$PATH", programs.display()));
    command("tagship status".to_owned());
    command("tagship registry show".to_owned());
    command("tagship registry history".to_owned());
    command(format!("git log {}", journal_ref()));
    command("cat .tagship/forge/comments/2-status.md".to_owned());
    text.push_str("\nServe again, ask, and move traffic:\n\n");
    let mut command = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    command(format!("export {TOKEN_VARIABLE}=$(cat ../token)"));
    command(format!("tagship serve --state ../server --listen {inference} --admin-listen {admin} &"));
    command(format!("curl -d @../request.json http://{inference}{}", infer_path()));
    command("tagship rollback --to v0.2.0".to_owned());
    text
}
