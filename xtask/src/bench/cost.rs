//! What a program costs: processor time and the most memory it held, as Linux counts them; and wall time.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::process::shown;

/// How often a running program is asked for its memory.
const LOOK: Duration = Duration::from_millis(2);

/// What one run cost, on average over the runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Processor seconds, user and system, of the program and all that it waited for.
    pub(super) cpu: f64,
    /// Most bytes resident at once, in any run. The program itself only, not its children.
    pub(super) memory: u64,
}

/// Runs a program `times` times, which must succeed every time.
pub(super) fn of(make: impl Fn() -> Command, times: u32) -> Result<Cost> {
    let before = spent_by_children()?;
    let mut memory = 0;
    for _ in 0..times {
        memory = memory.max(watched(make())?);
    }
    Ok(Cost { cpu: (spent_by_children()? - before) / f64::from(times), memory })
}

/// Runs a program to its end and answers the most memory it held.
#[allow(clippy::disallowed_methods, reason = "another process is watched while it runs")]
fn watched(mut command: Command) -> Result<u64> {
    let name = shown(&command);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("start {name}"))?;
    let mut memory = 0;
    // A mark that only rises: what is missed is what the last moments before the end add.
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("wait for {name}"))? {
            break status;
        }
        memory = memory.max(high_water(child.id()).unwrap_or(0));
        std::thread::sleep(LOOK);
    };
    if status.success() { Ok(memory) } else { bail!("{name}: {status}") }
}

/// Wall seconds of a run that is not watched, so that nothing but the program itself is timed; the least of some.
pub(super) fn least_wall(make: impl Fn() -> Command, times: u32) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..times {
        let mut command = make();
        let name = shown(&command);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let began = Instant::now();
        let status = command.status().with_context(|| format!("start {name}"))?;
        least = least.min(began.elapsed().as_secs_f64());
        if !status.success() {
            bail!("{name}: {status}");
        }
    }
    Ok(least)
}

/// `VmHWM` of a process, in bytes.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// Processor seconds of all children that were waited for so far: `cutime` and `cstime` of proc(5). The kernel sums
/// them up finer than it shows them, so a mean over many short runs is exact enough.
fn spent_by_children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("read /proc/self/stat; this needs Linux")?;
    let ticks = children_ticks(&stat).context("/proc/self/stat reads otherwise than proc(5) says")?;
    #[allow(clippy::cast_precision_loss, reason = "ticks of a few hours")]
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Fields 16 and 17; the name of the program, field 2, may hold spaces and parentheses.
fn children_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_children_is_read_whatever_the_program_is_called() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 40 2 20 0 1 0 100";
        assert_eq!(children_ticks(stat), Some(42));
        assert_eq!(children_ticks("7 (a"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_fails_is_no_measurement() {
        let error = of(|| Command::new("false"), 1).unwrap_err();
        assert!(error.to_string().contains("false"), "{error}");
        assert!(of(|| Command::new("true"), 3).is_ok());
    }
}
