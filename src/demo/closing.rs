//! The end: what was shown, and how the reader can look around.

use std::{path::Path, time::Duration};

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
    let program = stage.children.program();
    let look = [
        format!("cd {}", quoted(&clone)),
        format!("PATH={}:$PATH", quoted(program.parent().unwrap_or(program))),
        "tagship status".to_owned(),
        "tagship rollout explain --html why.html".to_owned(),
        "tagship registry show".to_owned(),
        "tagship registry history".to_owned(),
        format!("git log -p {}", journal_ref()),
        "cat .tagship/forge/comments/6-status.md".to_owned(),
    ];
    let serve = [
        format!("export {TOKEN_VARIABLE}=$(cat ../token)"),
        format!("tagship serve --state ../server --listen {inference} --admin-listen {admin} &"),
        format!("curl -d @../request.json http://{inference}{}", infer_path()),
        "tagship rollback --to v0.1.0".to_owned(),
    ];
    format!(
        "\nLook around:\n\n  {}\n\nServe again, ask, and move traffic:\n\n  {}",
        look.join("\n  "),
        serve.join("\n  ")
    )
}

/// A path as one word of a shell's command line.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if path.bytes().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_one_word() {
        assert_eq!(quoted(Path::new("/tmp/demo-1")), "/tmp/demo-1");
        assert_eq!(quoted(Path::new("/tmp/it's mine")), r"'/tmp/it'\''s mine'");
    }
}
