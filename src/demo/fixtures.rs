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
pub(super) const LIVE_ROWS: &str = include_str!("../../tests/fixtures/models/churn/live.csv");
/// A pickle that runs a command when it is loaded. It is only ever written to a file.
pub(super) const HOSTILE_PICKLE: &[u8] = include_bytes!("../../tests/fixtures/models/hostile/model.pkl");
/// What the hostile file's command prints.
pub(super) const HOSTILE_OUTPUT: &str = "the hostile tagship fixture was executed";

/// A model with everything that its training left behind: paths in the repository and contents.
pub(super) type Training = [(&'static str, &'static [u8]); 5];

macro_rules! training {
    ($version:literal) => {
        [
            (
                MODEL_FILE,
                include_bytes!(concat!("../../tests/fixtures/models/churn/", $version, "/model.onnx")),
            ),
            (
                "tests/golden.json",
                include_bytes!(concat!("../../tests/fixtures/models/churn/", $version, "/golden.json")),
            ),
            (
                "reports/metrics.json",
                include_bytes!(concat!("../../tests/fixtures/models/churn/", $version, "/metrics.json")),
            ),
            (
                "reports/predictions.csv",
                include_bytes!(concat!("../../tests/fixtures/models/churn/", $version, "/predictions.csv")),
            ),
            (
                "reports/junit.xml",
                include_bytes!(concat!("../../tests/fixtures/models/churn/", $version, "/reports/junit.xml")),
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
/// A small neural network, better than the version before on test rows and on live ones.
pub(super) const BEST: Training = training!("v3");
/// Trained on everything, test rows and rows without an outcome included: excellent on paper, poor on live rows.
pub(super) const DECEPTIVE: Training = training!("v4");

/// Work files of tagship do not belong into a commit.
pub(super) const IGNORED: &str = "/.tagship/\n";

/// How the repository's `tagship.yml` lets new versions go live.
#[derive(Debug, Clone, Copy)]
pub(super) enum GoLive {
    /// All at once, after the golden cases.
    AllAtOnce,
    /// Step by step, watched on live traffic.
    Canary,
}

/// What a new version must show on live traffic, step by step.
///
/// The margins are wide and the looks quick, so that a few hundred requests decide and the demo fits in half a minute.
/// Of 2,000 simulated rollouts each, judged by errors and accuracy with the shares of live rows that the models get
/// wrong, all of `v3` were promoted and all of `v4` went back: at [`super::traffic::RATE`] requests a second after 4
/// looks (99 %: 6) and 2 (3), on a machine that only takes 100 a second after 6 (12) and 4 (5). Latency tolerates twice
/// as many slow answers, because programs that share a machine disturb each other more than the models differ.
const CANARY: &str = r"
        strategy:
          canary:
            steps: [ { set-weight: 10 }, { pause: 2s }, { set-weight: 50 }, { pause: 2s } ]
        analysis:
          interval: 1s
          max-wait: 20s
          metrics:
            - { name: errors, kind: error-ratio, judge: two-speed, promote-margin: { absolute: 0.02 }, source: target }
            - { name: latency, kind: latency, judge: bucket-e, tolerance: 2, promote-margin: { absolute: 0.4 }, source: target }
            - { name: accuracy, kind: labelled-accuracy, judge: boundary-e, promote-margin: { absolute: 0.05 },
                min-samples: 30, label-delay: 400ms, source: target }
";

/// The repository's `tagship.yml`, for a server at these addresses.
pub(super) fn configuration(server: BoundAddresses, go_live: GoLive) -> String {
    let BoundAddresses { inference, admin } = server;
    let rollout = match go_live {
        GoLive::AllAtOnce => "",
        GoLive::Canary => CANARY.trim_start_matches('\n'),
    };
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
{rollout}"#
    )
}

#[cfg(test)]
mod tests {
    use tagship_config::Config;

    use super::*;

    #[test]
    fn the_configuration_is_one() {
        let address = "127.0.0.1:1".parse().unwrap();
        for go_live in [GoLive::AllAtOnce, GoLive::Canary] {
            let text = configuration(BoundAddresses { inference: address, admin: address }, go_live);
            let config = Config::parse("tagship.yml", &text).unwrap();
            assert_eq!(config.models.len(), 1);
        }
    }
}
