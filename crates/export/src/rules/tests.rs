//! Rules of objectives that are made here. That they judge as they should is for `promtool`, which the e2e step `rules` asks.

use tagship_domain::{Duration, quality::QualityBound, slo::Severity};

use super::*;

fn watched(measure: Measure) -> Watched {
    Watched {
        model: "churn".parse().unwrap(),
        environment: "production/eu".parse().unwrap(),
        version: "v1.2.0".parse().unwrap(),
        runbook: Some("https://wiki.example.org/churn?a={{b}}".to_owned()),
        objectives: vec![Objective { name: "o".to_owned(), measure }],
        looks_every: Some(Duration::from_secs(3600)),
    }
}

fn counts(target: f64) -> Measure {
    let query = |name: &str| format!("{name}{{version='v1.2.0'}} or vector(0)");
    Measure::Counts { target, bad: query("errors_total"), total: query("requests_total") }
}

#[test]
fn a_share_has_the_windows_factors_and_guard_of_the_judge() {
    let text = rules(&watched(counts(0.995)));
    let key = r#"{slo="churn/production/eu/o@v1.2.0"}"#;
    let burn = "tagship_slo:burn_rate:ratio";
    let fast = format!(
        "expr: '{burn}1h{key} > 14.4 and {burn}5m{key} > 14.4 and tagship_slo:requests:increase1h{key} >= 400'"
    );
    let slow = format!(
        "expr: '{burn}3d{key} > 1 and {burn}6h{key} > 1 and tagship_slo:requests:increase3d{key} >= 400'"
    );
    assert!(text.contains(&fast) && text.contains(&slow), "{text}");
    assert_eq!(text.matches("- alert: TagshipErrorBudgetBurn").count(), BURN_RULES.len());
    assert_eq!(
        text.matches("command: 'tagship rollback --model churn --environment production/eu'").count(),
        2
    );
    assert!(text.contains("expr: 'errors_total{version=''v1.2.0''} or vector(0)'"), "{text}");
    assert!(text.contains("increase5m{slo=\"churn/production/eu/o@v1.2.0\"} / 0.005'"), "{text}");
    assert!(text.contains(r#"runbook_url: 'https://wiki.example.org/churn?a={{ "{{" }}b}}'"#), "{text}");
    assert_eq!(text, rules(&watched(counts(0.995))));
}

#[test]
fn slow_requests_are_those_that_no_bucket_up_to_the_bound_holds() {
    let measure = |below| Measure::Durations {
        target: 0.99,
        below,
        below_millis: below * 1000.0,
        buckets: "d_bucket".to_owned(),
    };
    let text = rules(&watched(measure(0.25)));
    assert!(text.contains(r#"le=~"0[.]250*""#) && text.contains(r#"le="+Inf""#), "{text}");
    assert!(rules(&watched(measure(1.0))).contains(r#"le=~"1([.]0*)?""#));
    assert!(text.contains("threshold: '99% of the requests within 250 ms"), "{text}");
}

#[test]
fn a_bound_is_broken_by_the_value_of_the_window_that_is_nearest_to_it() {
    let measure =
        |bound, over| Measure::Value { bound, over, severity: Severity::Ticket, query: "cpu".to_owned() };
    let ten = Some(Duration::from_secs(600));
    let most = rules(&watched(measure(QualityBound::AtMost(0.8), ten)));
    assert!(
        most.contains("min_over_time(tagship_slo:value{slo=\"churn/production/eu/o@v1.2.0\"}[10m]) > 0.8")
    );
    let least = rules(&watched(measure(QualityBound::AtLeast(0.8), ten)));
    assert!(least.contains("max_over_time") && least.contains("< 0.8"), "{least}");
    // What is no number, or an infinite one, is no value: the judge passes nothing by it either.
    assert!(most.contains("record: tagship_slo:value\n") && most.contains("} > -Inf < +Inf'"), "{most}");
    let newest = rules(&watched(measure(QualityBound::AtMost(0.8), None)));
    assert!(newest.contains("expr: 'tagship_slo:value{slo=\"churn/production/eu/o@v1.2.0\"} > 0.8'"));
    assert!(!newest.contains("over_time"), "{newest}");
}

#[test]
fn tests_ask_only_for_what_can_be() {
    // Of a budget of a tenth, 14.4 times the pace is more than all requests.
    let wide = unit_tests(&watched(counts(0.9)), "rules.yml");
    assert!(
        !wide.contains("above the factor over 1h") && wide.contains("above the factor over 6h"),
        "{wide}"
    );
    let text = unit_tests(&watched(counts(0.995)), "rules.yml");
    assert_eq!(text.matches("a pace above the factor").count(), 4);
    assert!(text.contains("value: '17.3'"), "{text}");
    // `or vector(0)` says that nothing is missing.
    assert!(text.trim_end().ends_with("exp_alerts: []"), "{text}");
}

#[test]
fn looks_that_ended_alarm_and_so_does_what_is_not_known_of_them() {
    let text = rules(&watched(counts(0.995)));
    let series = r#"tagship_monitor_look_timestamp_seconds{model="churn",environment="production/eu"}"#;
    assert!(text.contains(&format!("expr: 'absent({series}) or time() - max({series}) > 10800'")), "{text}");
    assert_eq!(text.matches("- alert: TagshipNobodyLooks\n").count(), 1);
    let tests = unit_tests(&watched(counts(0.995)), "rules.yml");
    assert_eq!(tests.matches("alertname: TagshipNobodyLooks").count(), 3);
    let unwatched = Watched { looks_every: None, ..watched(counts(0.995)) };
    assert!(!rules(&unwatched).contains("NobodyLooks") && !unit_tests(&unwatched, "r").contains("looks"));
}
