//! What the demo brings along: trained models with their reports, live data, a configuration.
//!
//! All of it is part of the program, so that the demo runs anywhere. `tests/fixtures/README.md` says how the models
//! were trained.

use tagship_serve::server::BoundAddresses;

/// The model's name in the demo.
pub(super) const MODEL: &str = "churn";
/// The one environment.
pub(super) const ENVIRONMENT: &str = "production";
/// The environment variable that holds the server's token, as the configuration names it.
pub(super) const TOKEN_VARIABLE: &str = "TAGSHIP_SERVE_TOKEN";
/// Where the model lies in the repository.
pub(super) const MODEL_FILE: &str = "models/churn/model.onnx";
/// Where the hostile file is put instead.
pub(super) const PICKLE_FILE: &str = "models/churn/model.pkl";
/// Rows that no version was trained or tested on: an id, ten features, the true label.
pub(super) const LIVE_ROWS: &str = include_str!("../../../tests/fixtures/models/churn/live.csv");
/// A pickle that runs a command when it is loaded. It is only ever written to a file.
pub(super) const HOSTILE_PICKLE: &[u8] = include_bytes!("../../../tests/fixtures/models/hostile/model.pkl");
/// What the hostile file's command prints.
pub(super) const HOSTILE_OUTPUT: &str = "hostile tagship fixture was executed";

/// A model with everything that its training left behind: paths in the repository and contents.
pub(super) type Training = [(&'static str, &'static [u8]); 5];

macro_rules! training {
    ($version:literal) => {
        [
            (
                MODEL_FILE,
                include_bytes!(concat!("../../../tests/fixtures/models/churn/", $version, "/model.onnx")),
            ),
            (
                "tests/golden.json",
                include_bytes!(concat!("../../../tests/fixtures/models/churn/", $version, "/golden.json")),
            ),
            (
                "reports/metrics.json",
                include_bytes!(concat!("../../../tests/fixtures/models/churn/", $version, "/metrics.json")),
            ),
            (
                "reports/predictions.csv",
                include_bytes!(concat!(
                    "../../../tests/fixtures/models/churn/",
                    $version,
                    "/predictions.csv"
                )),
            ),
            (
                "reports/junit.xml",
                include_bytes!(concat!(
                    "../../../tests/fixtures/models/churn/",
                    $version,
                    "/reports/junit.xml"
                )),
            ),
        ]
    };
}

/// Trained on 20 rows.
pub(super) const FIRST: Training = training!("v1");
/// Trained on 219 rows.
pub(super) const BETTER: Training = training!("v2");
/// Trained on 60 rows, a fifth of them with a wrong label.
pub(super) const WORSE: Training = training!("v3-regressed");

/// Work files of tagship do not belong into a commit.
pub(super) const IGNORED: &str = "/.tagship/\n";

/// The repository's `tagship.yml`, for a server at these addresses.
pub(super) fn configuration(server: BoundAddresses) -> String {
    let BoundAddresses { inference, admin } = server;
    format!(
        r#"version: 1
models:
  {MODEL}:
    artifact: models/churn
    reports:
      junit: [reports/junit.xml]
      metrics: reports/metrics.json
      predictions: reports/predictions.csv
    validate:
      golden: {{ cases: tests/golden.json }}
    gate:
      rules:
        - {{ name: accuracy floor, expr: metrics.accuracy >= 0.90 }}
        - {{ name: no f1 regression, expr: metrics.f1 >= stable.metrics.f1 - 0.01 }}
      compare: {{ test: mcnemar, margin: 0.02 }}
    environments:
      {ENVIRONMENT}:
        target:
          local:
            url: "http://{inference}"
            admin-url: "http://{admin}"
            token-env: {TOKEN_VARIABLE}
"#
    )
}

#[cfg(test)]
mod tests {
    use tagship_config::Config;

    use super::*;

    #[test]
    fn the_configuration_is_one() {
        let address = "127.0.0.1:1".parse().unwrap();
        let text = configuration(BoundAddresses { inference: address, admin: address });
        let config = Config::parse("tagship.yml", &text).unwrap();
        assert_eq!(config.models.len(), 1);
    }
}
