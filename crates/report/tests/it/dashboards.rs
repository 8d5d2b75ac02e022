//! Dashboards: what they say, what they never say, and how large they are.

use tagship_domain::{
    CommitId, Duration,
    analysis::{Measurement, MetricKind, MetricPhase, MetricReading},
    explanation::{MetricHistory, MetricPoint, Recorded},
    incident::{IncidentPhase, Standing},
    monitor::MonitorReport,
    rollout::Phase,
};
use tagship_report::{
    Tone, explain,
    html::{self, Place},
    standing,
};

use crate::samples::{
    canary,
    dashboard::{drift, unseen, watched, well},
};

/// Every `href` of a page.
fn links(page: &str) -> Vec<&str> {
    page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What would ask for something from elsewhere, or run.
fn is_self_contained(page: &str) {
    for foreign in ["<script", "src=", "url(", "@import", "<link", "<iframe", "onload", "onclick"] {
        assert!(!page.contains(foreign), "{foreign} in the page");
    }
}

/// Pieces of all lines of values.
fn pieces(report: &MonitorReport) -> usize {
    let page = html::monitor(report, None);
    let lines = page.split("class=\"candidate\" d=\"").skip(1).filter_map(|rest| rest.split('"').next());
    lines.map(|line| line.matches('M').count()).sum()
}

#[test]
fn a_line_breaks_where_nobody_looked_for_days() {
    let mut report = watched(20);
    let whole = pieces(&report);
    if let Some(look) = &mut report.look {
        let (from, to) =
            (look.at.before(Duration::from_secs(5 * 86_400)), look.at.before(Duration::from_secs(86_400)));
        look.trend.retain(|point| point.at < from || point.at > to);
    }
    assert!(pieces(&report) > whole, "{} and {whole}", pieces(&report));
}

#[test]
fn a_month_of_twenty_columns_is_one_small_page_that_needs_nothing() {
    let page = html::monitor(&watched(20), Some("../../index.html"));
    assert!(page.len() <= 300_000, "{}", page.len());
    is_self_contained(&page);
    assert_eq!(links(&page), ["../../index.html"]);
    for part in [
        "Incidents",
        "What is watched",
        "Over time",
        "Drift",
        "Objectives",
        "Quality",
        "What was not tested",
        "What this rests on",
        "Rollouts",
    ] {
        assert!(page.contains(&format!(">{part}</h2>")), "{part}");
    }
    assert!(
        page.contains("82% burned") && page.contains("tagship rollback --model churn"),
        "the command to act"
    );
    assert_eq!(page.matches("Spread of ").count(), 20);
    assert!(html::drift(&drift(20), "today.csv").len() <= 300_000);
}

#[test]
fn size_is_bounded_whatever_is_watched() {
    let mut report = watched(2_000);
    let look = report.look.as_mut().unwrap();
    let one = look.findings[0].clone();
    look.findings.extend((0..3_000).map(|at| {
        let mut finding = one.clone();
        finding.topic = format!("drift/country={at}");
        finding
    }));
    let incident = look.incidents[0].clone();
    look.incidents.extend(std::iter::repeat_n(incident, 2_000));
    for point in &mut look.trend {
        point.values.extend((0..60).map(|at| (format!("drift/country={at}"), f64::from(at))));
    }
    let page = html::monitor(&report, None);
    assert!(page.len() <= 900_000, "{}", page.len());
    assert!(page.contains("more columns are in the document"), "what is left out is told");
}

#[test]
fn all_is_well_only_where_everything_was_measured_lately() {
    let gaps = standing(&well());
    assert_eq!((gaps.tone, gaps.headline.as_str()), (Tone::Good, "What could be judged is well"));
    let whole = || {
        let mut report = well();
        let drift = report.details.as_mut().and_then(|details| details.drift.as_mut()).unwrap();
        for column in &mut drift.columns {
            column.drifted = column.drifted.or(Some(false));
        }
        drift.slices.clear();
        report
    };
    assert_eq!(standing(&whole()).headline, "All is well");
    let with = |change: fn(&mut MonitorReport)| {
        let mut report = whole();
        change(&mut report);
        standing(&report)
    };
    let unknown = with(|report| {
        let look = report.look.as_mut().unwrap();
        look.findings[0].standing = Standing::NoData;
        look.good = None;
    });
    assert_eq!(
        (unknown.tone, unknown.headline.as_str()),
        (Tone::Unknown, "Whether all is well cannot be said")
    );
    assert!(unknown.sentence.ends_with("1 without data."), "{}", unknown.sentence);
    let old = with(|report| report.at = report.at.after(Duration::from_secs(4 * 3_600)));
    assert_eq!((old.tone, old.headline.as_str()), (Tone::Unknown, "Nobody has looked lately"));
    let newer = with(|report| {
        report.past[0].phase = Phase::Succeeded;
        report.past[0].version = "v9.0.0".parse().unwrap();
        report.past[0].at = report.at;
    });
    assert_eq!((newer.tone, newer.headline.as_str()), (Tone::Unknown, "Nobody has looked at v9.0.0 yet"));
    let open = with(|report| {
        report.look.as_mut().unwrap().incidents[0].phase = IncidentPhase::Open;
    });
    assert_eq!((open.tone, open.headline.as_str()), (Tone::Waiting, "Good again, 1 incident still open"));
    assert_eq!(standing(&unseen()).tone, Tone::Unknown);
    let bad = standing(&watched(3));
    assert_eq!((bad.tone, bad.headline.as_str()), (Tone::Bad, "1 of 7 is bad"));
}

#[test]
fn a_page_without_looks_says_so() {
    let page = html::monitor(&unseen(), None);
    assert!(page.contains("Nobody has looked yet") && !page.contains("All is well"), "{page}");
}

#[test]
fn what_could_not_be_judged_is_listed_with_its_reason() {
    let page = html::monitor(&watched(20), None);
    let untested = page.split("What was not tested</h2>").nth(1).unwrap().split("</section>").next().unwrap();
    for (what, why) in [
        ("slo/cpu", "the query answers nothing"),
        ("drift of column clicks", "a verdict needs 30 values of each side"),
        ("drift of country = SE", "with 12 current rows"),
        ("16307 predictions", "no label has come for them yet"),
    ] {
        let row = untested.split("<tr").find(|row| row.contains(what)).unwrap_or_default();
        assert!(row.contains(why), "{what}: {row}");
    }
    assert!(html::monitor(&well(), None).contains("the configuration has no monitor.streams"));
}

#[test]
fn a_rollout_that_goes_on_shows_candidate_beside_stable() {
    let mut report = well();
    assert!(!html::monitor(&report, None).contains("Rollout that goes on"));
    let state = canary::running().rollout.unwrap();
    let commit = "0123456789abcdef0123456789abcdef01234567".parse::<CommitId>().unwrap();
    let mut rollout =
        explain(&[Recorded { commit, at: report.at, run: None, state, looks: vec![] }]).unwrap();
    let measurement =
        Measurement { value: Some(0.012), stable: Some(0.010), n: [90_000, 4_420], ..Measurement::default() };
    let phase = MetricPhase::Running;
    let reading = MetricReading { name: "errors".to_owned(), phase, message: String::new(), measurement };
    rollout.metrics = vec![MetricHistory {
        name: "errors".to_owned(),
        kind: Some(MetricKind::ErrorRatio),
        allowed: "at most 1.5%".to_owned(),
        phase,
        message: String::new(),
        points: vec![MetricPoint { at: report.at, limit: None, reading }],
    }];
    report.rollout = Some(rollout);
    let page = html::monitor(&report, None);
    let section = page.split("Rollout that goes on</h2>").nth(1).unwrap().split("</section>").next().unwrap();
    for told in ["candidate v1.1.0", "stable v1.0.0", "1.2%", "1.0%", "at most 1.5%", "4,420", "undecided"] {
        assert!(section.contains(told), "{told}: {section}");
    }
}

#[test]
fn foreign_names_change_nothing_of_a_page() {
    let evil = "<img src=x onerror=alert(1)>\"'&\u{202e}\u{0}]]>";
    let mut report = watched(3);
    let details = report.details.as_mut().unwrap();
    let drift = details.drift.as_mut().unwrap();
    drift.columns[0].name = evil.to_owned();
    drift.columns[0].findings[..].iter_mut().for_each(|finding| finding.message = evil.to_owned());
    drift.slices[0].value = evil.to_owned();
    if let Some(tagship_domain::drift::Histogram::Categories { names, .. }) = &mut drift.columns[2].histogram
    {
        names[0] = evil.to_owned();
    }
    details.objectives[0].name = evil.to_owned();
    details.objectives[0].reason = evil.to_owned();
    let look = report.look.as_mut().unwrap();
    look.findings[0].topic = evil.to_owned();
    look.findings[3].sentence = evil.to_owned();
    look.incidents[0].finding.sentence = evil.to_owned();
    look.streams[0].name = evil.to_owned();
    let alone = html::drift(report.details.as_ref().unwrap().drift.as_ref().unwrap(), evil);
    for page in [html::monitor(&report, None), alone] {
        assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{0}'));
        assert!(
            page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\u{202e}"),
            "shown as it is"
        );
        assert_eq!(page.matches("<h1>").count(), 1);
    }
}

#[test]
fn an_index_lists_what_is_bad_first_and_links_within_itself() {
    let (bad, good, unknown) = (watched(3), well(), unseen());
    let page = |report| Place { report, href: format!("models/{}/production.html", report.model) };
    let index = html::index(&[page(&good), page(&unknown), page(&bad)], bad.at);
    let hrefs = ["churn", "pricing", "fraud"].map(|model| format!("models/{model}/production.html"));
    assert_eq!(links(&index), hrefs);
    assert!(index.contains("1 of 3 needs a look") && index.contains("1 good, 1 bad, 1 unknown"), "{index}");
    is_self_contained(&index);
    assert!(html::index(&[page(&good)], good.at).contains(">All is well "));
    assert!(!html::index(&[], good.at).contains("All is well"), "nothing is not well");
}
