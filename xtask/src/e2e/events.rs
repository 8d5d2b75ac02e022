//! Every payload that GitHub publishes as an example gets an answer.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{node::Packages, process};

/// The examples, which the journeys under act take their payloads from too.
pub(super) const PACKAGE: (&str, &str) = ("e2e-webhooks", "@octokit/webhooks-examples@7.6.1");

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let packages = Packages::install(subject.workspace, PACKAGE.0, &[PACKAGE.1])?;
    let mut check = subject.workspace.command("python3");
    check.arg(subject.workspace.path("tests/e2e/webhook_examples.py")).arg(subject.tagship()?);
    check.arg(packages.path("node_modules/@octokit/webhooks-examples"));
    process::run(check)?;
    Ok(Ending::Passed)
}
