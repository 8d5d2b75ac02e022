//! Quality: predictions and labels out of their tables, joined by id, to a document.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use tagship_adapters::{
    datasets::is_absent,
    tables::{Table, TextRow, Wrong, when},
};
use tagship_config::{QualityColumns, QualitySettings};
use tagship_domain::{Timestamp, Version, quality::QualityReport};
use tagship_monitor::quality::{self, LeftOut, Prediction, Settings, canonical};
use tagship_ports::PortError;
use tagship_runner::Failure;

use crate::failure::failed;

/// Labels by id, each with the time when it came.
type Labels = HashMap<String, (String, Option<Timestamp>)>;

/// Judges what the tables hold; relative paths are relative to `root`. Where the column of versions is named, only rows of
/// `version` count, and where a window is, only those of its length before `now`.
///
/// # Errors
/// For bounds that do not fit, and for a table that cannot be read.
pub(crate) fn judge(
    given: &QualitySettings,
    root: &Path,
    version: Option<&Version>,
    now: Timestamp,
) -> Result<QualityReport, Failure> {
    let settings = Settings {
        task: given.task,
        positive: canonical(given.positive.clone()),
        bounds: given.bounds.clone(),
        min_labels: given.min_labels,
        min_coverage: given.min_coverage,
        confidence: given.confidence,
    };
    quality::check(&settings).map_err(Failure::usage)?;
    let labels = read_labels(given, root)?;
    let columns = &given.columns;
    let begin = given.window.map(|window| now.before(window));
    let mut predictions = vec![];
    let mut matched = HashSet::new();
    let mut untimed = 0;
    for file in &given.predictions {
        read_predictions(root, file, given, version, labels.is_none(), &mut |id, mut row| {
            if let Some((labels, id)) = labels.as_ref().zip(id)
                && let Some((label, at)) = labels.get(&id)
            {
                (row.label, row.labelled_at) = (Some(label.clone()), *at);
                matched.insert(id);
            }
            match (begin, row.at) {
                (Some(_), None) => untimed += 1,
                (Some(begin), Some(at)) if at < begin => {}
                _ => predictions.push(row),
            }
        })?;
    }
    let unmatched = labels.map_or(0, |labels| labels.len() - matched.len()) as u64;
    let reference = given.reference.as_ref().map(|file| {
        let mut rows = vec![];
        let own = QualitySettings {
            window: None,
            columns: QualityColumns {
                id: None,
                time: None,
                label_time: None,
                version: None,
                ..columns.clone()
            },
            slices: vec![],
            ..given.clone()
        };
        read_predictions(root, file, &own, None, true, &mut |_, row| rows.push(row)).map(|()| rows)
    });
    let reference = reference.transpose()?;
    let left_out = LeftOut { unmatched, untimed };
    Ok(quality::measure(&predictions, &left_out, &given.slices, reference.as_deref(), &settings))
}

fn read_labels(given: &QualitySettings, root: &Path) -> Result<Option<Labels>, Failure> {
    if given.labels.is_empty() {
        return Ok(None);
    }
    let QualityColumns { id, label, label_time, .. } = &given.columns;
    let Some(id) = id else {
        return Err(Failure::usage("labels in a table of their own need the column of ids")
            .hint("name it, e.g. `id: request_id`"));
    };
    let mut labels = Labels::new();
    for file in &given.labels {
        let columns = [Some(id.as_str()), Some(label), label_time.as_deref()];
        read(root, file, &columns, &mut |row| {
            let label = take(row, 1).filter(|label| !is_absent(label));
            let (Some(id), Some(label)) = (take(row, 0), label) else { return Ok(()) };
            let (label, at) = (canonical(label), time(row, 2)?);
            match labels.get(&id) {
                Some((known, _)) if *known != label => {
                    Err(row.wrong(&format!(" gives {id} the label {label}, and another row {known}")))
                }
                Some(_) => Ok(()),
                None => {
                    labels.insert(id, (label, at));
                    Ok(())
                }
            }
        })
        .map_err(failed)?;
    }
    Ok(Some(labels))
}

/// Goes through the predictions of a table, each with its id where ids are asked for.
fn read_predictions(
    root: &Path,
    file: &Path,
    given: &QualitySettings,
    version: Option<&Version>,
    has_labels: bool,
    see: &mut dyn FnMut(Option<String>, Prediction),
) -> Result<(), Failure> {
    let QualityColumns { id, prediction, label, score, time: at, label_time, version: by } = &given.columns;
    let beside = |column: Option<&str>| column.filter(|_| has_labels).map(str::to_owned);
    let (label, label_time) = (beside(Some(label)), beside(label_time.as_deref()));
    let id = id.as_deref().filter(|_| !has_labels);
    let by = by.as_deref().filter(|_| version.is_some());
    let mut columns = vec![
        id,
        Some(prediction),
        label.as_deref(),
        score.as_deref(),
        at.as_deref(),
        label_time.as_deref(),
        by,
    ];
    let parts = columns.len();
    columns.extend(given.slices.iter().map(|name| Some(name.as_str())));
    read(root, file, &columns, &mut |row| {
        let predicted_by = take(row, 6);
        if by.is_some() && !is_of(predicted_by.as_deref(), version) {
            return Ok(());
        }
        let found = Prediction {
            predicted: take(row, 1).filter(|class| !is_absent(class)).map(canonical),
            label: take(row, 2).filter(|label| !is_absent(label)).map(canonical),
            score: take(row, 3),
            at: time(row, 4)?,
            labelled_at: time(row, 5)?,
            parts: row.cells.iter_mut().skip(parts).map(Option::take).collect(),
        };
        see(take(row, 0), found);
        Ok(())
    })
    .map_err(failed)
}

fn read(
    root: &Path,
    file: &Path,
    columns: &[Option<&str>],
    see: &mut dyn FnMut(&mut TextRow<'_>) -> Result<(), Wrong>,
) -> Result<(), PortError> {
    let operation = || format!("read {}", file.display());
    let table = Table::new(root, file)
        .map_err(|why| PortError::new(tagship_ports::Problem::Unsupported, operation(), why))?;
    table.each(columns, &mut |mut row| see(&mut row)).map_err(|why| why.while_doing(operation()))
}

fn take(row: &mut TextRow<'_>, at: usize) -> Option<String> {
    row.cells.get_mut(at).and_then(Option::take)
}

/// Whether a row is of a version, with or without its `v`.
fn is_of(said: Option<&str>, version: Option<&Version>) -> bool {
    let plain = |text: &str| text.strip_prefix('v').unwrap_or(text).to_owned();
    said.map(plain) == version.map(|version| plain(&version.to_string()))
}

fn time(row: &mut TextRow<'_>, at: usize) -> Result<Option<Timestamp>, Wrong> {
    let text = take(row, at);
    text.map(|text| when(&text).map_err(|why| row.wrong(&format!(": {why}")))).transpose()
}
