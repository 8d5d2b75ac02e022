//! What each receiver is sent, and what an error never says.

use serde_json::{Value, json};
use tagship_config::{AdapterSpec, NotifyConfig};
use tagship_domain::{
    notice::{Notice, NoticeKind},
    rollout::{Phase, Reason, RolloutId},
    schema,
};
use tagship_ports::Problem;

use super::*;
use crate::canned::{Request, Server};

const SECRET_PATH: &str = "services/T0/B0/s3cr3tpart";

fn notice() -> Notice {
    Notice {
        kind: NoticeKind::Rollback,
        model: "churn".parse().unwrap(),
        environment: "production".parse().unwrap(),
        candidate: "v1.1.0".parse().unwrap(),
        stable: Some("v1.0.0".parse().unwrap()),
        rollout: RolloutId("production-v1.1.0-3".to_owned()),
        phase: Phase::RolledBack,
        reason: Reason::AnalysisFailed,
        at: "2026-11-24T12:00:00Z".parse().unwrap(),
        sentence: "v1.0.0 serves again: errors failed, 5 % & more of <1,000>".to_owned(),
        advice: Some("To try them once more:\ntagship rollout --retry --model churn".to_owned()),
        run: Some("https://forge.example/runs/1?a=1&b=2".to_owned()),
        actor: "ada".to_owned(),
    }
}

fn config(kind: &str, settings: Value) -> NotifyConfig {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    let notifier = AdapterSpec { settings, ..AdapterSpec::of_kind(kind) };
    NotifyConfig { notifier, on: NoticeKind::ALL.to_vec() }
}

fn settings(kind: &str) -> Value {
    if kind == "webhook" { json!({ "url-env": "HOOK" }) } else { json!({ "webhook-env": "HOOK" }) }
}

fn channel(kind: &str, server: &Server) -> Channel {
    let url = format!("{}/{SECRET_PATH}", server.url);
    open(&config(kind, settings(kind)), &|name| (name == "HOOK").then(|| url.clone())).unwrap()
}

async fn sent(kind: &str) -> Request {
    let server = Server::with(vec![(200, "ok".to_owned())]).await;
    channel(kind, &server).tell(&notice()).await.unwrap();
    server.seen().remove(0)
}

#[tokio::test]
async fn every_notifier_keeps_the_promises_of_the_port() {
    for kind in KINDS {
        let server = Server::with(vec![(200, "ok".to_owned()), (202, String::new())]).await;
        let channel = channel(kind, &server);
        let arrived =
            || server.seen().iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect();
        tagship_ports::conformance::notifier(channel.notifier.as_ref(), &notice(), arrived).await;
    }
}

#[tokio::test]
async fn slack_gets_blocks_in_which_foreign_text_means_nothing() {
    let request = sent("slack").await;
    assert_eq!(request.line, format!("POST /{SECRET_PATH}"));
    let message = request.json();
    assert_eq!(
        message["text"],
        "churn v1.1.0 (production, over v1.0.0): rolled back: v1.0.0 serves again: errors failed, 5 % &amp; more of \
         &lt;1,000&gt;"
    );
    let blocks = message["blocks"].as_array().unwrap();
    let of = |kind: &str| blocks.iter().filter(|block| block["type"] == kind).collect::<Vec<_>>();
    assert!(of("section").iter().all(|block| block["text"]["type"] == "plain_text"), "{message}");
    assert_eq!(of("section")[0]["text"]["text"], notice().sentence);
    assert_eq!(
        of("context")[0]["elements"][0]["text"],
        "<https://forge.example/runs/1?a=1&amp;b=2|Open the run>"
    );
}

