//! The table of tasks. A new task is one more entry.

use anyhow::{Context, Result, bail};

use crate::{bench, ci, dist, e2e, fuzz, generated, layers, tidy, verdict::verdict, workspace::Workspace};

/// One task.
struct Task {
    /// What is typed after `cargo xtask`.
    name: &'static str,
    /// Arguments that it takes, as shown in the help.
    arguments: &'static str,
    /// What it does, as shown in the help.
    summary: &'static str,
    run: fn(&Workspace, &[&str]) -> Result<()>,
}

/// Every task, in the order of the help.
const TASKS: &[Task] = &[
    Task {
        name: "gen",
        arguments: "[--check]",
        summary: "write schemas/, docs/reference/ and the actions' manifests from the code, or say which file is stale",
        run: generate,
    },
    Task {
        name: "tidy",
        arguments: "",
        summary: "check headers, sizes, words and manifests of all files",
        run: |workspace, arguments| {
            none(arguments)?;
            for note in tidy::long_files(workspace)? {
                println!("note: {note}");
            }
            verdict("tidy", &tidy::problems(workspace)?)
        },
    },
    Task {
        name: "layers",
        arguments: "",
        summary: "check that dependencies point down and libraries stay where they belong",
        run: |workspace, arguments| {
            none(arguments)?;
            verdict("layers", &layers::problems(workspace)?)
        },
    },
    Task {
        name: "ci",
        arguments: "",
        summary: "everything that CI checks besides the tests",
        run: |workspace, arguments| {
            none(arguments)?;
            ci::run(workspace)
        },
    },
    Task {
        name: "e2e",
        arguments: "[STEP...]",
        summary: "install pinned real counterparts and hold Tagship against them",
        run: e2e::run,
    },
    Task {
        name: "fuzz",
        arguments: "[TARGET...] [--seconds N]",
        summary: "run the fuzz targets of what reads model files, a minute each, with limits; wants cargo-fuzz",
        run: fuzz::run,
    },
    Task {
        name: "dist",
        arguments: "",
        summary: "build all programs as they are shipped, and write their archive and its checksum line",
        run: dist::run,
    },
    Task {
        name: "bench",
        arguments: "[PART...]",
        summary: "measure processor time, memory and sizes against their budgets, built as shipped",
        run: bench::run,
    },
];

/// Runs the task that the arguments name.
///
/// # Errors
/// When there is no such task, or it fails.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((name, rest)) = words.split_first() else { bail!("name a task\n\n{}", help()) };
    if ["help", "--help", "-h"].contains(name) {
        println!("{}", help());
        return Ok(());
    }
    let task = TASKS.iter().find(|task| task.name == *name);
    let task = task.with_context(|| format!("{name:?} is no task\n\n{}", help()))?;
    (task.run)(&Workspace::this(), rest).with_context(|| format!("{name} failed"))
}

fn help() -> String {
    let lines = TASKS.iter().map(|task| {
        let call = format!("{} {}", task.name, task.arguments);
        format!("  cargo xtask {call:<15} {}", task.summary)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn generate(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    match arguments {
        [] => {
            for path in generated::write(workspace)? {
                println!("wrote {}", path.display());
            }
            Ok(())
        }
        ["--check"] => verdict("gen --check", &generated::problems(workspace)?),
        other => bail!("unknown arguments {other:?}; gen takes nothing or --check"),
    }
}

fn none(arguments: &[&str]) -> Result<()> {
    if arguments.is_empty() { Ok(()) } else { bail!("unknown arguments {arguments:?}; it takes none") }
}
