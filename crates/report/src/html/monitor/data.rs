//! What the verdicts rest on: which rows, which time.

use tagship_domain::{Duration, monitor::MonitorReport};

use super::super::{
    escape::text,
    table::{section as titled, table},
};
use crate::number::grouped_exactly;

/// The section.
pub(super) fn section(report: &MonitorReport) -> String {
    let Some(look) = &report.look else { return String::new() };
    let mut rows: Vec<[String; 3]> = vec![];
    if let Some(drift) = report.details.as_ref().and_then(|details| details.drift.as_ref()) {
        let [reference, current] = drift.rows.map(grouped_exactly);
        rows.push([
            "Inputs".to_owned(),
            format!("{current} rows"),
            format!("against {reference} of the reference"),
        ]);
    }
    if let Some(quality) = report.details.as_ref().and_then(|details| details.quality.as_ref()) {
        let lag = quality.label_lag.map_or_else(
            || "how long labels take is not known".to_owned(),
            |lag| {
                format!(
                    "labels take {} at the median, {} for nine of ten",
                    length(lag.median),
                    length(lag.p90)
                )
            },
        );
        rows.push(["Predictions".to_owned(), format!("{} rows", grouped_exactly(quality.rows)), lag]);
    }
    for stream in &look.streams {
        let last = stream
            .last
            .map_or_else(|| "no value yet".to_owned(), |last| format!("the newest of {}", last.readable()));
        rows.push([
            format!("Stream {}", stream.name),
            format!("{} values", grouped_exactly(stream.values)),
            last,
        ]);
    }
    let first = look.trend.first().map_or(look.at, |point| point.at);
    let looks = look.trend.len() + 1;
    rows.push(["History".to_owned(), format!("{looks} looks kept"), format!("since {}", first.readable())]);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| text(cell)).collect()).collect();
    titled("data", "What this rests on", &table("Data", &["Data", "How much", "Which"], &rows))
}

/// Seconds as a length of time.
fn length(seconds: f64) -> String {
    match std::time::Duration::try_from_secs_f64(seconds) {
        Ok(length) => Duration::from_secs(length.as_secs()).to_string(),
        // Labels that came before their prediction.
        Err(_) => "no time".to_owned(),
    }
}
