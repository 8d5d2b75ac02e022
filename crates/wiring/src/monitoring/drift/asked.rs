//! What a comparison is asked for, out of the words of its settings.

use tagship_adapters::datasets::{self, Declared};
use tagship_config::{DriftColumn, DriftSettings};
use tagship_domain::Timestamp;
use tagship_monitor::{
    data::Window,
    drift::{Settings, Test},
};
use tagship_ports::Holds;
use tagship_runner::Failure;

/// Everything that a comparison needs to know.
pub(super) struct Asked {
    pub(super) reference: String,
    pub(super) current: String,
    pub(super) columns: Vec<String>,
    pub(super) settings: Settings,
    pub(super) declared: Declared,
    pub(super) time: Option<String>,
    pub(super) window: Option<Window>,
    pub(super) reference_window: Option<Window>,
    pub(super) until: Timestamp,
    /// Columns and, where one is named, their value.
    pub(super) slices: Vec<(String, Option<String>)>,
}

impl Asked {
    /// # Errors
    /// Where what is named is no test or window.
    pub(super) fn of(settings: &DriftSettings, until: Timestamp) -> Result<Self, Failure> {
        let window = |text: &Option<String>| {
            text.as_deref().map(str::parse::<Window>).transpose().map_err(Failure::usage)
        };
        let test = settings.test.as_deref();
        Ok(Self {
            reference: settings.reference.clone(),
            current: settings.current.clone(),
            columns: settings.columns.clone(),
            settings: Settings {
                profile: settings.profile,
                test: test.map(str::parse::<Test>).transpose().map_err(Failure::usage)?,
                critical: settings.critical.clone(),
            },
            declared: settings.schema.iter().map(|(name, column)| (name.clone(), holds(*column))).collect(),
            time: settings.time_column.clone(),
            window: window(&settings.window)?,
            reference_window: window(&settings.reference_window)?,
            until,
            slices: settings.slices.iter().map(|slice| sliced(slice)).collect(),
        })
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
        Some((column, value)) => (column.to_owned(), Some(datasets::truth(value).to_owned())),
        None => (text.to_owned(), None),
    }
}
