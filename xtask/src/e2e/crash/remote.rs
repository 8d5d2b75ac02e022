//! A remote that refuses a push by a rule, cannot write it, takes its time over it, takes it and loses the answer, or cannot be
//! read: hooks of git in the repository that is pushed to, and the program of its that is fetched from.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context as _, Result};

use super::{
    campaign::{Came, Played, Trial, play},
    invariants::{is_stuck, kept_and_completed, undone_and_told},
    points::spread,
    runners::{Extent, overtaken, way},
    scenario::{Router, Scenario},
    stage::Stage,
};

/// Scenarios whose remote is troubled.
const PLAYED: [&str; 5] = ["merge", "canary", "blue-green", "rollback", "supersede"];
/// Pushes of a scenario that fail again and again, and as many that take long; fetches that find no remote.
const SOME: usize = 5;
/// How often a remote fails that does so again and again.
const STUBBORN: usize = 3;

/// Counts pushes, and does at some of them what `FAULT` says. `HERE` is where the count is.
const PRE_RECEIVE: &str = r#"#!/bin/sh
read push <"HERE/pushes"
echo $((push + 1)) >"HERE/pushes"
[ "$push" -ge FIRST ] && [ "$push" -lt END ] || exit 0
echo remote >>"HERE/struck"
FAULT
"#;
const REFUSE: &str = "echo 'REASON' >&2; exit 1";
/// Why a push is refused.
const REASON: &str = "the remote is being looked after";
const FAIL: &str = r#": >"HERE/fail""#;
const SLOW: &str = r#": >"HERE/halted"; until [ -e "HERE/awake" ] || [ ! -d "HERE" ]; do sleep 0.02; done"#;
const LOSE: &str = r#": >"HERE/lose""#;
/// A ref that cannot be written; and whoever tells that it was written dies, when everyone can see it.
const TRANSACTION: &str = r#"#!/bin/sh
[ "$1" = prepared ] && [ -e "HERE/fail" ] && { rm "HERE/fail"; exit 1; }
[ "$1" = committed ] && [ -e "HERE/lose" ] && { rm "HERE/lose"; kill -9 $PPID; }
exit 0
"#;
/// Counts fetches, and is not there for one of them.
const UPLOAD_PACK: &str = r#"#!/bin/sh
read fetch <"HERE/fetches"
echo $((fetch + 1)) >"HERE/fetches"
[ "$fetch" = FIRST ] && { echo remote >>"HERE/struck"; exit 1; }
exec git-upload-pack "$@"
"#;

/// A fault of the remote.
#[derive(Clone, Copy)]
enum Fault {
    /// A rule of its refuses a push.
    Refuse,
    /// It cannot write so many pushes from this one on.
    Fail(usize),
    /// It takes a push, and the answer is lost.
    Lose,
    /// It takes so long over a push that another runner runs meanwhile.
    Slow,
    /// It cannot be fetched from.
    Away,
}

/// Whether its remote is troubled.
pub(super) fn plays(scenario: &Scenario) -> bool {
    scenario.router == Router::Serve && PLAYED.contains(&scenario.name)
}

/// A fault at every push, and some at some fetches.
pub(super) fn trials(played: &Played<'_>) -> Vec<Trial> {
    let all =
        |kind: &str| (0..played.acts.iter().filter(|act| act.starts_with(kind)).count()).collect::<Vec<_>>();
    let (pushes, fetches) = (all("git push"), all("git fetch"));
    let some = spread(&pushes, SOME);
    [
        (Fault::Refuse, pushes.clone()),
        (Fault::Fail(1), pushes.clone()),
        (Fault::Lose, pushes),
        (Fault::Fail(STUBBORN), some.clone()),
        (Fault::Slow, some),
        (Fault::Away, spread(&fetches, SOME)),
    ]
    .into_iter()
    .flat_map(|(fault, at)| at.into_iter().map(move |at| trial(fault, at)))
    .collect()
}

fn trial(fault: Fault, at: usize) -> Trial {
    let what = match fault {
        Fault::Refuse => format!("push {at} refused"),
        Fault::Fail(times) => format!("{times} pushes failed from number {at} on"),
        Fault::Lose => format!("the answer to push {at} lost"),
        Fault::Slow => format!("push {at} slow"),
        Fault::Away => format!("no remote for fetch {at}"),
    };
    let play = move |stage: &Stage<'_>, scenario: &Scenario| -> Result<Came> {
        install(stage, fault, at)?;
        match fault {
            Fault::Slow => {
                let (_, checkout) = way(at);
                overtaken(stage, scenario, Extent::Run, checkout)
            }
            // What a rule forbids is no accident: a rollout may go back for it, where it says why.
            Fault::Refuse => {
                let came = play(stage, scenario)?;
                if is_stuck(stage)? {
                    return kept_and_completed(stage, scenario, REASON).map(|()| Came::Explained);
                }
                let serves = stage.weights()?.get(scenario.serves) == Some(&100);
                if serves { Ok(came) } else { undone_and_told(stage, REASON).map(|()| Came::Explained) }
            }
            _ => play(stage, scenario),
        }
    };
    Trial { what, play: Box::new(play) }
}

fn install(stage: &Stage<'_>, fault: Fault, first: usize) -> Result<()> {
    let (words, times) = match fault {
        Fault::Refuse => (REFUSE, 1),
        Fault::Fail(times) => (FAIL, times),
        Fault::Lose => (LOSE, 1),
        Fault::Slow => (SLOW, 1),
        Fault::Away => ("", 0),
    };
    let here = stage.switch.search();
    let place = |path: &Path, text: &str| -> Result<()> {
        let text = text.replace("FIRST", &first.to_string()).replace("END", &(first + times).to_string());
        let text = text
            .replace("FAULT", words)
            .replace("REASON", REASON)
            .replace("HERE", &here.display().to_string());
        fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).context("make it executable")
    };
    for count in ["pushes", "fetches"] {
        fs::write(here.join(count), "0\n")?;
    }
    let hooks = stage.path("origin.git/hooks");
    fs::create_dir_all(&hooks)?;
    place(&hooks.join("pre-receive"), PRE_RECEIVE)?;
    place(&hooks.join("reference-transaction"), TRANSACTION)?;
    if let Fault::Away = fault {
        let program = here.join("upload-pack");
        place(&program, UPLOAD_PACK)?;
        let program = program.display().to_string();
        stage.git(&stage.clone(), &["config", "remote.origin.uploadpack", &program])?;
    }
    Ok(())
}
