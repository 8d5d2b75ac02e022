//! Disks that run full at an act: that of the clone, with store and forge, that of the remote, or that of the model server.
//! Each is a small file system in memory, which only a mount namespace of one's own lets a person mount.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{
    campaign::{Came, Played, Trial, play},
    kills::place,
    model_server::until,
    points::{Deed, points, spread},
    scenario::Scenario,
    stage::Stage,
};
use crate::{process, workspace::Workspace};

/// Set for the process that runs in the namespace.
const INSIDE: &str = "TAGSHIP_SMALL_DISKS";
/// Scenarios, and whose disks run full; the model server's where no run waits, for one that waits gives up to unload what was
/// left, and says so.
const PLAYED: [(&str, &[&str]); 4] = [
    ("merge", &["clone", "origin.git"]),
    ("canary", &["clone", "origin.git", "serve"]),
    ("rollback", &["clone", "origin.git"]),
    ("supersede", &["clone", "origin.git", "serve"]),
];
/// Points of a scenario at which each disk runs full.
const POINTS: usize = 6;
/// A run that waits finds room after this long; one that does not wait has ended by then.
const FULL_FOR: Duration = Duration::from_millis(1500);
/// Room that a disk has beside what is on it already.
const ROOM: &str = "8m";
/// What takes it.
const BALLAST: &str = "ballast";

/// Whether its disks run full.
pub(super) fn plays(scenario: &Scenario) -> bool {
    !disks(scenario).is_empty()
}

fn disks(scenario: &Scenario) -> &'static [&'static str] {
    PLAYED.iter().find(|(name, _)| *name == scenario.name).map_or(&[], |(_, disks)| *disks)
}

/// Every disk of a scenario full at points all over it.
pub(super) fn trials(played: &Played<'_>) -> Vec<Trial> {
    let points = spread(&points(&played.acts), POINTS);
    let each = disks(played.scenario).iter().flat_map(|disk| points.iter().map(move |point| (*disk, *point)));
    each.map(|(disk, point)| full(disk, point, &place(&played.acts, point))).collect()
}

fn full(disk: &'static str, point: usize, place: &str) -> Trial {
    let play = move |stage: &Stage<'_>, scenario: &Scenario| -> Result<Came> {
        let mount = Mount::over(stage.path(disk))?;
        let ballast = mount.0.join(BALLAST);
        stage.hold(mount, ballast.clone());
        make_room(ballast.clone());
        stage.switch.arm(point, &Deed::Fill(ballast))?;
        play(stage, scenario)
    };
    Trial { what: format!("{disk} full {place}"), play: Box::new(play) }
}

/// Somebody makes room while a run waits for it.
fn make_room(ballast: PathBuf) {
    thread::spawn(move || {
        let _ = until("a full disk", || ballast.exists().then_some(()));
        let began = Instant::now();
        let _ = until("patience", || (began.elapsed() > FULL_FOR).then_some(()));
        let _ = fs::remove_file(ballast);
    });
}

/// A directory that became a small file system, for as long as its stage.
pub(super) struct Mount(PathBuf);

impl Mount {
    fn over(place: PathBuf) -> Result<Self> {
        let disk = place.with_extension("disk");
        fs::create_dir_all(&disk)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={ROOM}"), "tmpfs"]).arg(&disk);
        process::output(mount)?;
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(place.join(".")).arg(&disk);
        process::output(copy)?;
        let mut over = Command::new("mount");
        over.arg("--move").args([&disk, &place]);
        process::output(over)?;
        Ok(Self(place))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: whoever has files open there ends with the stage.
        let mut unmount = Command::new("umount");
        unmount.arg("--lazy").arg(&self.0);
        let _ = process::output(unmount);
    }
}

/// Whether this process may mount disks that nobody else sees.
pub(super) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Plays this part of a step in a namespace of its own; answers why not where the machine forbids it and nobody demands it.
pub(super) fn inside(workspace: &Workspace, step: &str) -> Result<Option<String>> {
    let namespace = |program: PathBuf| {
        let mut unshare = workspace.command("unshare");
        unshare.args(["--map-root-user", "--mount", "--propagation", "private"]).arg(program);
        unshare
    };
    if let Err(error) = process::output(namespace("true".into())) {
        let missing = format!("this machine lets no file system be mounted in a namespace: {error:#}");
        if std::env::var_os("CI").is_some_and(|value| value == "true") {
            bail!("{missing}");
        }
        return Ok(Some(missing));
    }
    let mut again = namespace(std::env::current_exe()?);
    again.args(["e2e", step]).env(INSIDE, "yes");
    process::run(again)?;
    Ok(None)
}
