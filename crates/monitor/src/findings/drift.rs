//! Of drift: one finding for all rows, and one per slice that tells something the whole does not.

use std::fmt::Write as _;

use tagship_domain::{
    drift::{ColumnDrift, DatasetDrift, DriftReport, SliceDrift},
    incident::{Finding, Standing},
    slo::Severity,
};

/// Topic of all rows together.
pub const DRIFT: &str = "drift/data";

/// Most columns that a sentence names.
const NAMED: usize = 5;
/// Longest name of a column or value in a topic, in characters.
const LONGEST: usize = 48;

/// Of drift. That it cannot be said of the whole is missing data.
///
/// Where the whole has drifted, its parts have too, and one incident says it. A slice that is too small is no finding of its own;
/// the whole tells how many there are.
#[must_use]
pub fn of_drift(report: &DriftReport) -> Vec<Finding> {
    let small = report.slices.iter().filter(|slice| slice.dataset.drifted.is_none()).count();
    let mut whole = finding(DRIFT.to_owned(), "the data", report.rows, &report.columns, report.dataset);
    if small > 0 {
        let _ = write!(whole.sentence, "; {small} of {} slices cannot be judged", report.slices.len());
    }
    let is_told = |slice: &&SliceDrift| whole.standing != Standing::Bad && slice.dataset.drifted.is_some();
    let slices: Vec<Finding> = report.slices.iter().filter(is_told).map(of_slice).collect();
    [whole].into_iter().chain(slices).collect()
}

/// Whether a topic is about a slice that is asked for by a column, `country`, or a column and a value, `country=DE`.
#[must_use]
pub fn is_of_slice(topic: &str, asked: &str) -> bool {
    match asked.split_once('=') {
        Some((column, value)) => topic == slice_topic(column, value),
        None => topic.starts_with(&slice_topic(asked, "")),
    }
}

fn of_slice(slice: &SliceDrift) -> Finding {
    let what = format!("the data with {} {}", slice.column, slice.value);
    finding(slice_topic(&slice.column, &slice.value), &what, slice.rows, &slice.columns, slice.dataset)
}

fn finding(
    topic: String,
    what: &str,
    [reference, current]: [u64; 2],
    columns: &[ColumnDrift],
    dataset: DatasetDrift,
) -> Finding {
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let (drifted, unknown, all) = (with(columns, Some(true)), with(columns, None), columns.len());
    let share = percent(dataset.share);
    let (standing, sentence) = match dataset.drifted {
        Some(true) => {
            let names = names(&drifted);
            (
                Standing::Bad,
                format!("{what} has drifted: {} of {all} columns ({share}): {names}", drifted.len()),
            )
        }
        Some(false) if drifted.is_empty() => (Standing::Good, format!("{what} has not drifted")),
        Some(false) => {
            let names = names(&drifted);
            let sentence =
                format!("{what} has not drifted, only {} of {all} columns: {names}", drifted.len());
            (Standing::Good, sentence)
        }
        None if columns.is_empty() => (Standing::NoData, format!("no data: {what} has no columns")),
        None => {
            let (count, names) = (unknown.len(), names(&unknown));
            let sentence = format!("no data: {count} of {all} columns of {what} cannot be judged: {names}");
            (Standing::NoData, sentence)
        }
    };
    Finding {
        topic,
        standing,
        severity: Severity::Ticket,
        // Inputs that moved are a reason to look, and no proof that the model got worse.
        is_regression: false,
        value: dataset.drifted.map(|_| dataset.share),
        limit: Some(dataset.threshold),
        threshold: format!("drift of less than {} of the columns", percent(dataset.threshold)),
        window: format!("{current} current rows against {reference} of the reference"),
        sentence,
    }
}

fn with(columns: &[ColumnDrift], drifted: Option<bool>) -> Vec<&str> {
    let those = columns.iter().filter(|column| column.drifted == drifted);
    those.map(|column| column.name.as_str()).collect()
}

fn names(columns: &[&str]) -> String {
    let mut text = columns.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if columns.len() > NAMED {
        let _ = write!(text, " and {} more", columns.len() - NAMED);
    }
    text
}

fn slice_topic(column: &str, value: &str) -> String {
    format!("drift/{}={}", in_topic(column), in_topic(value))
}

