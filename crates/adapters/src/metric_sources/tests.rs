//! What every kind of source has in common, and helpers of their tests.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use tagship_config::AdapterSpec;
use tagship_domain::{Timestamp, Version, analysis::MetricKind, threshold::Point};
use tagship_ports::{
    Backend, Backends, OwnSource, PortError, Problem, Question, TallySource, ValueSource,
    conformance::{ValueFixture, value_source},
};

use super::open_own;
use crate::canned::Server;

pub(super) const JSON: &str = "application/json";

pub(super) fn from() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(super) fn to() -> Timestamp {
    "2026-11-24T12:01:00Z".parse().unwrap()
}

pub(super) fn version() -> Version {
    "v1.1.0".parse().unwrap()
}

/// Opens a source; every variable is set but `UNSET`.
pub(super) fn open(
    name: &str,
    kind: MetricKind,
    settings: Value,
    root: &Path,
) -> Result<OwnSource, PortError> {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    let spec = AdapterSpec { settings, ..AdapterSpec::of_kind(name) };
    open_own(
        &spec,
        kind,
        root,
        &|name| match name {
            "UNSET" => None,
            "PATH" => std::env::var_os("PATH").map(|path| path.into_string().unwrap()),
            name => Some(format!("value of {name}")),
        },
        Some(Arc::new(Named)),
    )
}

/// A target that calls its versions as `gateway-api` does.
struct Named;

#[async_trait::async_trait]
impl Backends for Named {
    async fn backend(&self, version: &Version, _: Timestamp) -> Result<Backend, PortError> {
        Ok(Backend { namespace: "ml".to_owned(), name: format!("churn-{version}") })
    }
}

pub(super) fn open_value(name: &str, settings: Value) -> Result<Box<dyn ValueSource>, PortError> {
    match open(name, MetricKind::Value, settings, Path::new("."))? {
        OwnSource::Value(source) => Ok(source),
        other => panic!("{other:?}"),
    }
}

pub(super) fn open_tally(
    name: &str,
    kind: MetricKind,
    settings: Value,
    root: &Path,
) -> Result<Box<dyn TallySource>, PortError> {
    match open(name, kind, settings, root)? {
        OwnSource::Tally(source) => Ok(source),
        other => panic!("{other:?}"),
    }
}

/// Asks about v1.1.0 beside v1.0.0.
pub(super) async fn ask(source: &dyn ValueSource) -> Result<Vec<Point>, PortError> {
    let (version, stable) = (version(), "v1.0.0".parse().unwrap());
    let question =
        Question { version: &version, candidate: &version, stable: Some(&stable), from: from(), to: to() };
    source.values(&question).await
}

/// The suite of the port, over a server that gives these answers about a version that is known, twice, and then about
/// one that is not.
pub(super) async fn conforms(
    name: &str,
    known: &str,
    unknown: &str,
    newest: f64,
    settings: impl Fn(&str) -> Value,
) {
    let answer = |body: &str| (200, JSON, body.to_owned());
    let server = Server::typed(vec![answer(known), answer(known), answer(unknown)]).await;
    let source = open_value(name, settings(&server.url)).unwrap();
    let fixture =
        ValueFixture { known: version(), unknown: "v9.0.0".parse().unwrap(), from: from(), to: to(), newest };
    value_source(source.as_ref(), &fixture).await;
}

/// The ways in which an HTTP interface gives no answer, which are the same for all of them.
pub(super) async fn refuses(name: &str, settings: impl Fn(&str) -> Value) {
    let message = r#"{"errors":["odd query"]}"#.to_owned();
    for (answer, problem, words) in [
        ((400, JSON, message.clone()), Problem::Invalid, "HTTP 400: odd query"),
        ((401, JSON, message.clone()), Problem::Denied, "lets nobody in"),
        ((403, "text/html", "<html>".to_owned()), Problem::Denied, "lets nobody in"),
        ((404, "text/plain", "no".to_owned()), Problem::Invalid, "nothing at this address"),
        ((429, JSON, message), Problem::Unreachable, "asked too often"),
        ((500, "text/plain", String::new()), Problem::Unreachable, "HTTP 500"),
        (
            (200, "text/html", "<html>log in</html>".to_owned()),
            Problem::Invalid,
            "text/html, which is no JSON",
        ),
        ((200, JSON, "{".to_owned()), Problem::Invalid, "is no JSON"),
        ((200, JSON, String::new()), Problem::Invalid, "is no JSON"),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::typed(vec![answer]).await;
        let error = ask(open_value(name, settings(&server.url)).unwrap().as_ref()).await.expect_err(&shown);
        assert_eq!(error.problem, problem, "{error}");
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
        assert!(!error.to_string().contains("value of "), "a secret in {error}");
    }
    let mut hasty = settings(&Server::typed(vec![]).await.url);
    hasty["timeout"] = json!("50ms");
    let silent = Server::typed(vec![]).await;
    hasty["url"] = settings(&silent.url)["url"].clone();
    let error = ask(open_value(name, hasty).unwrap().as_ref()).await.unwrap_err();
    assert_eq!((error.problem, error.message.as_str()), (Problem::Unreachable, "no answer in time"));

    let elsewhere = Server::typed(vec![]).await;
    let server = Server::redirecting(&elsewhere.url).await;
    let error = ask(open_value(name, settings(&server.url)).unwrap().as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("where credentials do not follow"), "{error}");
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn an_unknown_kind_is_told_those_that_fit() {
    let refused =
        |name: &str, kind| open(name, kind, json!({}), Path::new(".")).map(|_| ()).unwrap_err().to_string();
    let unknown = refused("graphite", MetricKind::Value);
    assert!(
        unknown.contains("is no kind of source")
            && unknown
                .contains("known kinds for value are prometheus, http, command, table, datadog, newrelic"),
        "{unknown}"
    );
    let unfit = refused("predictions", MetricKind::Value);
    assert!(unfit.contains("answers no values, which value needs"), "{unfit}");
    let unfit = refused("datadog", MetricKind::ErrorRatio);
    assert!(
        unfit.contains("counts nothing, which error-ratio needs")
            && unfit.contains("target, prometheus, http, command, predictions"),
        "{unfit}"
    );
}