#[tokio::test]
async fn teams_gets_a_card_without_markdown() {
    let message = sent("teams").await.json();
    let card = &message["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    let body = card["content"]["body"].as_array().unwrap();
    assert!(body.iter().all(|block| block["type"] == "RichTextBlock"), "{message}");
    assert_eq!(body[1]["inlines"][0]["text"], notice().sentence);
    assert_eq!(card["content"]["actions"][0]["url"], "https://forge.example/runs/1?a=1&b=2");
}

#[tokio::test]
async fn a_webhook_gets_the_notice_itself_signed_where_a_key_is_set() {
    let unsigned = sent("webhook").await;
    assert!(!unsigned.headers.contains_key("x-tagship-signature-256"));
    let read: Notice = schema::from_json(&String::from_utf8(unsigned.body).unwrap()).unwrap();
    assert_eq!(read, notice());

    let server = Server::with(vec![(204, String::new())]).await;
    let config = config("webhook", json!({ "url-env": "HOOK", "secret-env": "KEY" }));
    let url = server.url.clone();
    let variable = |name: &str| Some(if name == "KEY" { "key".to_owned() } else { url.clone() });
    open(&config, &variable).unwrap().tell(&notice()).await.unwrap();
    let request = server.seen().remove(0);
    let expected = webhook::signature(b"key", &request.body).unwrap();
    assert_eq!(request.headers["x-tagship-signature-256"], expected);
}

#[test]
fn signatures_are_hmac_sha256() {
    // RFC 4231, test case 2.
    let signature = webhook::signature(b"Jefe", b"what do ya want for nothing?").unwrap();
    assert_eq!(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[tokio::test]
async fn what_fails_is_told_without_the_address() {
    for kind in KINDS {
        let body = format!("no_service for /{SECRET_PATH}");
        for (status, problem) in
            [(404, Problem::Denied), (429, Problem::Unreachable), (302, Problem::Invalid)]
        {
            let server = Server::with(vec![(status, body.clone())]).await;
            let error = channel(kind, &server).tell(&notice()).await.unwrap_err();
            assert_eq!(error.problem, problem, "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains("no_service") && text.contains("address in HOOK"), "{text}");
            assert!(!text.contains("s3cr3tpart") && !text.contains(&server.url), "{text}");
        }
        let gone = Server::with(vec![]).await;
        let channel = channel(kind, &gone);
        gone.close().await;
        let error = channel.tell(&notice()).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unreachable);
        assert!(!format!("{error} {error:?} {channel:?}").contains("s3cr3tpart"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_takes_the_notice_nowhere() {
    let elsewhere = Server::with(vec![(200, "ok".to_owned())]).await;
    let server = Server::redirecting(&elsewhere.url).await;
    channel("slack", &server).tell(&notice()).await.unwrap_err();
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let server = Server::with(vec![]).await;
    let mut channel = channel("slack", &server);
    channel.on = vec![NoticeKind::Pause];
    channel.tell(&notice()).await.unwrap();
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn mistakes_are_told_apart() {
    let nothing = |_: &str| None;
    let cases = [
        ("slak", json!({}), Problem::Unsupported, "known kinds are slack, teams, webhook"),
        ("slack", json!({}), Problem::Invalid, "webhook-env"),
        ("slack", json!({ "webhook-env": "HOOK", "channel": "#x" }), Problem::Invalid, "channel"),
        ("teams", json!({ "webhook-env": "HOOK" }), Problem::Denied, "HOOK is not set"),
        ("webhook", json!({ "url-env": "HOOK" }), Problem::Denied, "HOOK is not set"),
    ];
    for (kind, settings, problem, words) in cases {
        let error = open(&config(kind, settings), &nothing).unwrap_err();
        assert_eq!(error.problem, problem, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let error =
        open(&config("slack", json!({ "webhook-env": "HOOK" })), &|_| Some("hooks.example/abc".into()))
            .unwrap_err();
    assert!(!error.to_string().contains("abc"), "{error}");
}

fn incident(change: tagship_domain::incident::IncidentChange) -> tagship_domain::incident::IncidentNotice {
    use tagship_domain::{
        incident::{Finding, IncidentNotice, Standing},
        slo::Severity,
    };
    IncidentNotice {
        change,
        model: "churn".parse().unwrap(),
        environment: "production".parse().unwrap(),
        version: Some("v1.1.0".parse().unwrap()),
        topic: "slo/errors".to_owned(),
        fingerprint: "churn/production/slo/errors".to_owned(),
        opened: "2026-11-24T12:00:00Z".parse().unwrap(),
        at: "2026-11-24T13:00:00Z".parse().unwrap(),
        finding: Finding {
            topic: "slo/errors".to_owned(),
            standing: Standing::Bad,
            severity: Severity::Page,
            is_regression: true,
            value: Some(20.5),
            limit: None,
            threshold: "99.5% of the requests good".to_owned(),
            window: "1h and longer".to_owned(),
            sentence: "errors <!channel>: 20.5 times the pace".to_owned(),
        },
        runbook: Some("https://wiki.example/churn".to_owned()),
        command: "tagship rollback --model churn --environment production".to_owned(),
        run: Some("https://forge.example/runs/1".to_owned()),
    }
}

fn alerter(kind: &str, server: &Server) -> Box<dyn tagship_ports::Alerter> {
    let url = format!("{}/{SECRET_PATH}", server.url);
    let settings = if kind == "alertmanager" { json!({ "url-env": "HOOK" }) } else { settings(kind) };
    let spec = config(kind, settings).notifier;
    open_alerter(&spec, A_DAY, &|name| (name == "HOOK").then(|| url.clone())).unwrap()
}

const A_DAY: tagship_domain::Duration = tagship_domain::Duration::from_secs(86_400);

async fn alerted(kind: &str, change: tagship_domain::incident::IncidentChange) -> Request {
    let server = Server::with(vec![(200, "ok".to_owned())]).await;
    alerter(kind, &server).alert(&incident(change)).await.unwrap();
    server.seen().remove(0)
}

#[tokio::test]
async fn every_alerter_keeps_the_promises_of_the_port() {
    let opened = incident(tagship_domain::incident::IncidentChange::Opened);
    for kind in ALERTERS {
        let server = Server::with(vec![(200, "ok".to_owned()); 5]).await;
        let alerter = alerter(kind, &server);
        let arrived =
            || server.seen().iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect();
        tagship_ports::conformance::alerter(alerter.as_ref(), &opened, arrived).await;
    }
}

#[tokio::test]
async fn an_alert_that_fails_is_told_without_the_address() {
    let opened = incident(tagship_domain::incident::IncidentChange::Opened);
    for kind in ALERTERS {
        let server = Server::with(vec![(404, format!("nothing at /{SECRET_PATH}"))]).await;
        let error = alerter(kind, &server).alert(&opened).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(error.problem == Problem::Denied && text.contains("address in HOOK"), "{kind}: {text}");
        assert!(!text.contains("s3cr3tpart") && !text.contains(&server.url), "{kind}: {text}");
    }
}

#[tokio::test]
async fn an_address_without_a_path_hides_nothing_else() {
    let server = Server::with(vec![(500, "try later".to_owned())]).await;
    let url = server.url.clone();
    let spec = config("slack", settings("slack")).notifier;
    let alerter = open_alerter(&spec, A_DAY, &|_| Some(url.clone())).unwrap();
    let opened = incident(tagship_domain::incident::IncidentChange::Opened);
    let error = alerter.alert(&opened).await.unwrap_err().to_string();
    assert!(error.contains(": try later"), "{error}");
}

#[tokio::test]
async fn every_alert_has_value_threshold_window_runbook_and_command() {
    use tagship_domain::incident::IncidentChange;
    for kind in ALERTERS {
        let body = String::from_utf8(alerted(kind, IncidentChange::Opened).await.body).unwrap();
        for word in [
            "20.5",
            "99.5% of the requests good",
            "1h and longer",
            "https://wiki.example/churn",
            "tagship rollback",
        ] {
            assert!(body.contains(word), "{kind} lacks {word}: {body}");
        }
    }
    let slack = alerted("slack", IncidentChange::Opened).await.json();
    assert!(!slack["text"].as_str().unwrap().contains("<!channel>"), "{slack}");
}

#[tokio::test]
async fn alertmanager_is_told_when_an_alert_ends() {
    use tagship_domain::incident::IncidentChange;
    for (change, ends) in
        [(IncidentChange::Opened, "2026-11-26T14:00:00Z"), (IncidentChange::Resolved, "2026-11-24T13:00:00Z")]
    {
        let request = alerted("alertmanager", change).await;
        assert_eq!(request.line, format!("POST /{SECRET_PATH}/api/v2/alerts"));
        let body = request.json();
        assert_eq!(
            (&body[0]["startsAt"], &body[0]["endsAt"]),
            (&json!("2026-11-24T12:00:00Z"), &json!(ends))
        );
        assert_eq!(body[0]["labels"]["topic"], "slo/errors");
    }
}
