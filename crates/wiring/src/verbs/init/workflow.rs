//! The text of the workflow.
//!
//! Two jobs, because rights belong to a job: a pull request gets what its comment needs, and what may write tags runs no
//! proposed change. Deliveries wait for each other and are never cancelled half-way; commands wait for no delivery, since
//! the journal keeps runs apart that meet.

use std::path::Path;

use tagship_runner::Failure;

use super::{
    config::{TOKEN, quoted},
    propose::Proposal,
};

/// The workflow, for a default branch.
///
/// # Errors
/// When the action is no `OWNER/NAME@REF`.
pub(super) fn render(
    action: &str,
    branch: &str,
    config: &Path,
    proposal: &Proposal,
) -> Result<String, Failure> {
    check(action)?;
    let secret = match proposal.server {
        Some(_) => format!("        env:\n          {TOKEN}: ${{{{ secrets.{TOKEN} }}}}\n"),
        None => String::new(),
    };
    let with = match config.to_str() {
        Some("tagship.yml") | None => String::new(),
        Some(path) => format!("        with:\n          config: {}\n", quoted(path)),
    };
    Ok(TEMPLATE
        .replace("%BRANCH%", &quoted(branch))
        .replace("%ACTION%", action)
        .replace("%WITH%\n", &with)
        .replace("%SECRET%\n", &secret))
}

fn check(action: &str) -> Result<(), Failure> {
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
    };
    match action.split_once('@') {
        Some((name, reference)) if plain(name) && name.contains('/') && plain(reference) => Ok(()),
        _ => Err(Failure::usage(format!("--action: {action:?} is no action"))
            .hint("write OWNER/NAME@REF, e.g. tagship/tagship@v1")),
    }
}

const TEMPLATE: &str = r#"# Judges what pull requests propose, and delivers what is merged. Written by `tagship init`.
name: tagship

on:
  pull_request:
  merge_group:
  push:
    branches: [%BRANCH%]
  issue_comment:            # commands: /tagship help; zizmor: ignore[dangerous-triggers] checks out the default branch only
    types: [created]
  schedule:
    - cron: "*/15 * * * *"  # rollouts that take longer than a run go on
  repository_dispatch:
    types: [model-version-created, tagship-continue]
  workflow_dispatch:
    inputs:
      command:
        description: What to do
        type: choice
        default: deploy
        options: [deploy, retry, rollback, abort, pause, resume, promote, promote-full]
      model:
        description: Only this model
      environment:
        description: Only this environment
      version:
        description: The version; what is checked out by default
      from:
        description: The environment whose version is deployed, instead of a version

permissions: {}

jobs:
  judge:
    name: judge what is proposed
    if: github.event_name == 'pull_request' || github.event_name == 'merge_group'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    concurrency:
      group: tagship-judge-${{ github.ref }}
      cancel-in-progress: true
    permissions:
      contents: read          # the checkout, tags and releases
      pull-requests: write    # the status comment
      checks: read            # checks that the gate asks for
      statuses: write         # the verdict beside the commit
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0      # versions are tags
          persist-credentials: false
      - uses: %ACTION%
%WITH%

  deliver:
    name: deliver what is merged
    if: >-
      github.event_name != 'pull_request' && github.event_name != 'merge_group' &&
      (github.event_name != 'issue_comment' || (github.event.issue.pull_request && startsWith(github.event.comment.body, '/tagship')))
    runs-on: ubuntu-latest
    timeout-minutes: 60
    concurrency:
      # Deliveries wait for each other; a command does not wait for the rollout that it stops.
      group: tagship-${{ (github.event_name == 'issue_comment' || github.event_name == 'workflow_dispatch') && 'command' || 'delivery' }}
      cancel-in-progress: false
      queue: max
    permissions:
      contents: write         # tags, releases, the journal of rollouts
      pull-requests: write    # the status comment and answers to commands
      issues: write           # reactions to commands
      checks: read            # checks that the gate asks for
      deployments: write      # what is deployed where
      statuses: write         # the verdict beside the commit
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: %ACTION%
%WITH%
%SECRET%
"#;
