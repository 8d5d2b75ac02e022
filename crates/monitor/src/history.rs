//! History: each look as an entry of a journal, one journal per model and environment, so that trends and the state of streams
//! and incidents need no database.
//!
//! The newest entry says all that the next look needs. It keeps a trend of its own, so that nobody has to read the entries before,
//! and thins the older points. The state of streams and incidents is not part of the trend, and never dropped.

use tagship_domain::{
    Duration, Environment, ModelName, Timestamp,
    incident::{Standing, TrendPoint, WatchReport},
    monitor::LookDetails,
    schema::{self, DocumentError},
};
use tagship_ports::{
    journal_ref::part,
    state_store::{Entry, NewEntry},
};

/// Path of all journals of looks.
pub const MONITOR: &str = "monitor";
const FILE: &str = "watch.json";
const DETAILS: &str = "details.json";
/// Looks of this time are all kept in the trend.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Most of them: those of a week every quarter of an hour, with room for some by hand.
const KEPT: usize = 800;

/// Entries that stay in a journal: those of a week every quarter of an hour. What is older is in the trend of the newest one, as long
/// as it is to be remembered.
pub const ENTRIES: usize = KEPT;

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

/// The entry of a look and what it measured.
///
/// # Errors
/// Never for a look that was made here.
pub fn entry(report: &WatchReport, details: &LookDetails) -> Result<NewEntry, DocumentError> {
    let files = [
        (FILE.to_owned(), schema::to_json(report)?.into_bytes()),
        (DETAILS.to_owned(), schema::to_json(details)?.into_bytes()),
    ]
    .into();
    Ok(NewEntry { message: format!("{}\n", headline(report)), files, at: report.at })
}

/// The details of the look that an entry holds; absent where the program that wrote it kept none.
///
/// # Errors
/// When they were written by a newer tagship.
pub fn details_of(entry: &Entry) -> Result<Option<LookDetails>, DocumentError> {
    let text = entry.files.get(DETAILS).map(|bytes| String::from_utf8_lossy(bytes));
    text.map(|text| schema::from_json(&text)).transpose()
}

/// The trend with the look before at its end. Looks of the last week stay, where they come faster than every quarter of an hour
/// the worst of each hour, of each day before the worst one, and nothing that is older than `retention`.
#[must_use]
pub fn trend(before: Option<&WatchReport>, now: Timestamp, retention: Duration) -> Vec<TrendPoint> {
    let Some(before) = before else { return vec![] };
    let mut trend: Vec<TrendPoint> = before.trend.iter().cloned().chain([before.point()]).collect();
    trend.retain(|point| point.at >= now.before(retention));
    let recent = trend.partition_point(|point| point.at < now.before(WEEK));
    let recent = trend.split_off(recent);
    let mut kept: Vec<TrendPoint> =
        trend.chunk_by(|one, other| day(one) == day(other)).filter_map(worst).collect();
    kept.extend(hourly(recent));
    kept
}

/// Where looks come faster than they can be kept, the older ones are thinned to the worst of each hour.
fn hourly(mut recent: Vec<TrendPoint>) -> Vec<TrendPoint> {
    if recent.len() <= KEPT {
        return recent;
    }
    let newest = recent.split_off(recent.len() - KEPT / 2);
    let hour = |point: &TrendPoint| point.at.as_seconds().div_euclid(3600);
    let older = recent.chunk_by(|one, other| hour(one) == hour(other)).filter_map(worst);
    older.chain(newest).collect()
}

fn day(point: &TrendPoint) -> i64 {
    point.at.as_seconds().div_euclid(86_400)
}

/// Of the looks of a day one, and never a good one where another was bad: a trend must not look better than it was.
fn worst(day: &[TrendPoint]) -> Option<TrendPoint> {
    let bad = |point: &&TrendPoint| (point.good == Some(false), point.bad.len(), point.good.is_none());
    // Of equal ones the last, which a day ends with.
    day.iter().max_by_key(bad).cloned()
}

