//! History: each look as an entry of a journal, one journal per model and environment, so that trends and the state of streams
//! and incidents need no database.
//!
//! The newest entry says all that the next look needs. It keeps a trend of its own, so that nobody has to read the entries before,
//! and drops the oldest points.

use tagship_domain::{
    Environment, ModelName,
    incident::{TrendPoint, WatchReport},
    schema::{self, DocumentError},
};
use tagship_ports::{
    journal_ref::part,
    state_store::{Entry, NewEntry},
};

/// Path of all journals of looks.
pub const MONITOR: &str = "monitor";
const FILE: &str = "watch.json";
/// Points of the trend that are kept: a month of looks every quarter of an hour.
pub const KEPT: usize = 2880;

/// Name of the journal of a model and environment. A `/` inside either becomes `+`, which no name holds.
#[must_use]
pub fn journal_name(model: &ModelName, environment: &Environment) -> String {
    format!("{MONITOR}/{}/{}", part(model.as_str()), part(environment.as_str()))
}

/// The look that an entry holds.
///
/// # Errors
/// When it was written by another program or a newer tagship.
pub fn look_of(entry: &Entry) -> Result<WatchReport, DocumentError> {
    let text = entry.files.get(FILE).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
    schema::from_json(&text)
}

/// The entry of a look.
///
/// # Errors
/// Never for a look that was made here.
pub fn entry(report: &WatchReport) -> Result<NewEntry, DocumentError> {
    let files = [(FILE.to_owned(), schema::to_json(report)?.into_bytes())].into();
    Ok(NewEntry { message: format!("{}\n", headline(report)), files, at: report.at })
}

/// The trend with the look before at its end, at most [`KEPT`] points.
#[must_use]
pub fn trend(before: Option<&WatchReport>) -> Vec<TrendPoint> {
    let Some(before) = before else { return vec![] };
    let values = before.findings.iter().filter_map(|finding| Some((finding.topic.clone(), finding.value?)));
    let point = TrendPoint {
        at: before.at,
        version: before.version.clone(),
        good: before.good,
        values: values.collect(),
    };
    let drop = (before.trend.len() + 1).saturating_sub(KEPT);
    before.trend.iter().skip(drop).cloned().chain([point]).collect()
}

/// One readable line: `churn/production v1.1.0: 1 of 4 bad`.
#[must_use]
pub fn headline(report: &WatchReport) -> String {
    use tagship_domain::incident::Standing;
    let count = |standing| report.findings.iter().filter(|finding| finding.standing == standing).count();
    let (bad, silent, open) = (count(Standing::Bad), count(Standing::NoData), count(Standing::Unknown));
    let version = report.version.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let parts = [(bad, "bad"), (silent, "without data"), (open, "unknown")];
    let told: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let said = if told.is_empty() { "all good".to_owned() } else { told.join(", ") };
    format!("{}/{} {version}: {said}, of {}", report.model, report.environment, report.findings.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tagship_domain::Timestamp;
    use tagship_ports::{StateStore as _, fake::FakeStateStore};

    use super::*;

    fn look(minute: i64, before: Option<&WatchReport>) -> WatchReport {
        WatchReport {
            model: "churn".parse().unwrap(),
            environment: "production/eu".parse().unwrap(),
            version: None,
            at: Timestamp::from_seconds(minute * 60).unwrap(),
            findings: vec![],
            incidents: vec![],
            streams: vec![],
            trend: trend(before),
            outbox: vec![],
            good: None,
        }
    }

    #[tokio::test]
    async fn a_look_is_read_back_from_its_journal() {
        let store = FakeStateStore::default();
        let first = look(0, None);
        let journal = journal_name(&first.model, &first.environment);
        assert_eq!(journal, "monitor/churn/production+eu");
        let id = store.append(&journal, None, &entry(&first).unwrap()).await.unwrap();
        let second = look(15, Some(&first));
        store.append(&journal, Some(&id), &entry(&second).unwrap()).await.unwrap();
        let read = look_of(&store.tip(&journal).await.unwrap().unwrap()).unwrap();
        assert_eq!(read, second);
        assert_eq!(read.trend[0].at, first.at);
        assert!(
            store.append(&journal, Some(&id), &entry(&second).unwrap()).await.is_err(),
            "no entry is overwritten"
        );
    }

    #[test]
    fn the_trend_keeps_the_newest() {
        let point = |minute: i64| TrendPoint {
            at: Timestamp::from_seconds(minute * 60).unwrap(),
            version: None,
            good: None,
            values: BTreeMap::new(),
        };
        let full = WatchReport { trend: (0..2880).map(point).collect(), ..look(2880, None) };
        let kept = trend(Some(&full));
        assert_eq!((kept.len(), &kept[0], kept[KEPT - 1].at), (KEPT, &point(1), full.at));
    }
}
