//! Rollouts and analyses with one mistake each, and the one answer to it.

use super::brief;

const PREFIX: &str = "models.m.environments.p";

/// An environment whose keys begin on the eighth line, in the ninth column.
fn environment(keys: &str) -> String {
    let indented = keys.replace('\n', "\n        ");
    super::model(&format!("    environments:\n      p:\n        target: local\n        {indented}\n"))
}

#[test]
fn every_mistake_in_a_rollout_has_its_answer() {
    assert!(ENVIRONMENTS.len() >= 40, "{}", ENVIRONMENTS.len());
    let mut wrong = Vec::new();
    for (keys, answer) in ENVIRONMENTS {
        let found = brief(&environment(keys)).join("\n").replace(PREFIX, "p");
        if found != *answer {
            wrong.push(format!("{keys}\nexpected {answer}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Keys of an environment beside its target.
const ENVIRONMENTS: &[(&str, &str)] = &[
    (
        "environment-url: churn.example.org",
        "8:26 p.environment-url: the address does not begin with http:// or https:// | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: \"javascript:alert(1)\"",
        "8:26 p.environment-url: the address does not begin with http:// or https:// | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: https:///x",
        "8:26 p.environment-url: the address names no host | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: https://ada:secret@churn.example.org",
        "8:26 p.environment-url: the address holds credentials, which everyone would see | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: https://churn.example.org/a b",
        "8:26 p.environment-url: the address holds ' ', which has to be written percent-encoded | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: \"https://churn.example.org/\\n\"",
        "8:26 p.environment-url: the address holds '\\n', which has to be written percent-encoded | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "environment-url: https://größe.example.org",
        "8:26 p.environment-url: the address holds 'ö', which has to be written percent-encoded | write `http://` or `https://`, a host and a path, as in `https://churn.example.org/`",
    ),
    (
        "freeze: [ weekends ]",
        "8:19 p.freeze[0]: \"weekends\" is no window; write it like `Fri 16:00 - Mon 08:00 Europe/Berlin`",
    ),
    (
        "freeze: [ \"Fri 16:00 - Mon 08:00 UTC\", \"Freitag 16:00 - Mon 08:00 UTC\" ]",
        "8:48 p.freeze[1]: \"Freitag\" is no day of the week; there is Mon, Tue, Wed, Thu, Fri, Sat, Sun",
    ),
    (
        "freeze: [ \"Fri 16:00 - Mon 08:00 Europe/Atlantis\" ]",
        "8:19 p.freeze[0]: \"Europe/Atlantis\" is no time zone; write its name like `Europe/Berlin`, or `UTC`",
    ),
    (
        "freeze: [ \"Fri 16 - Mon 08:00 UTC\" ]",
        "8:19 p.freeze[0]: \"16\" is no time of day; write it like `08:00`",
    ),
    (
        "freeze: [ \"Mon 00:00 - Fri 00:00 UTC\", \"Thu 00:00 - Mon 00:00 UTC\" ]",
        "8:9 p.freeze: the windows leave no time of the week in which a rollout could begin | a lock keeps new versions out until a person unlocks: `tagship lock`",
    ),
    ("after: staging", "8:16 p.after: the model has no environment `staging` | there is no other"),
    (
        "after: p",
        "8:16 p.after: `p` would have to come after itself | leave `after` out where a version goes first",
    ),
    (
        "strategy: { canary: { steps: [] } }",
        "8:31 p.strategy.canary.steps: no step gives the new version traffic | begin with a small share, e.g. `{ set-weight: 5 }`",
    ),
    (
        "strategy: { canary: { steps: [{ pause: 10m }] } }",
        "8:31 p.strategy.canary.steps: no step gives the new version traffic | begin with a small share, e.g. `{ set-weight: 5 }`",
    ),
    (
        "strategy: { canary: { step: [] } }",
        "8:31 p.strategy.canary.step: unknown key `step` | did you mean `steps`?",
    ),
    (
        "strategy: { canary: { steps: { set-weight: 5 } } }",
        "8:31 p.strategy.canary.steps: expected a list, found a mapping",
    ),
    (
        "strategy: { canary: { steps: [5, { set-weight: 5 }] } }",
        "8:39 p.strategy.canary.steps[0]: expected a step, as in `set-weight: 5`, `pause: 10m` or `pause: {}`, found the number 5",
    ),
    (
        "strategy: { canary: { steps: [set-weight] } }",
        "8:39 p.strategy.canary.steps[0]: expected a step, as in `set-weight: 5`, `pause: 10m` or `pause: {}`, found the text `set-weight`",
    ),
    (
        "strategy: { canary: { steps: [{ setweight: 5 }] } }",
        "8:41 p.strategy.canary.steps[0].setweight: unknown key `setweight` | did you mean `set-weight`?",
    ),
    (
        "strategy: { canary: { steps: [{ setWeight: 5 }] } }",
        "8:41 p.strategy.canary.steps[0].setWeight: unknown key `setWeight` | did you mean `set-weight`?",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5, pause: 10m }] } }",
        "8:39 p.strategy.canary.steps[0]: only one of `set-weight`, `pause` can be chosen | write one, e.g. `set-weight: 5` or `pause: 10m`",
    ),
    (
        "strategy: { canary: { steps: [{}, { set-weight: 5 }] } }",
        "8:39 p.strategy.canary.steps[0]: one of `set-weight`, `mirror`, `pause` is missing | write one, e.g. `set-weight: 5` or `pause: 10m`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 0 }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: a weight of 0 gives the new version no traffic to be judged on | write the first share, e.g. `set-weight: 5`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 101 }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: expected a share of traffic in whole percent from 0 to 100, as in `5` or `5%`, found the number 101",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 101% }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: expected a share of traffic in whole percent from 0 to 100, as in `5` or `5%`, found the number 101",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5.5 }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: expected a share of traffic in whole percent from 0 to 100, as in `5` or `5%`, found the number 5.5",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: -5 }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: expected a share of traffic in whole percent from 0 to 100, as in `5` or `5%`, found the number -5",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: few }] } }",
        "8:53 p.strategy.canary.steps[0].set-weight: expected a share of traffic in whole percent from 0 to 100, as in `5` or `5%`, found the text `few`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 25 }, { set-weight: 5 }] } }",
        "8:73 p.strategy.canary.steps[1].set-weight: the weight 5% does not grow: an earlier step has 25% | let every `set-weight` be larger than the one before",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: 1m }, { set-weight: 5 }] } }",
        "8:87 p.strategy.canary.steps[2].set-weight: the weight 5% does not grow: an earlier step has 5% | let every `set-weight` be larger than the one before",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: 10 }] } }",
        "8:67 p.strategy.canary.steps[1].pause: a pause carries a unit; write `10m` for minutes or `10s` for seconds",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: 0s }] } }",
        "8:67 p.strategy.canary.steps[1].pause: a pause of no time waits for nothing | leave it out, or write `pause: {}` to wait for a person",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: long }] } }",
        "8:67 p.strategy.canary.steps[1].pause: \"long\" is not a duration; write a number and a unit, e.g. 50ms, 90s, 10m, 1h30m or 2d",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: { duration: 10m } }] } }",
        "8:60 p.strategy.canary.steps[1].pause: a pause has no keys; write its length, as in `pause: 10m`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { pause: [10m] }] } }",
        "8:60 p.strategy.canary.steps[1].pause: expected a duration with its unit, as in `10m`, or `{}` to wait for a person, found a list",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] }, blue-green: {} }",
        "8:9 p.strategy: only one of `canary`, `blue-green` can be chosen | write one, e.g. `canary: { steps: [{ set-weight: 5 }, { pause: 10m }] }`",
    ),
    (
        "strategy: {}",
        "8:9 p.strategy: one of `canary`, `linear`, `blue-green`, `shadow`, `a-b` is missing | write one, e.g. `canary: { steps: [{ set-weight: 5 }, { pause: 10m }] }`",
    ),
    (
        "strategy: [canary]",
        "8:9 p.strategy: expected a strategy: `all-at-once`, `canary: { steps: [...] }` or `blue-green: { preview: 10m }`, found a list",
    ),
    (
        "strategy: canarry",
        "8:19 p.strategy: expected `all-at-once`, `canary` with its steps, `linear`, `blue-green`, `shadow` or `a-b`, found `canarry`; did you mean `canary`?",
    ),
    (
        "strategy: blue-grene",
        "8:19 p.strategy: expected `all-at-once`, `canary` with its steps, `linear`, `blue-green`, `shadow` or `a-b`, found `blue-grene`; did you mean `blue-green`?",
    ),
    (
        "strategy: { bluegreen: {} }",
        "8:21 p.strategy.bluegreen: unknown key `bluegreen` | did you mean `blue-green`?",
    ),
    (
        "strategy: { blue-green: { preview: 10 } }",
        "8:44 p.strategy.blue-green.preview: expected text, found the number 10 | quote it, `\"10\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "strategy: { blue-green: { auto-promotion: true } }",
        "8:35 p.strategy.blue-green.auto-promotion: unknown key `auto-promotion` | did you mean `auto-promote`?",
    ),
    (
        "strategy: { blue-green: { auto-promote: maybe } }",
        "8:49 p.strategy.blue-green.auto-promote: expected `true` or `false`, found the text `maybe`",
    ),
    (
        "strategy:",
        "8:9 p.strategy: expected a strategy: `all-at-once`, `canary: { steps: [...] }` or `blue-green: { preview: 10m }`, found nothing",
    ),
    ("on-newer: replace", "8:19 p.on-newer: expected one of `queue-latest`, `supersede`, found `replace`"),
    (
        "hold-back: 50%\nbake: 10m",
        "8:20 p.hold-back: a hold-back is below 50%, not 50% | 5% is enough to compare with where traffic is not rare",
    ),
    (
        "hold-back: 5\nstrategy: blue-green",
        "8:20 p.hold-back: stable keeps its hold-back until the bake ends, and there is no bake | set `bake: 10m`, or leave `hold-back` out",
    ),
    (
        "hold-back: 5%\nbake: 10m\nstrategy: { canary: { steps: [{ set-weight: 50 }, { set-weight: 96 }] } }",
        "10:73 p.strategy.canary.steps[1].set-weight: a weight of 96% leaves stable less than the hold-back of 5% | give at most 95, or hold less back",
    ),
    (
        "hold-back: 5%\nbake: 10m\nstrategy: { canary: { steps: [{ set-weight: 50 }, { set-weight: 100 }] } }",
        "10:73 p.strategy.canary.steps[1].set-weight: a weight of 100% leaves stable less than the hold-back of 5% | leave the step out: after the last one the new version gets 95% by itself",
    ),
    (
        "bake: 10",
        "8:15 p.bake: expected text, found the number 10 | quote it, `\"10\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "analysis: { metrics: [{ name: errors, kind: error-ratio }] }",
        "8:9 p.analysis: the metrics would never be measured: there is no time in which the new version has traffic and is not stable yet | set `bake: 10m`, or choose a canary",
    ),
    (
        "strategy: { blue-green: { preview: 10m } }\nanalysis: { metrics: [{ name: errors, kind: error-ratio }] }",
        "9:9 p.analysis: the metrics would never be measured: there is no time in which the new version has traffic and is not stable yet | set `bake: 10m`, or choose a canary",
    ),
    (
        "bake: 10m\nanalysis: { metrics: [{ name: errors, kind: error-ratio }] }",
        "9:31 p.analysis.metrics[0].bound: no traffic of stable is left during the bake to compare `errors` with | set `hold-back: 5%`, or give the metric `bound: { max: 2% }`",
    ),
    (
        "bake: 10m\nstrategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: l, kind: latency }] }",
        "10:31 p.analysis.metrics[0].bound: no traffic of stable is left during the bake to compare `l` with | set `hold-back: 5%`, or give the metric `bound: { p99: 100ms }`",
    ),
    (
        "bake: 10m\nstrategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: p, kind: paired-accuracy }] }",
        "10:48 p.analysis.metrics[0].kind: `p` would never be measured: nothing copies requests to the new version | choose `strategy: { shadow: { for: 1h } }`, or begin a canary with the step `mirror: 100`",
    ),
    (
        "strategy: { shadow: { for: 1h } }\nanalysis: { metrics: [{ name: a, kind: labelled-accuracy }] }",
        "9:48 p.analysis.metrics[0].kind: `a` would never be measured: copies of requests do not show labelled-accuracy | set `bake: 10m`, or add steps with traffic",
    ),
    (
        "strategy: { shadow: { for: 1h } }\nanalysis: { metrics: [{ name: d, kind: disagreement }] }",
        "9:31 p.analysis.metrics[0].bound: disagreement needs a bound: some versions are meant to answer differently | write how much is fine, e.g. `bound: { max: 2% }`",
    ),
    (
        "strategy: { shadow: { for: 1h } }\nanalysis: { metrics: [{ name: d, kind: score-distance }] }",
        "9:31 p.analysis.metrics[0].bound: a score distance needs a bound: some versions are meant to score differently | write how much is fine, e.g. `bound: { beyond: { distance: 0.05, max: 2% } }`",
    ),
    (
        "strategy: { shadow: { for: 1h } }\nanalysis: { metrics: [{ name: d, kind: score-distance, bound: { beyond: { distance: 0, max: 2% } } }] }",
        "9:93 p.analysis.metrics[0].bound.beyond.distance: a distance is a number above 0 | write e.g. `distance: 0.05`",
    ),
    (
        "strategy: { shadow: { for: 1h } }\nanalysis: { metrics: [{ name: d, kind: disagreement, bound: { max: 2% }, promote-margin: { ratio: 2 } }] }",
        "9:82 p.analysis.metrics[0].promote-margin: disagreement is held against its bound, so it has no margin | leave `promote-margin` out",
    ),
    (
        "strategy: { shadow: {} }",
        "8:21 p.strategy.shadow.for: the key `for` is missing | write e.g. `for: 1h`",
    ),
    (
        "strategy: { shadow: { mirror: 0, for: 1h } }",
        "8:39 p.strategy.shadow.mirror: a mirror of 0 copies no requests | write the share to copy, e.g. `mirror: 100`",
    ),
    (
        "strategy: { shadow: { for: 0s } }",
        "8:36 p.strategy.shadow.for: in no time nothing is measured | write a time, e.g. `1h`",
    ),
    (
        "strategy: shadow",
        "8:19 p.strategy: the strategy `shadow` needs settings; write `shadow: { for: 1h }`",
    ),
    (
        "strategy: { a-b: { for: 1h } }",
        "8:21 p.strategy.a-b.sticky: the key `sticky` is missing | write e.g. `sticky: x-user-id`, or `match: { header: x-cohort, exact: beta }`",
    ),
    (
        "strategy: { a-b: { share: 100, sticky: x, for: 1h } }",
        "8:35 p.strategy.a-b.share: a share of 100% leaves one side without traffic | halves tell most, `share: 50`",
    ),
    (
        "strategy: { a-b: { sticky: 'x y', for: 1h } }",
        "8:36 p.strategy.a-b.sticky: header name \"x y\" is not allowed: it takes 1 to 128 letters, digits and !#$%&'*+-.^_`|~",
    ),
    (
        "strategy: { a-b: { match: { header: x-cohort }, for: 1h } }",
        "8:28 p.strategy.a-b.match.exact: the key `exact` is missing | write e.g. `exact: beta`",
    ),
    (
        "strategy: { a-b: { match: { header: x-cohort, exact: beta }, share: 20, for: 1h } }",
        "8:70 p.strategy.a-b.share: `share` draws who gets the new version, and `match` says it | write one of them",
    ),
    (
        "strategy: { a-b: { match: { header: x-cohort, exact: ' beta' }, for: 1h } }",
        "8:62 p.strategy.a-b.match.exact: header value \" beta\" is not allowed: it takes 1 to 256 printable ASCII characters, and no space at an end",
    ),
    (
        "strategy: { linear: { step-weight: 60, pause: 1m } }",
        "8:44 p.strategy.linear.step-weight: steps of 60% do not lead to 50% | write e.g. `step-weight: 10`",
    ),
    (
        "strategy: { linear: { pause: 1m } }",
        "8:21 p.strategy.linear.step-weight: the key `step-weight` is missing | write e.g. `step-weight: 10`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { mirror: 100 }] } }",
        "8:68 p.strategy.canary.steps[1].mirror: a version with 5% of the traffic answers no copies of requests | copy requests before the first `set-weight`",
    ),
    (
        "bake: 10m\nanalysis: { metrics: [{ name: e, kind: error-ratio, bound: { max: 2% } }, { name: d, kind: prediction-drift }] }",
        "9:83 p.analysis.metrics[1].bound: no traffic of stable is left during the bake to compare `d` with | set `hold-back: 5%`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }, { set-weight: 100 }] } }\nanalysis: { metrics: [{ name: errors, kind: error-ratio }] }",
        "8:72 p.strategy.canary.steps[1].set-weight: at a weight of 100% no traffic of stable is left to compare `errors` with | leave the step out, promotion gives the new version everything, or give the metric `bound: { max: 2% }`",
    ),
    ("analysis: []", "8:9 p.analysis: expected a mapping, found a list"),
    (
        "analysis:",
        "8:9 p.analysis.metrics: the key `metrics` is missing | write one, e.g. `metrics: [{ name: errors, kind: error-ratio }]`",
    ),
    (
        "analysis: { metrics: [] }",
        "8:21 p.analysis.metrics: an analysis without metrics judges nothing | write one, e.g. `metrics: [{ name: errors, kind: error-ratio }]`, or leave `analysis` out",
    ),
    (
        "analysis: { metrics: [{ name: d, kind: prediction-drift }] }",
        "8:21 p.analysis.metrics: every metric only advises, so that none decides whether the version is good | add one that does, e.g. `{ name: errors, kind: error-ratio }`",
    ),
    ("analysis: { metric: [] }", "8:21 p.analysis.metric: unknown key `metric` | did you mean `metrics`?"),
    (
        "analysis: { interval: 0s, metrics: [{ name: e, kind: error-ratio }] }",
        "8:31 p.analysis.interval: an interval is 1s or longer, not 0s | errors come in bursts: `60s` tells them from a bad version, shorter ones may not",
    ),
    (
        "analysis: { interval: 500ms, metrics: [{ name: e, kind: error-ratio }] }",
        "8:31 p.analysis.interval: an interval is 1s or longer, not 500ms | errors come in bursts: `60s` tells them from a bad version, shorter ones may not",
    ),
    (
        "analysis: { max-wait: 60, metrics: [{ name: e, kind: error-ratio }] }",
        "8:31 p.analysis.max-wait: expected text, found the number 60 | quote it, `\"60\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "analysis: { on-no-data: pass, metrics: [{ name: e, kind: error-ratio }] }",
        "8:33 p.analysis.on-no-data: expected one of `wait`, `inconclusive`, `fail`, found `pass`",
    ),
    (
        "analysis: { metrics: [{ kind: error-ratio }] }",
        "8:31 p.analysis.metrics[0].name: the key `name` is missing | write what people call it, e.g. `name: errors`",
    ),
    (
        "analysis: { metrics: [{ name: '', kind: error-ratio }] }",
        "8:39 p.analysis.metrics[0].name: the name is empty | write what people call it, e.g. `name: errors`",
    ),
    (
        "analysis: { metrics: [{ name: smoke, kind: error-ratio }] }",
        "8:39 p.analysis.metrics[0].name: the name `smoke` is taken by the check before any traffic | write what people call it, e.g. `name: errors`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio }, { name: e, kind: latency }] }",
        "8:71 p.analysis.metrics[1].name: the name `e` is used twice | give each metric its own name",
    ),
    (
        "analysis: { metrics: [{ name: e }] }",
        "8:31 p.analysis.metrics[0].kind: the key `kind` is missing | write what is measured, one of `error-ratio`, `latency`, `labelled-accuracy`, `paired-accuracy`, `disagreement`, `score-distance`, `prediction-drift`, `value`, `score`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-rate }] }",
        "8:48 p.analysis.metrics[0].kind: expected one of `error-ratio`, `latency`, `labelled-accuracy`, `paired-accuracy`, `disagreement`, `score-distance`, `prediction-drift`, `value`, `score`, found `error-rate` | did you mean `error-ratio`?",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, judge: bucket-e }] }",
        "8:68 p.analysis.metrics[0].judge: the judge `bucket-e` does not fit the kind error-ratio | write `two-speed` or `boundary-e`, or leave `judge` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: latency, judge: two-speed }] }",
        "8:64 p.analysis.metrics[0].judge: the judge `two-speed` does not fit the kind latency | write `bucket-e`, or leave `judge` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, judge: mann-whitney }] }",
        "8:68 p.analysis.metrics[0].judge: expected one of `two-speed`, `boundary-e`, `bucket-e`, `paired-sign-e`, `multinomial-e`, `threshold`, `fixed-horizon`, `kayenta`, found `mann-whitney`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, tolerance: 0.9 }] }",
        "8:72 p.analysis.metrics[0].tolerance: a tolerance is 1 or more, not 0.9 | `1` tolerates nothing worse than stable, `1.25` a quarter more",
    ),
    (
        "analysis: { metrics: [{ name: d, kind: prediction-drift, tolerance: 2 }, { name: e, kind: latency }] }",
        "8:77 p.analysis.metrics[0].tolerance: prediction-drift tells any difference, it has no tolerance | leave `tolerance` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: 1.5 }] }",
        "8:77 p.analysis.metrics[0].promote-margin: expected a mapping, found the number 1.5",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: {} }] }",
        "8:61 p.analysis.metrics[0].promote-margin: one of `ratio`, `absolute` is missing | write one, e.g. `promote-margin: { ratio: 1.5 }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: { ratio: 1.5, absolute: 0.02 } }] }",
        "8:61 p.analysis.metrics[0].promote-margin: only one of `ratio`, `absolute` can be chosen | write one, e.g. `promote-margin: { ratio: 1.5 }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: { ratio: 1 } }] }",
        "8:86 p.analysis.metrics[0].promote-margin.ratio: a ratio margin is above 1, not 1 | with none, a candidate as good as stable is never promoted; half as much again is `1.5`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: { absolute: 0 } }] }",
        "8:89 p.analysis.metrics[0].promote-margin.absolute: a share lies above 0 and below 1, as in `0.02` or `2%`, not at 0",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, promote-margin: { absolute: -0.1 } }] }",
        "8:89 p.analysis.metrics[0].promote-margin.absolute: a share lies above 0 and below 1, as in `0.02` or `2%`, not at -0.1",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: labelled-accuracy, promote-margin: { ratio: 1.5 } }] }",
        "8:85 p.analysis.metrics[0].promote-margin.ratio: the margin of labelled-accuracy is a number of points, not a ratio | write `promote-margin: { absolute: 0.02 }`, which is two points",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio }, { name: d, kind: prediction-drift, promote-margin: { ratio: 1.5 } }] }",
        "8:98 p.analysis.metrics[1].promote-margin: prediction-drift promotes nothing, so it has no margin | leave `promote-margin` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: 2% }] }",
        "8:68 p.analysis.metrics[0].bound: expected a mapping, found the text `2%`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: {} }] }",
        "8:61 p.analysis.metrics[0].bound: one of `max`, `min`, `beyond`, `p50`, `p90`, `p95`, `p99`, `p99.9` is missing | write one, e.g. `bound: { max: 2% }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: { min: 0.9 } }] }",
        "8:70 p.analysis.metrics[0].bound.min: `min` does not bound a metric of the kind error-ratio | write `bound: { max: 2% }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: labelled-accuracy, bound: { max: 2% } }] }",
        "8:76 p.analysis.metrics[0].bound.max: `max` does not bound a metric of the kind labelled-accuracy | write `bound: { min: 0.90 }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: latency, bound: { p98: 10ms } }] }",
        "8:66 p.analysis.metrics[0].bound.p98: unknown key `p98` | did you mean `p90`?",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: latency, bound: { p99: 10ms, p50: 1ms } }] }",
        "8:57 p.analysis.metrics[0].bound: only one of `p50`, `p99` can be chosen | write one, e.g. `bound: { p99: 100ms }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: latency, bound: { p99: 0s } }] }",
        "8:71 p.analysis.metrics[0].bound.p99: a limit of no time fails every answer | write `bound: { p99: 100ms }`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: latency, bound: { p99: 100 } }] }",
        "8:71 p.analysis.metrics[0].bound.p99: expected text, found the number 100 | quote it, `\"100\"`; a duration or size carries a unit, as in `90s` or `64MiB`",
    ),
    (
        "analysis: { metrics: [{ name: p, kind: paired-accuracy, bound: { min: 0.9 } }] }",
        "8:65 p.analysis.metrics[0].bound: paired-accuracy is only measured against stable, no bound fits it | leave `bound` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: { max: 2 } }] }",
        "8:75 p.analysis.metrics[0].bound.max: a share lies above 0 and below 1, as in `0.02` or `2%`, not at 2; did you mean `2%`?",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: { max: 200% } }] }",
        "8:75 p.analysis.metrics[0].bound.max: a share lies above 0 and below 1, as in `0.02` or `2%`, not at 200%",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, bound: { max: low } }] }",
        "8:75 p.analysis.metrics[0].bound.max: expected a share above 0 and below 1, as in `0.02` or `2%`, found the text `low`",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, min-samples: 0 }] }",
        "8:74 p.analysis.metrics[0].min-samples: a verdict needs at least one sample | leave `min-samples` out for 50, or write 1 or more",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, label-delay: 10m }] }",
        "8:74 p.analysis.metrics[0].label-delay: a metric of the kind error-ratio needs no labels, so none are late | leave `label-delay` out",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, failure-limit: -1 }] }",
        "8:76 p.analysis.metrics[0].failure-limit: expected a number of looks, or `off` to tolerate any number, found the number -1",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, failurelimit: 1 }] }",
        "8:61 p.analysis.metrics[0].failurelimit: unknown key `failurelimit` | did you mean `failure-limit`?",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, source: { target: { url: x } } }] }",
        "8:61 p.analysis.metrics[0].source: the source `target` has no settings | write `source: target`, or name another source with its settings",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, source: 5 }] }",
        "8:69 p.analysis.metrics[0].source: expected a kind, as in `kind` or `kind: { settings }`, found the number 5",
    ),
    (
        "analysis: { metrics: [{ name: e, kind: error-ratio, source: { page: {}, other: {} } }] }",
        "8:61 p.analysis.metrics[0].source: expected one kind, found `page` and `other`; settings belong below the kind",
    ),
    (
        "analysis: { metrics: [{ name: d, kind: paired-accuracy, source: { page: {} } }] }",
        "8:65 p.analysis.metrics[0].source: only the target counts paired-accuracy | leave `source` out",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1 }] }",
        "9:31 p.analysis.metrics[0].source: a value is answered by a source, not by the target | name one, e.g. `source: { http: { url: ... } }`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, source: { http: {} } }] }",
        "9:31 p.analysis.metrics[0].success: a value without a condition says nothing | write e.g. `max: 0.05`, or `success: result <= 0.05`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, success: result < 1, source: { http: {} } }] }",
        "9:55 p.analysis.metrics[0].max: `max` is short for a condition, and `success` is one already | leave one of them out",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, min: 2, source: { http: {} } }] }",
        "9:68 p.analysis.metrics[0].min: no value is at least 2 and at most 1 | what is good lies between `min` and `max`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: .inf, source: { http: {} } }] }",
        "9:60 p.analysis.metrics[0].max: expected a finite number, found the number inf",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, bound: { max: 2% }, tolerance: 2, min-samples: 5, source: { http: {} } }] }",
        "9:63 p.analysis.metrics[0].bound: `bound` is about counts, and a value is judged by its conditions | leave it out; `success`, `max` or `min` say what is good\n9:83 p.analysis.metrics[0].tolerance: `tolerance` is about counts, and a value is judged by its conditions | leave it out; `success`, `max` or `min` say what is good\n9:97 p.analysis.metrics[0].min-samples: `min-samples` is about counts, and a value is judged by its conditions | leave it out; `success`, `max` or `min` say what is good",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, label-delay: 5m, source: { http: {} } }] }",
        "9:76 p.analysis.metrics[0].label-delay: a metric of the kind value needs no labels, so none are late | leave `label-delay` out",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, count: 0, source: { http: {} } }] }",
        "9:70 p.analysis.metrics[0].count: no look at all proves nothing | leave `count` out, or write 1 or more",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, count: 2, consecutive-success-limit: 3, source: { http: {} } }] }",
        "9:70 p.analysis.metrics[0].count: 2 looks never hold 3 good ones in a row | write 3 or more, or leave `count` out",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, success: result < stable, source: { http: { url: x } } }] }",
        "9:81 p.analysis.metrics[0].source: a condition reads `stable`, and the source is asked without {{arm}} | write {{arm}} where the version stands, so that both are asked about",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, judge: two-speed, source: { http: {} } }] }",
        "9:70 p.analysis.metrics[0].judge: the judge `two-speed` does not fit the kind value | write `threshold` or `kayenta`, or leave `judge` out",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: v, kind: value, max: 1, failure-limit: never, source: { http: {} } }] }",
        "9:78 p.analysis.metrics[0].failure-limit: expected a number of looks, or `off` to tolerate any number, found the text `never`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio, max: 1, success: result < 1 }] }",
        "9:61 p.analysis.metrics[0].max: `max` is about values, and error-ratio judges counts | leave it out, or choose the kind `value`\n9:69 p.analysis.metrics[0].success: `success` is about values, and error-ratio judges counts | leave it out, or choose the kind `value`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio, dry-run: true }] }",
        "9:21 p.analysis.metrics: every metric only advises, so that none decides whether the version is good | add one that does, e.g. `{ name: errors, kind: error-ratio }`",
    ),
    (
        "bake: 5m\nanalysis: { metrics: [{ name: v, kind: value, success: result < stable, source: { http: { url: \"x/{{arm}}\" } } }] }",
        "9:64 p.analysis.metrics[0].success: no traffic of stable is left during the bake to compare `v` with | set `hold-back: 5%`, or write conditions that do not read `stable`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: s, kind: score, score: f1, positive: 1, margin: 0.02, horizon: { rows: 2000 }, source: { predictions: { files: [a.csv] } } }] }",
        "9:48 p.analysis.metrics[0].kind: a score never promotes alone: it is judged once, and nothing watches the new version before and after that | add a metric that is judged at every look, e.g. `{ name: errors, kind: error-ratio }`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio }, { name: s, kind: score, source: { predictions: { files: [a.csv] } } }] }",
        "9:63 p.analysis.metrics[1].horizon: a score is judged once, and nothing says when | write `horizon: { rows: 2000 }`, or `horizon: { after: 24h }`\n9:63 p.analysis.metrics[1].margin: the key `margin` is missing | write how much worse than stable's score is fine, e.g. `margin: 0.02`; with none, a version as good as stable is never promoted\n9:63 p.analysis.metrics[1].score: the key `score` is missing | write which one, one of `f1`, `precision`, `recall`, `auc`, `log-loss`, `brier`, `rmse`, `mae`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio }, { name: s, kind: score, score: f1, margin: 0, horizon: { rows: 60000 }, source: { predictions: { files: [a.csv] } } }] }",
        "9:63 p.analysis.metrics[1].positive: f1 is about one class, and nothing says which | name it as labels do, e.g. `positive: churned`, or `positive: 1`\n9:106 p.analysis.metrics[1].margin: a margin is above 0, not 0 | write how much worse than stable's score is fine, e.g. `margin: 0.02`; with none, a version as good as stable is never promoted\n9:126 p.analysis.metrics[1].horizon.rows: a score is computed of at most 50000 predictions | write 50000 or less",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio }, { name: s, kind: score, score: mae, positive: 1, margin: 1, horizon: { rows: 20 } }] }",
        "9:63 p.analysis.metrics[1].source: a score is computed from labelled predictions, which no target keeps | name where they are, e.g. `source: { predictions: { files: [labels/churn.csv] } }`\n9:99 p.analysis.metrics[1].positive: mae is about numbers, it knows no class | leave `positive` out\n9:123 p.analysis.metrics[1].horizon: 20 predictions are fewer than the 50 that a verdict needs | write 50 or more, or a smaller `min-samples`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio }, { name: s, kind: score, score: mae, margin: 1, horizon: { rows: 200, after: 1h }, failure-limit: 1, tolerance: 2, source: { predictions: { files: [a.csv] } } }] }",
        "9:110 p.analysis.metrics[1].horizon: only one of `rows`, `after` can be chosen | write one, e.g. `horizon: { rows: 2000 }`, or `horizon: { after: 24h }`\n9:145 p.analysis.metrics[1].failure-limit: `failure-limit` is about looks at counts, and a score is judged once | leave it out; `margin` says how much worse than stable it may be\n9:163 p.analysis.metrics[1].tolerance: `tolerance` is about looks at counts, and a score is judged once | leave it out; `margin` says how much worse than stable it may be",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio, score: f1, horizon: { after: 1h }, weight: 0 }] }",
        "9:61 p.analysis.metrics[0].score: `score` is about scores, and error-ratio is none | leave it out, or choose the kind `score`\n9:72 p.analysis.metrics[0].horizon: `horizon` is about scores, and error-ratio is none | leave it out, or choose the kind `score`\n9:104 p.analysis.metrics[0].weight: a weight is above 0, not 0 | `2` takes twice as much of the error rate as a metric without a weight; one that should not decide has `dry-run: true`",
    ),
    (
        "strategy: { canary: { steps: [{ set-weight: 5 }] } }\nanalysis: { metrics: [{ name: e, kind: error-ratio }, { name: v, kind: value, max: 1, weight: 2, source: { http: {} } }] }",
        "9:95 p.analysis.metrics[1].weight: value takes nothing of the error rate, so it has no weight | leave `weight` out",
    ),
    ("notify: { slack: {} }", "8:9 p.notify: expected a list, found a mapping"),
    (
        "notify: [slack, { slack: { on: pause } }]",
        "8:40 p.notify[1].slack.on: expected a list of what is told, with at least one entry | write a list, e.g. `on: [pause, rollback]`, or leave `on` out",
    ),
    (
        "notify: [{ slack: { on: [] } }]",
        "8:29 p.notify[0].slack.on: expected a list of what is told, with at least one entry | write a list, e.g. `on: [pause, rollback]`, or leave `on` out",
    ),
    (
        "notify: [{ slack: { on: [pause, rolback] } }]",
        "8:41 p.notify[0].slack.on[1]: `rolback` is nothing that is told | write one of `start`, `pause`, `promotion`, `rollback`",
    ),
    (
        "notify: [{ slack: { on: [5] } }]",
        "8:34 p.notify[0].slack.on[0]: `5` is nothing that is told | write one of `start`, `pause`, `promotion`, `rollback`",
    ),
    (
        "notify: [{ slack: {}, teams: {} }]",
        "8:18 p.notify[0]: expected one kind, found `slack` and `teams`; settings belong below the kind",
    ),
    ("notifiy: []", "8:9 p.notifiy: unknown key `notifiy` | did you mean `notify`?"),
];