/// A foreign name as part of a topic, the same for the same name: other characters than letters and digits are escaped, so that no
/// value looks like another topic, and of a long one its end is a hash.
fn in_topic(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || "-_.".contains(c) {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    if text.chars().count() <= LONGEST {
        return text;
    }
    let hash = format!("%{:016x}", fnv(name.as_bytes()));
    text.chars().take(LONGEST - hash.len()).chain(hash.chars()).collect()
}

/// FNV-1a of 64 bits (Fowler, Noll and Vo): the same in every version of the program.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use tagship_domain::drift::DriftProfile;

    use super::*;

    fn column(name: &str, drifted: Option<bool>) -> ColumnDrift {
        ColumnDrift {
            name: name.to_owned(),
            kind: None,
            test: None,
            score: None,
            statistic: None,
            p_value: None,
            effect: None,
            stability_index: None,
            threshold: None,
            drifted,
            n: [100, 100],
            missing: [0.0, 0.0],
            histogram: None,
            findings: vec![],
        }
    }

    fn dataset(drifted: Option<bool>) -> DatasetDrift {
        DatasetDrift { drifted, share: 0.5, threshold: 0.5 }
    }

    fn slice(value: &str, drifted: Option<bool>) -> SliceDrift {
        SliceDrift {
            column: "country".to_owned(),
            value: value.to_owned(),
            rows: [100, 100],
            columns: vec![column("age", drifted), column("plan", Some(false))],
            dataset: dataset(drifted),
        }
    }

    fn report(drifted: Option<bool>, slices: Vec<SliceDrift>) -> DriftReport {
        DriftReport {
            profile: DriftProfile::Default,
            rows: [500, 400],
            columns: vec![column("age", drifted), column("plan", Some(false))],
            dataset: dataset(drifted),
            slices,
        }
    }

    #[test]
    fn the_whole_is_bad_good_or_without_data() {
        let of = |drifted| of_drift(&report(drifted, vec![])).remove(0);
        let bad = of(Some(true));
        assert_eq!((bad.standing, bad.value, bad.topic.as_str()), (Standing::Bad, Some(0.5), DRIFT));
        assert_eq!(bad.sentence, "the data has drifted: 1 of 2 columns (50%): age");
        assert_eq!(bad.window, "400 current rows against 500 of the reference");
        assert!(!bad.is_regression, "drift alone never goes back");
        assert_eq!(of(Some(false)).standing, Standing::Good);
        let unknown = of(None);
        assert_eq!((unknown.standing, unknown.value), (Standing::NoData, None));
        assert_eq!(unknown.sentence, "no data: 1 of 2 columns of the data cannot be judged: age");
        let nothing = DriftReport { columns: vec![], ..report(None, vec![]) };
        assert_eq!(of_drift(&nothing)[0].standing, Standing::NoData);
    }

    #[test]
    fn slices_tell_what_the_whole_does_not() {
        let slices = || vec![slice("DE", Some(true)), slice("FR", Some(false)), slice("SE", None)];
        let told: Vec<_> = of_drift(&report(Some(false), slices()))
            .into_iter()
            .map(|finding| (finding.topic, finding.standing))
            .collect();
        let of = |topic: &str, standing| (topic.to_owned(), standing);
        assert_eq!(
            told,
            [
                of(DRIFT, Standing::Good),
                of("drift/country=DE", Standing::Bad),
                of("drift/country=FR", Standing::Good)
            ]
        );
        let whole = of_drift(&report(Some(true), slices()));
        assert_eq!(whole.len(), 1, "one incident says it: {whole:?}");
        assert!(whole[0].sentence.ends_with("; 1 of 3 slices cannot be judged"), "{}", whole[0].sentence);
    }

    #[test]
    fn no_value_looks_like_another_topic() {
        assert_eq!(slice_topic("plan", "pro/no-data"), "drift/plan=pro%2Fno-data");
        assert_eq!(slice_topic("stra\u{df}e", "a=b\n"), "drift/stra\u{df}e=a%3Db%0A");
        let long = |end: &str| in_topic(&format!("{}{end}", "x".repeat(200)));
        assert_eq!((long("a").chars().count(), long("a") == long("b")), (LONGEST, false));
        assert!(is_of_slice("drift/plan=pro", "plan") && is_of_slice("drift/plan=pro", "plan=pro"));
        assert!(!is_of_slice("drift/plan=pro", "plan=free") && !is_of_slice("drift/plan2=pro", "plan"));
        assert!(!is_of_slice(DRIFT, "data"));
    }
}
