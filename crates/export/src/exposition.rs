//! What a look found, as a page of metrics in the Prometheus text format 0.0.4: for the textfile collector of
//! `node_exporter`.
//!
//! What cannot be judged has no verdict: its series `tagship_monitor_good` is missing, and `tagship_monitor_standing` says why. A
//! page says when its look was, so that an old one is no good news.

use std::fmt::Write as _;

use tagship_domain::incident::{IncidentPhase, Standing, WatchReport};

/// When the last look was.
pub(crate) const LOOKED: &str = "tagship_monitor_look_timestamp_seconds";

/// Every standing, as a label.
const STANDINGS: [(Standing, &str); 4] = [
    (Standing::Good, "good"),
    (Standing::Bad, "bad"),
    (Standing::NoData, "no-data"),
    (Standing::Unknown, "unknown"),
];

/// The page.
#[must_use]
pub fn page(report: &WatchReport) -> String {
    let mut page = Page { text: String::new(), labels: labels(report) };
    page.head(LOOKED, "When the last look was, in seconds since 1970.");
    #[expect(clippy::cast_precision_loss, reason = "a time in milliseconds")]
    let at = report.at.as_millis() as f64 / 1000.0;
    page.line(LOOKED, &[], at);
    page.head("tagship_monitor_version_info", "The version that serves; 1 where it is known.");
    if let Some(version) = &report.version {
        page.line("tagship_monitor_version_info", &[("version", version.to_string().as_str())], 1.0);
    }
    page.head("tagship_monitor_good", "Whether all is well: 1 or 0; no series where that cannot be said.");
    if let Some(is_good) = report.good {
        page.line("tagship_monitor_good", &[], f64::from(u8::from(is_good)));
    }
    findings(&mut page, report);
    incidents(&mut page, report);
    page.text
}

fn findings(page: &mut Page, report: &WatchReport) {
    page.head(
        "tagship_monitor_standing",
        "How what is watched stands: 1 for the standing that it has, else 0.",
    );
    for finding in &report.findings {
        for (standing, name) in STANDINGS {
            let is_so = f64::from(u8::from(finding.standing == standing));
            let labels = [("topic", finding.topic.as_str()), ("standing", name)];
            page.line("tagship_monitor_standing", &labels, is_so);
        }
    }
    page.head(
        "tagship_monitor_value",
        "The number that was judged: a score, a pace of a budget, a value of a bound.",
    );
    for finding in &report.findings {
        if let Some(value) = finding.value {
            page.line("tagship_monitor_value", &[("topic", finding.topic.as_str())], value);
        }
    }
}

fn incidents(page: &mut Page, report: &WatchReport) {
    let open = || report.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open);
    page.head("tagship_monitor_incidents_open", "Incidents that are open.");
    page.line(
        "tagship_monitor_incidents_open",
        &[],
        f64::from(u32::try_from(open().count()).unwrap_or(u32::MAX)),
    );
    page.head("tagship_monitor_incident_open", "One for each incident that is open, by topic and severity.");
    for incident in open() {
        let severity = incident.finding.severity.to_string();
        let labels = [("topic", incident.topic.as_str()), ("severity", severity.as_str())];
        page.line("tagship_monitor_incident_open", &labels, 1.0);
    }
}

/// A page that is written.
struct Page {
    text: String,
    /// Labels that every series has.
    labels: String,
}

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{name}{{{}", self.labels);
        for (label, value) in labels {
            let _ = write!(self.text, ",{label}=\"{}\"", escaped(value));
        }
        let _ = writeln!(self.text, "}} {}", number(value));
    }
}

fn labels(report: &WatchReport) -> String {
    let (model, environment) = (report.model.as_str(), report.environment.as_str());
    format!("model=\"{}\",environment=\"{}\"", escaped(model), escaped(environment))
}

/// As the format writes a number.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

/// As a label value stands in quotes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use tagship_domain::{
        Timestamp,
        incident::{Finding, Incident},
        slo::Severity,
    };

    use super::*;

    fn report() -> WatchReport {
        let finding = Finding {
            topic: "drift/slice/plan=\"a\\b\nc\"".to_owned(),
            standing: Standing::Bad,
            severity: Severity::Ticket,
            is_regression: false,
            value: Some(0.25),
            limit: None,
            threshold: String::new(),
            window: String::new(),
            sentence: String::new(),
        };
        let incident = Incident {
            topic: "slo/cpu/no-data".to_owned(),
            phase: IncidentPhase::Open,
            looks: 0,
            bad: 1,
            opened: vec![],
            since: Timestamp::from_seconds(0).unwrap(),
            told: None,
            finding: finding.clone(),
            issue: None,
        };
        WatchReport {
            model: "churn".parse().unwrap(),
            environment: "production".parse().unwrap(),
            version: Some("v1.2.0".parse().unwrap()),
            at: Timestamp::from_millis(1_500).unwrap(),
            findings: vec![finding],
            incidents: vec![incident],
            streams: vec![],
            trend: vec![],
            outbox: vec![],
            good: Some(false),
        }
    }

    #[test]
    fn a_look_is_a_page_with_every_label_escaped() {
        let page = page(&report());
        let who = r#"model="churn",environment="production""#;
        for line in [
            format!("tagship_monitor_look_timestamp_seconds{{{who}}} 1.5"),
            format!("tagship_monitor_version_info{{{who},version=\"v1.2.0\"}} 1"),
            format!("tagship_monitor_good{{{who}}} 0"),
            format!(r#"tagship_monitor_value{{{who},topic="drift/slice/plan=\"a\\b\nc\""}} 0.25"#),
            format!("tagship_monitor_incidents_open{{{who}}} 1"),
            format!(r#"tagship_monitor_incident_open{{{who},topic="slo/cpu/no-data",severity="ticket"}} 1"#),
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert_eq!(page.matches("# HELP").count(), page.matches("# TYPE").count());
        assert_eq!(page.matches("standing=\"bad\"} 1").count(), 1);
    }

    #[test]
    fn what_cannot_be_said_has_no_series_and_is_no_zero() {
        let page = page(&WatchReport { good: None, version: None, ..report() });
        assert!(!page.contains("tagship_monitor_good{") && !page.contains("version_info{"), "{page}");
    }
}
