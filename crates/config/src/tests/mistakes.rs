//! Documents with one mistake each, and the one answer to it.

use super::{brief, model};

#[test]
fn every_mistake_has_its_answer() {
    let all: Vec<(String, String)> = DOCUMENTS
        .iter()
        .map(|(text, answer)| ((*text).to_owned(), (*answer).to_owned()))
        .chain(BODIES.iter().map(|(body, answer)| (model(&format!("    {body}\n")), format!("5:{answer}"))))
        .collect();
    assert!(all.len() >= 60, "{}", all.len());
    let mut wrong = Vec::new();
    for (text, answer) in all {
        let found = brief(&text).join("\n");
        if found != answer {
            wrong.push(format!("{text}\nexpected {answer}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whole documents.
const DOCUMENTS: &[(&str, &str)] = &[
    ("", "1:1 : the file is empty | write `version: 1` at the top"),
    ("# nothing but words", "1:1 : the file is empty | write `version: 1` at the top"),
    ("[]", "1:1 : expected a mapping with the keys `version` and `models` | write `version: 1` at the top"),
    (
        "just text",
        "1:1 : expected a mapping with the keys `version` and `models` | write `version: 1` at the top",
    ),
    (
        "models: { m: { artifact: a } }",
        "1:1 version: the key `version` is missing | write `version: 1` at the top",
    ),
    (
        "version: 2\nmodels: []",
        "1:10 version: this file has version 2 of the format, this tagship reads 1 | a newer tagship may read it",
    ),
    ("version: 0", "1:10 version: this file has version 0 of the format, this tagship reads 1"),
    ("version: \"1\"", "1:10 version: the version is a whole number | write `version: 1` at the top"),
    ("version: 1.0", "1:10 version: the version is a whole number | write `version: 1` at the top"),
    (
        "version: 1",
        "1:1 models: the file names no model | name one, e.g. `models: { churn: { artifact: models/churn } }`",
    ),
    (
        "version: 1\nmodels:",
        "2:1 models: the file names no model | name one, e.g. `models: { churn: { artifact: models/churn } }`",
    ),
    (
        "version: 1\nmodels: {}",
        "2:1 models: the file names no model | name one, e.g. `models: { churn: { artifact: models/churn } }`",
    ),
    ("version: 1\nmodels: [churn]", "2:1 models: expected a mapping, found a list"),
    (
        "version: 1\nmodels: { m: }",
        "2:11 models.m.artifact: the key `artifact` is missing | name the file or directory that is versioned, e.g. `artifact: models/churn`",
    ),
    ("version: 1\nmodels: { m: a.onnx }", "2:14 models.m: expected a mapping, found the text `a.onnx`"),
    (
        "version: 1\nmodels: { a b: { artifact: a } }",
        "2:11 models.a b: model name \"a b\" is not allowed: it takes letters, digits and - _ / only",
    ),
    (
        "version: 1\nmodels: { -m: { artifact: a } }",
        "2:11 models.-m: model name \"-m\" is not allowed: it must start and end with a letter or digit",
    ),
    (
        "version: 1\nmodels: { a: { artifact: x }, b: { artifact: ./x/ } }",
        "2:46 models.b.artifact: the models `a` and `b` have one artifact, `x` | give each model its own file or directory",
    ),
    (
        "version: 1\nmodels: { m: { artifact: a, environments: { a: { target: local, on-success: { dispatch: b } } } } }",
        "2:89 models.m.environments.a.on-success.dispatch: the model has no environment `b` | write one of `a`",
    ),
    (
        "version: 1\nmodels: { m: { artifact: a, environments: { a: { target: local, on-success: { dispatch: a } } } } }",
        "2:89 models.m.environments.a.on-success.dispatch: a version that goes on to `a` comes back to `a` | leave `on-success` out where a version has arrived",
    ),
    (
        "version: 1\nmodels: { m: { artifact: a, environments: { a: { target: local, on-success: {} } } } }",
        "2:65 models.m.environments.a.on-success: the key `dispatch` is missing",
    ),
    (
        "version: 1\nversion: 1\nmodels: { m: { artifact: a } }",
        "2:1 version: the key `version` stands here twice | keep one of the two",
    ),
    (
        "version: 1\nmodels: { m: { artifact: a }, m: { artifact: b } }",
        "2:31 models.m: the key `m` stands here twice | keep one of the two",
    ),
    (
        "version: 1\ndefaults: {}\nmodels: { m: { artifact: a } }",
        "2:1 defaults: unknown key `defaults` | known here: `version`, `models`",
    ),
    ("version: 1\n---\nversion: 1", "2:1 : the file holds more than one document | remove the `---`"),
    (
        "version: 1\nmodels:\n\tm: {}",
        "3:2 : this is not YAML: tabs disallowed within this context (block indentation) | YAML is indented with spaces; replace the tab",
    ),
    (
        "version: 1\nmodels: {",
        "2:10 : this is not YAML: while parsing a node, did not find expected node content",
    ),
    (
        "version: 1\nmodels: \"m",
        "2:9 : this is not YAML: while scanning a quoted scalar, found unexpected end of stream",
    ),
    ("version: 1\n models: {}", "2:8 : this is not YAML: mapping values are not allowed in this context"),
    (
        "version: 1\nmodels: { m: { artifact: \"oci://r/m\", environments: { p: { target: local, alias: v1 } } } }",
        "2:82 models.m.environments.p.alias: the alias is no name | write a name of letters, digits, `-` and `_`, e.g. \
         `alias: champion`",
    ),
    (
        "version: 1\nmodels: { m: { artifact: \"mlflow:m@a#f\", environments: { p: { target: local, alias: a } } } }",
        "2:85 models.m.environments.p.alias: the alias `a` names what is deployed in `artifact`, and would follow what was \
         | name another alias here, or another one in `artifact`",
    ),
    (
        "version: 1\nmodels: { m: { artifact: \"mlflow:m\", environments: { p: { target: local, alias: a }, q: { target: { local: { port: 1 } }, alias: a } } } }",
        "2:130 models.m.environments.q.alias: the alias `a` follows the environments `p` and `q` | an alias names one version; \
         give each environment its own",
    ),
    ("version: !!int 1", "1:10 : tags such as `!!str` are not read | leave the tag out; quote what is text"),
    ("version: 1\nmodels: *gone", "2:9 : this is not YAML: while parsing node, found unknown anchor"),
    ("version: 1\nmodels: &x { m: *x }", "2:17 : the alias stands inside of what it stands for"),
    ("version: 1\n? [a]\n: b", "2:3 : a key must be plain text"),
];

/// Bodies of a model on the fifth line.
const BODIES: &[(&str, &str)] = &[
    ("gates: {}", "5 models.m.gates: unknown key `gates` | did you mean `gate`?"),
    ("Gate: {}", "5 models.m.Gate: unknown key `Gate` | did you mean `gate`?"),
    ("artifact: b", "5 models.m.artifact: the key `artifact` stands here twice | keep one of the two"),
    (
        "environments: { p: { target: local, alias: champion } }",
        "48 models.m.environments.p.alias: the artifact comes from no model registry in which an alias could follow | \
         name the model registry in `artifact`, or leave `alias` out",
    ),
    ("reports: [a.xml]", "5 models.m.reports: expected a mapping, found a list"),
    (
        "reports: { junit: a.xml }",
        "23 models.m.reports.junit: expected a list, found the text `a.xml` | write `[a.xml]`",
    ),
    (
        "reports: { junit: [] }",
        "16 models.m.reports.junit: the list is empty | leave the key out where no tests are reported",
    ),
    (
        "reports: { junit: [/tmp/a.xml] }",
        "24 models.m.reports.junit[0]: path \"/tmp/a.xml\" is absolute; write it relative to the root of the repository",
    ),
    (
        "reports: { metrics: ../m.json }",
        "25 models.m.reports.metrics: path \"../m.json\" leaves the repository; `..` is not allowed",
    ),
    (
        "reports: { metrics: 'C:\\m.json' }",
        "25 models.m.reports.metrics: path \"C:\\\\m.json\" holds a backslash; write `/` between directories",
    ),
    (
        "reports: { predictions: s3://bucket/p.csv }",
        "29 models.m.reports.predictions: path \"s3://bucket/p.csv\" is a URL; only paths inside the repository are read",
    ),
    (
        "reports: { metric: m.json }",
        "16 models.m.reports.metric: unknown key `metric` | did you mean `metrics`?",
    ),
    (
        "validate: { formats: onnx }",
        "26 models.m.validate.formats: expected a list, found the text `onnx` | write `[onnx]`",
    ),
    (
        "validate: { formats: [] }",
        "17 models.m.validate.formats: no format is allowed, which rejects every artifact",
    ),
    (
        "validate: { formats: [onxx] }",
        "27 models.m.validate.formats[0]: expected one of `onnx`, `safetensors`, `pickle`, `joblib`, `torch`, `torchscript`, `npy`, `npz`, `zip`, `tar`, `gguf`, `hdf5`, `keras`, `skops`, `tf-saved-model`, `tf-graph`, `tf-checkpoint`, `keras-json`, `xgboost-json`, `xgboost-ubj`, `xgboost-binary`, `lightgbm-text`, `lightgbm-json`, `catboost`, `catboost-json`, `tflite`, found `onxx` | did you mean `onnx`?",
    ),
    (
        "validate: { formats: [coreml] }",
        "27 models.m.validate.formats[0]: expected one of `onnx`, `safetensors`, `pickle`, `joblib`, `torch`, `torchscript`, `npy`, `npz`, `zip`, `tar`, `gguf`, `hdf5`, `keras`, `skops`, `tf-saved-model`, `tf-graph`, `tf-checkpoint`, `keras-json`, `xgboost-json`, `xgboost-ubj`, `xgboost-binary`, `lightgbm-text`, `lightgbm-json`, `catboost`, `catboost-json`, `tflite`, found `coreml`",
    ),
    (
        "validate: { formats: [{ onnx: true }] }",
        "27 models.m.validate.formats[0]: expected one of `onnx`, `safetensors`, `pickle`, `joblib`, `torch`, `torchscript`, `npy`, `npz`, `zip`, `tar`, `gguf`, `hdf5`, `keras`, `skops`, `tf-saved-model`, `tf-graph`, `tf-checkpoint`, `keras-json`, `xgboost-json`, `xgboost-ubj`, `xgboost-binary`, `lightgbm-text`, `lightgbm-json`, `catboost`, `catboost-json`, `tflite`, found a mapping",
    ),
    (
        "validate: { max-size: 2 }",
        "27 models.m.validate.max-size: expected text, found the number 2 | quote it, `\"2\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "validate: { max-size: 2 gigabytes }",
        "27 models.m.validate.max-size: \"2 gigabytes\" is not a size; write a number and a unit, e.g. 500kB, 64MiB or 2GiB",
    ),
    (
        "validate: { max-size: 0B }",
        "27 models.m.validate.max-size: a limit of no bytes rejects every artifact",
    ),
    (
        "validate: { max_size: 2GiB }",
        "17 models.m.validate.max_size: unknown key `max_size` | did you mean `max-size`?",
    ),
    (
        "validate: { golden: { tolerance: 1e-3 } }",
        "17 models.m.validate.golden.cases: the key `cases` is missing",
    ),
    (
        "validate: { golden: { cases: g.json, tolerance: -1 } }",
        "53 models.m.validate.golden.tolerance: a tolerance is not negative",
    ),
    (
        "validate: { golden: { cases: g.json, tolerance: .nan } }",
        "53 models.m.validate.golden.tolerance: expected a finite number, found the number NaN",
    ),
    (
        "validate: { golden: { cases: g.json, tolerance: small } }",
        "53 models.m.validate.golden.tolerance: expected a number, found the text `small`",
    ),
    (
        "validate: { golden: { cases: g.json, max-latency: 50 } }",
        "55 models.m.validate.golden.max-latency: expected text, found the number 50 | quote it, `\"50\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "validate: { golden: { cases: g.json, max-latency: 0s } }",
        "55 models.m.validate.golden.max-latency: a limit of no time fails every case",
    ),
    (
        "validate: { bundles: [sklearn, skleam] }",
        "36 models.m.validate.bundles[1]: expected one of `numpy`, `scipy`, `pandas`, `sklearn`, `imblearn`, `statsmodels`, `river`, `xgboost`, `lightgbm`, `catboost`, `torch`, `lightning`, `transformers`, found `skleam` | did you mean `sklearn`?",
    ),
    (
        "validate: { allow: [{ reason: ours }] }",
        "25 models.m.validate.allow[0].global: the key `global` is missing",
    ),
    (
        "validate: { allow: [{ global: churn.Encoder }] }",
        "25 models.m.validate.allow[0].reason: a global is not let through without a reason | say who looked at it and why it is harmless here",
    ),
    (
        "validate: { allow: [{ global: churn.*, reason: ours }] }",
        "35 models.m.validate.allow[0].global: \"churn.*\" names no global; write module and name exactly, like churn.features.Encoder",
    ),
    (
        "validate: { allow: [{ global: Encoder, reason: ours }] }",
        "35 models.m.validate.allow[0].global: \"Encoder\" names no global; write module and name exactly, like churn.features.Encoder",
    ),
    (
        "validate: { allow: [{ global: churn.Encoder, reason: ours, call: reduc }] }",
        "70 models.m.validate.allow[0].call: expected one of `reference`, `newobj`, `reduce`, found `reduc` | did you mean `reduce`?",
    ),
    (
        "validate: { allow: [{ global: churn.Encoder, reason: ours, until: 2027-02-29 }] }",
        "71 models.m.validate.allow[0].until: \"2027-02-29\" is not a day; write it like 2027-03-31",
    ),
    (
        "validate: { allow: [{ global: a.B, reason: x }, { global: a.B, reason: y }] }",
        "63 models.m.validate.allow[1].global: the global `a.B` stands here twice | keep one of the two",
    ),
    (
        "gate: { checks: unit }",
        "21 models.m.gate.checks: expected a list, found the text `unit` | write `[unit]`",
    ),
    ("gate: { checks: [unit, unit] }", "28 models.m.gate.checks[1]: the name `unit` is used twice"),
    (
        "gate: { checks: [yes, true] }",
        "27 models.m.gate.checks[1]: expected text, found `true` | quote it: `\"true\"`",
    ),
    ("gate: { checks: [''] }", "22 models.m.gate.checks[0]: the name is empty"),
    (
        "gate: { tests: { min: -1 } }",
        "27 models.m.gate.tests.min: expected a whole number from 0 up, found the number -1",
    ),
    (
        "gate: { tests: { min: 1.5 } }",
        "27 models.m.gate.tests.min: expected a whole number from 0 up, found the number 1.5",
    ),
    (
        "gate: { tests: { min: 0 } }",
        "27 models.m.gate.tests.min: at least one test must have passed | no tests prove nothing; without tests, leave `reports.junit` out",
    ),
    (
        "gate: { tests: { flaky: 1 } }",
        "22 models.m.gate.tests.flaky: unknown key `flaky` | known here: `min`, `allow-flaky`",
    ),
    ("gate: { rules: { name: a, expr: b } }", "13 models.m.gate.rules: expected a list, found a mapping"),
    ("gate: { rules: [a > 1] }", "21 models.m.gate.rules[0]: expected a mapping, found the text `a > 1`"),
    ("gate: { rules: [{ name: a }] }", "21 models.m.gate.rules[0]: the key `expr` is missing"),
    (
        "gate: { rules: [{ name: a, exp: b }] }",
        "32 models.m.gate.rules[0].exp: unknown key `exp` | did you mean `expr`?",
    ),
    (
        "gate: { rules: [{ name: a, expr: true }] }",
        "38 models.m.gate.rules[0].expr: expected text, found `true` | quote it: `\"true\"`",
    ),
    ("gate: { rules: [{ name: a, expr: ' ' }] }", "38 models.m.gate.rules[0].expr: the expression is empty"),
    (
        "gate: { rules: [{ name: a, expr: b }, { name: a, expr: c }] }",
        "51 models.m.gate.rules[1].name: the name `a` is used twice",
    ),
    ("gate: { compare: mcnemar }", "22 models.m.gate.compare: expected a mapping, found the text `mcnemar`"),
    (
        "gate: { compare: { test: mcnemer } }",
        "30 models.m.gate.compare.test: expected one of `mcnemar`, `bootstrap`, found `mcnemer` | did you mean `mcnemar`?",
    ),
    (
        "gate: { compare: { margin: 1 } }",
        "32 models.m.gate.compare.margin: a margin is a share of rows from 0 to below 1, not 1 | one row in a hundred is `0.01`",
    ),
    (
        "gate: { compare: { margin: -0.1 } }",
        "32 models.m.gate.compare.margin: a margin is a share of rows from 0 to below 1, not -0.1 | one row in a hundred is `0.01`",
    ),
    (
        "gate: { compare: { margin: 1% } }",
        "32 models.m.gate.compare.margin: expected a number, found the text `1%`",
    ),
    (
        "gate: { require-baseline: yes }",
        "31 models.m.gate.require-baseline: expected `true` or `false`, found the text `yes`",
    ),
    (
        "release: { bump: micro }",
        "22 models.m.release.bump: expected `auto`, `major`, `minor`, `patch` or a version such as `v2.0.0-rc.1`, found `micro`",
    ),
    (
        "release: { bump: 1 }",
        "22 models.m.release.bump: expected text, found the number 1 | quote it, `\"1\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    ("release: { store: {} }", "16 models.m.release.store: expected a kind, found an empty mapping"),
    (
        "release: { store: { file: x } }",
        "31 models.m.release.store.file: expected a mapping, found the text `x`",
    ),
    (
        "release: { store: { file: {}, other: {} } }",
        "16 models.m.release.store: expected one kind, found `file` and `other`; settings belong below the kind",
    ),
    (
        "release: { store: [file] }",
        "16 models.m.release.store: expected a kind, as in `kind` or `kind: { settings }`, found a list",
    ),
    (
        "release: { store: { file: { size: .inf } } }",
        "39 models.m.release.store.file.size: expected a finite number, found the number inf",
    ),
    (
        "release: { channel: beta }",
        "16 models.m.release.channel: unknown key `channel` | known here: `bump`, `store`, `sign`",
    ),
    ("environments: [production]", "5 models.m.environments: expected a mapping, found a list"),
    (
        "environments: { production: }",
        "21 models.m.environments.production.target: the key `target` is missing | name what serves the model there, e.g. `target: local`",
    ),
    (
        "environments: { prod eu: { target: local } }",
        "21 models.m.environments.prod eu: environment name \"prod eu\" is not allowed: it takes letters, digits and - _ / only",
    ),
    (
        "environments: { p: { target: local, strategy: canary } }",
        "51 models.m.environments.p.strategy: a canary needs steps; write `canary: { steps: [{ set-weight: 5 }, { pause: 10m }] }`",
    ),
    (
        "environments: { p: { target: local, strategy: { canary: {} } } }",
        "53 models.m.environments.p.strategy.canary.steps: the key `steps` is missing | write shares of traffic and pauses, e.g. `steps: [{ set-weight: 5 }, { pause: 10m }]`",
    ),
    (
        "environments: { p: { target: local, on-failure: frozen } }",
        "53 models.m.environments.p.on-failure: expected one of `rollback`, `freeze`, `propose`, found `frozen`",
    ),
    (
        "environments: { p: { target: local, progress-deadline: 10 } }",
        "60 models.m.environments.p.progress-deadline: expected text, found the number 10 | quote it, `\"10\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "environments: { p: { target: local, progress-deadline: 0s } }",
        "60 models.m.environments.p.progress-deadline: a deadline of no time fails every rollout",
    ),
    (
        "environments: { p: { target: { local: { url: a, url: b } } } }",
        "53 models.m.environments.p.target.local.url: the key `url` stands here twice | keep one of the two",
    ),
    (
        "environments: { a: { target: local }, b: { target: { local: {} } } }",
        "48 models.m.environments.b.target: the environments `a` and `b` have one target | two environments would move each other's traffic; give each its own target",
    ),
];
