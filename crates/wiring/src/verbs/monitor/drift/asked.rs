//! What a comparison is asked for: the arguments, and where they name a model, its configuration beneath them.

use std::path::PathBuf;

use tagship_adapters::{SystemClock, datasets::Declared};
use tagship_config::{DriftColumn, DriftFails, DriftSettings};
use tagship_domain::{ModelName, Timestamp, drift::DriftProfile};
use tagship_monitor::{
    data::Window,
    drift::{Settings, Test},
};
use tagship_ports::{Clock as _, Holds};
use tagship_runner::{
    Context, Failure,
    args::{Common, DriftArgs, DriftFailure, DriftRules},
};

use crate::project::Project;

/// Everything that a comparison needs to know.
pub(super) struct Asked {
    pub(super) reference: PathBuf,
    pub(super) current: PathBuf,
    pub(super) columns: Vec<String>,
    pub(super) settings: Settings,
    /// Whether drift fails the step.
    pub(super) fails: bool,
    pub(super) declared: Declared,
    pub(super) time: Option<String>,
    pub(super) window: Option<Window>,
    pub(super) reference_window: Option<Window>,
    pub(super) until: Timestamp,
    /// Columns and, where one is named, their value.
    pub(super) slices: Vec<(String, Option<String>)>,
}

/// # Errors
/// Where what is named is not there, or is no test or window.
pub(super) fn read(args: &DriftArgs, context: &Context) -> Result<Asked, Failure> {
    let settings = match &args.model {
        None => DriftSettings::default(),
        Some(model) => configured(args, model, context)?,
    };
    let test = args.test.as_deref().or(settings.test.as_deref());
    let window = |given: &Option<String>, configured: &Option<String>| {
        let text = given.as_deref().or(configured.as_deref());
        text.map(str::parse::<Window>).transpose().map_err(Failure::usage)
    };
    let list = |given: &[String], configured: &[String]| {
        if given.is_empty() { configured.to_vec() } else { given.to_vec() }
    };
    let critical = args.critical.iter().cloned();
    let slices = list(&args.slices, &settings.slices);
    Ok(Asked {
        reference: args.reference.clone().unwrap_or_else(|| settings.reference.clone().into()),
        current: args.current.clone().unwrap_or_else(|| settings.current.clone().into()),
        columns: list(&args.columns, &settings.columns),
        settings: Settings {
            profile: args.profile.map_or(settings.profile, profile),
            test: test.map(str::parse::<Test>).transpose().map_err(Failure::usage)?,
            critical: if args.critical.is_empty() { settings.critical.clone() } else { critical.collect() },
        },
        fails: args.fail_on == Some(DriftFailure::Drift) || settings.fail_on == Some(DriftFails::Drift),
        declared: settings.schema.iter().map(|(name, column)| (name.clone(), holds(*column))).collect(),
        time: args.time_column.clone().or_else(|| settings.time_column.clone()),
        window: window(&args.window, &settings.window)?,
        reference_window: window(&args.reference_window, &settings.reference_window)?,
        until: args.until.unwrap_or_else(|| SystemClock.now()),
        slices: slices.iter().map(|slice| sliced(slice)).collect(),
    })
}

/// What a model's configuration asks for; its paths begin at the top of the repository.
fn configured(args: &DriftArgs, model: &ModelName, context: &Context) -> Result<DriftSettings, Failure> {
    let (model, format) = (Some(model.clone()), args.format);
    let common = Common { config: args.config.clone(), model, environment: None, format, verbose: false };
    let project = Project::open(&common, context.clone())?;
    let (name, model) = project.model()?;
    let Some(mut settings) = model.monitor.drift.clone() else {
        return Err(Failure::usage(format!("model {name} has no `monitor.drift`"))
            .hint(format!("add models.{name}.monitor.drift to {}", args.config.display())));
    };
    for path in [&mut settings.reference, &mut settings.current] {
        if !path.contains("://") {
            *path = project.root.join(&*path).to_string_lossy().into_owned();
        }
    }
    Ok(settings)
}

fn profile(rules: DriftRules) -> DriftProfile {
    match rules {
        DriftRules::Default => DriftProfile::Default,
        DriftRules::Evidently => DriftProfile::Evidently,
    }
}

fn holds(column: DriftColumn) -> Holds {
    match column {
        DriftColumn::Number => Holds::Numbers,
        DriftColumn::Category => Holds::Categories,
    }
}

fn sliced(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((column, value)) => (column.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}