/// One readable line: `churn/production v1.1.0: 1 of 4 bad`.
#[must_use]
pub fn headline(report: &WatchReport) -> String {
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
    use std::collections::BTreeSet;

    use tagship_domain::Timestamp;
    use tagship_ports::{StateStore as _, fake::FakeStateStore};

    use super::*;

    const QUARTER: Duration = Duration::from_secs(90 * 86_400);

    fn look(minute: i64, before: Option<&WatchReport>) -> WatchReport {
        WatchReport {
            model: "churn".parse().unwrap(),
            environment: "production/eu".parse().unwrap(),
            version: None,
            at: Timestamp::from_seconds(minute * 60).unwrap(),
            findings: vec![],
            incidents: vec![],
            streams: vec![],
            trend: trend(before, Timestamp::from_seconds(minute * 60).unwrap(), QUARTER),
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
        let id =
            store.append(&journal, None, &entry(&first, &LookDetails::default()).unwrap()).await.unwrap();
        let second = look(15, Some(&first));
        let details = LookDetails::default();
        store.append(&journal, Some(&id), &entry(&second, &details).unwrap()).await.unwrap();
        let read = look_of(&store.tip(&journal).await.unwrap().unwrap()).unwrap();
        assert_eq!(read, second);
        assert_eq!(details_of(&store.tip(&journal).await.unwrap().unwrap()).unwrap(), Some(details.clone()));
        assert_eq!(read.trend[0].at, first.at);
        assert!(
            store.append(&journal, Some(&id), &entry(&second, &details).unwrap()).await.is_err(),
            "no entry is overwritten"
        );
    }

    /// Looks every quarter of an hour for so many days, of which one is bad.
    fn after(days: i64, bad: i64) -> WatchReport {
        let mut newest = look(0, None);
        for quarter in 1..days * 96 {
            newest = look(quarter * 15, Some(&newest));
            newest.good = Some(quarter != bad);
        }
        newest
    }

    #[test]
    fn the_trend_keeps_a_week_and_of_each_day_before_the_worst_look() {
        let newest = after(30, 97);
        let week = newest.at.before(WEEK);
        let (old, recent): (Vec<_>, Vec<_>) = newest.trend.iter().partition(|point| point.at < week);
        assert_eq!((recent.len(), old.len()), (672, 23), "a day of which part is in the week counts once");
        assert_eq!(old[1].at.as_seconds(), 97 * 15 * 60, "the only bad look of its day");
        assert!(newest.trend.is_sorted_by(|one, other| one.at < other.at));
        assert!(trend(Some(&newest), newest.at, Duration::from_secs(2 * 86_400)).len() <= 193);
    }

    #[test]
    fn however_fast_looks_come_a_bad_one_stays() {
        let mut newest = WatchReport { good: Some(false), ..look(0, None) };
        for minute in (5..20 * 24 * 60).step_by(5) {
            newest = look(minute, Some(&newest));
            assert!(newest.trend.len() <= KEPT + 20, "at minute {minute}");
            assert!(newest.trend.iter().any(|point| point.good == Some(false)), "at minute {minute}");
        }
        let first = newest.trend.first().map(|point| point.at.as_seconds());
        assert_eq!(first, Some(0), "the bad look of the first day");
    }

    #[test]
    fn a_history_of_years_is_no_larger_than_its_retention() {
        let point = |minute: i64| TrendPoint {
            at: Timestamp::from_seconds(minute * 60).unwrap(),
            version: None,
            good: None,
            values: [("slo/availability".to_owned(), 0.5)].into(),
            bad: ["slo/availability".to_owned()].into(),
            unknown: BTreeSet::new(),
        };
        let end = 1_000 * 24 * 60;
        let full = WatchReport { trend: (0..end).step_by(5).map(point).collect(), ..look(end, None) };
        let kept = trend(Some(&full), full.at, QUARTER);
        assert_eq!(
            kept.len(),
            KEPT / 2 + 135 + 90 - 7,
            "looks every five minutes: the worst of each hour, of each day"
        );
        let bytes = entry(&WatchReport { trend: kept, ..full }, &LookDetails::default()).unwrap();
        let bytes: usize = bytes.files.values().map(Vec::len).sum();
        assert!(bytes < 300_000, "{bytes}");
    }
}
