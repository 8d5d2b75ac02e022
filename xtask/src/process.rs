//! Running programs: loudly, or for their output.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Runs a command whose output goes to the terminal.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let shown = shown(&command);
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("start {shown}"))?;
    if status.success() { Ok(()) } else { bail!("{shown}: {status}") }
}

/// Runs tests whose output goes to the terminal. A filter that leaves none of them is a failure.
pub(crate) fn tests(mut command: Command) -> Result<()> {
    let shown = shown(&command);
    println!("$ {shown}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("start {shown}"))?;
    let mut ran = 0;
    let printed = child.stdout.take().map(BufReader::new);
    for line in printed.into_iter().flat_map(|printed| printed.split(b'\n')) {
        let line = line.with_context(|| format!("read what {shown} prints"))?;
        // A test may print anything.
        let line = String::from_utf8_lossy(&line);
        ran += passed(&line).unwrap_or(0);
        println!("{line}");
    }
    let status = child.wait().with_context(|| format!("wait for {shown}"))?;
    match (status.success(), ran) {
        (false, _) => bail!("{shown}: {status}"),
        (true, 0) => bail!("{shown}: no test was run"),
        (true, _) => Ok(()),
    }
}

/// How many tests passed, where a line tells the result of some.
fn passed(line: &str) -> Option<u32> {
    line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok()
}

/// Runs a command and answers what it printed.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let shown = shown(&command);
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("start {shown}"))?;
    if !done.status.success() {
        bail!("{shown}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr).trim_end());
    }
    String::from_utf8(done.stdout).with_context(|| format!("{shown} printed something else than text"))
}

/// A command as a person would type it, with the program's name alone.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let words =
        std::iter::once(name).chain(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(line: &str) -> Result<()> {
        let mut echo = Command::new("echo");
        echo.arg(line);
        tests(echo)
    }

    #[test]
    fn what_is_no_text_is_passed_through() {
        let mut printf = Command::new("printf");
        printf.arg("\\377\\ntest result: ok. 1 passed\\n");
        tests(printf).unwrap();
    }

    #[test]
    fn no_test_is_no_pass() {
        let line = |passed: u32| format!("test result: ok. {passed} passed; 0 failed; 5 ignored");
        assert!(printed(&line(12)).is_ok());
        for nothing in [line(0), String::new(), "test result: FAILED. 3 passed".to_owned()] {
            let error = printed(&nothing).unwrap_err().to_string();
            assert!(error.ends_with("no test was run"), "{error}");
        }
    }
}
