//! `tagship monitor drift`.

use std::{fmt::Write as _, path::PathBuf};

use tagship_adapters::SystemClock;
use tagship_config::{DriftFails, DriftSettings};
use tagship_domain::{
    Exit, ModelName,
    drift::{DriftProfile, DriftReport},
    schema,
};
use tagship_ports::Clock as _;
use tagship_report::{html, terminal};
use tagship_runner::{
    Context, Failure, Screen,
    args::{Common, DriftArgs, DriftFailure, DriftRules},
    write::{self, Existing},
};

use crate::{
    answer::Answer,
    monitoring::drift::{judge, rooted},
    project::Project,
};

/// Needs neither a repository nor a configuration, unless it is asked about a model.
pub(super) fn run(args: &DriftArgs, context: &Context) -> Result<Answer, Failure> {
    let beneath = match &args.model {
        None => DriftSettings::default(),
        Some(model) => configured(args, model, context)?,
    };
    let settings = settings(args, beneath);
    let report = judge(&settings, args.until.unwrap_or_else(|| SystemClock.now()))?;
    let mut text = terminal::drift(&report, &crate::style(&Screen::of(context, false)));
    if let Some(path) = &args.html {
        let page = html::drift(&report, &format!("{} against {}", settings.current, settings.reference));
        write::shared(path, &page, Existing::Replace)?;
        let _ = writeln!(text, "\nwritten to {}", path.display());
    }
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    let (exit, decision) = verdict(&report, settings.fail_on.is_some());
    Ok(Answer::plain(exit, decision, decision, text, json))
}

/// A slice that has drifted is drift; what is too small to be judged there is told, and the whole decides.
fn verdict(report: &DriftReport, fails: bool) -> (Exit, &'static str) {
    let in_slice = report.slices.iter().any(|slice| slice.dataset.drifted == Some(true));
    match report.dataset.drifted {
        Some(true) if fails => (Exit::Negative, "drift"),
        Some(true) => (Exit::Done, "drift"),
        _ if in_slice && fails => (Exit::Negative, "drift"),
        None => (Exit::Incomplete, "unknown"),
        Some(false) if in_slice => (Exit::Done, "drift"),
        Some(false) => (Exit::Done, "no-drift"),
    }
}

/// The arguments, and where they say nothing, what is configured.
fn settings(args: &DriftArgs, beneath: DriftSettings) -> DriftSettings {
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    let list = |given: &[String], beneath: Vec<String>| {
        if given.is_empty() { beneath } else { given.to_vec() }
    };
    let critical = args.critical.iter().cloned();
    let fails = args.fail_on.map(|DriftFailure::Drift| DriftFails::Drift);
    DriftSettings {
        reference: args.reference.as_ref().map_or(beneath.reference, path),
        current: args.current.as_ref().map_or(beneath.current, path),
        columns: list(&args.columns, beneath.columns),
        critical: if args.critical.is_empty() { beneath.critical } else { critical.collect() },
        profile: args.profile.map_or(beneath.profile, profile),
        test: args.test.clone().or(beneath.test),
        fail_on: fails.or(beneath.fail_on),
        schema: beneath.schema,
        time_column: args.time_column.clone().or(beneath.time_column),
        window: args.window.clone().or(beneath.window),
        reference_window: args.reference_window.clone().or(beneath.reference_window),
        slices: list(&args.slices, beneath.slices),
    }
}

/// What a model's configuration asks for; its paths begin at the top of the repository.
fn configured(args: &DriftArgs, model: &ModelName, context: &Context) -> Result<DriftSettings, Failure> {
    let (model, format) = (Some(model.clone()), args.format);
    let common = Common { config: args.config.clone(), model, environment: None, format, verbose: false };
    let project = Project::open(&common, context.clone())?;
    let (name, model) = project.model()?;
    let Some(settings) = model.monitor.drift.clone() else {
        return Err(Failure::usage(format!("model {name} has no `monitor.drift`"))
            .hint(format!("add models.{name}.monitor.drift to {}", args.config.display())));
    };
    Ok(rooted(settings, &project.root))
}

fn profile(rules: DriftRules) -> DriftProfile {
    match rules {
        DriftRules::Default => DriftProfile::Default,
        DriftRules::Evidently => DriftProfile::Evidently,
    }
}
