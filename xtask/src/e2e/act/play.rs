//! One run of a workflow by act: started, waited for or killed, and what it left in its log.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::NamedTempFile;

/// How often a run is asked whether it has ended, ten times a second: a quarter of an hour.
const LONGEST: usize = 9000;

/// A run that has not ended. Dropping it ends it with everything that it started.
pub(super) struct Play {
    child: Child,
    log: NamedTempFile,
}

/// A run that has ended.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Whether every job succeeded.
    pub(super) succeeded: bool,
    /// How each job ended that began, by its workflow and name: `success`, `failure`.
    pub(super) jobs: BTreeMap<String, String>,
    /// Outputs of the steps that the workflow names by an id: `id.output`.
    pub(super) outputs: BTreeMap<String, String>,
    /// Everything that steps wrote into the job summary.
    pub(super) summary: String,
    /// What steps printed.
    pub(super) log: String,
}

impl Play {
    /// Starts a command of act, in a group of its own so that nothing of it outlives a kill.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let log = NamedTempFile::new()?;
        command.stdin(Stdio::null()).stdout(log.reopen()?).stderr(log.reopen()?).process_group(0);
        let child = command.spawn().context("start act")?;
        Ok(Self { child, log })
    }

    /// Waits for its end.
    #[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
    pub(super) fn wait(mut self) -> Result<Played> {
        for _ in 0..LONGEST {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Played { succeeded: status.success(), ..Played::read(self.log.path())? });
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the run does not end:\n{}", Played::read(self.log.path())?.log)
    }

    /// Kills it, as a machine that is lost.
    pub(super) fn kill(mut self) -> Result<Played> {
        self.end();
        Played::read(self.log.path())
    }

    /// Whether it still runs.
    pub(super) fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    fn end(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.end();
    }
}

impl Played {
    fn read(log: &Path) -> Result<Self> {
        let text = fs::read(log).context("read the log of act")?;
        let mut played = Self::default();
        for line in String::from_utf8_lossy(&text).lines() {
            match serde_json::from_str(line) {
                Ok(entry) => played.take(&entry),
                Err(_) => played.say(line),
            }
        }
        Ok(played)
    }

    fn take(&mut self, entry: &Value) {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let job = text("job").to_owned();
        if let Some(result) = entry["jobResult"].as_str() {
            self.jobs.insert(job, result.to_owned());
        }
        // Steps inside of an action have a longer address; what they tell, the action tells again.
        let step =
            entry["stepID"].as_array().filter(|path| path.len() == 1).and_then(|path| path[0].as_str());
        match (text("command"), step) {
            ("set-output", Some(step)) => {
                self.outputs.insert(format!("{step}.{}", text("name")), text("arg").to_owned());
            }
            ("summary", Some(_)) => self.summary += text("content"),
            _ => {}
        }
        if entry["raw_output"] == true || entry["command"].is_string() || text("level") == "error" {
            self.say(text("msg").trim_end());
        }
    }

    fn say(&mut self, line: &str) {
        self.log += line;
        self.log.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_jobs_outputs_and_summary() {
        let mut played = Played::default();
        for line in [
            r#"{"job":"x/a","raw_output":true,"stepID":["g","run"],"msg":"hello\n"}"#,
            r#"{"job":"x/a","command":"set-output","stepID":["g","run"],"name":"decision","arg":"inner"}"#,
            r#"{"job":"x/a","command":"set-output","stepID":["g"],"name":"decision","arg":"go"}"#,
            r#"{"job":"x/a","command":"summary","stepID":["g"],"content":"one\n"}"#,
            r#"{"job":"x/a","jobResult":"success","msg":"done"}"#,
        ] {
            played.take(&serde_json::from_str(line).unwrap());
        }
        assert_eq!(played.jobs["x/a"], "success");
        assert_eq!(played.outputs["g.decision"], "go");
        assert_eq!(played.summary, "one\n");
        assert!(played.log.starts_with("hello\n"));
    }
}
