//! Verdicts of Argo Rollouts on recorded looks, by a model of its rules, beside those of the imported plan.

use tagship_domain::plan::{Step, Strategy};
use tagship_import::System;

use super::{
    looks::{Answer, Seeded},
    specs::{USED, argo_blue_green, argo_canary},
    walk::{End, Walked, environment, imported, notes, plan, walk},
};

/// What a measurement comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measured {
    Successful,
    Failed,
    Inconclusive,
    Error,
}

/// A metric as the rules of the other system have it: limits, and what each answer comes to.
struct Model {
    failure_limit: i64,
    inconclusive_limit: i64,
    consecutive_error_limit: i64,
    consecutive_success_limit: i64,
    count: Option<i64>,
    measure: fn(Answer) -> Measured,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            failure_limit: 0,
            inconclusive_limit: 0,
            consecutive_error_limit: 4,
            consecutive_success_limit: 0,
            count: None,
            measure: success,
        }
    }
}

/// `successCondition: result[0] >= 0.95`: NaN compares with nothing, and no series has no first one.
fn success(answer: Answer) -> Measured {
    match answer {
        Answer::Number(number) if number >= 0.95 => Measured::Successful,
        Answer::Number(_) | Answer::NotANumber => Measured::Failed,
        Answer::Empty | Answer::Broken => Measured::Error,
    }
}

/// `failureCondition: result[0] < 0.95`.
fn failure(answer: Answer) -> Measured {
    match answer {
        Answer::Number(number) if number < 0.95 => Measured::Failed,
        Answer::Number(_) | Answer::NotANumber => Measured::Successful,
        Answer::Empty | Answer::Broken => Measured::Error,
    }
}

/// Both, with a gap: `successCondition: result[0] >= 0.95` and `failureCondition: result[0] < 0.9`.
fn both(answer: Answer) -> Measured {
    match answer {
        Answer::Number(number) if number < 0.9 => Measured::Failed,
        Answer::Number(number) if number >= 0.95 => Measured::Successful,
        Answer::Number(_) | Answer::NotANumber => Measured::Inconclusive,
        Answer::Empty | Answer::Broken => Measured::Error,
    }
}

impl Model {
    /// The end of a run over these answers, and after how many; a run without end is over with its answers.
    fn run(&self, answers: &[Answer]) -> (End, usize) {
        let (mut failed, mut inconclusive, mut errors, mut successes, mut counted) = (0, 0, 0, 0, 0);
        for (index, answer) in answers.iter().enumerate() {
            let measured = (self.measure)(*answer);
            match measured {
                Measured::Error => errors += 1,
                _ => (errors, counted) = (0, counted + 1),
            }
            successes = if measured == Measured::Successful { successes + 1 } else { 0 };
            failed += i64::from(measured == Measured::Failed);
            inconclusive += i64::from(measured == Measured::Inconclusive);
            let mut end = None;
            if self.failure_limit >= 0 && failed > self.failure_limit {
                end = Some(End::RolledBack);
            }
            if inconclusive > self.inconclusive_limit {
                end = Some(End::Paused);
            }
            if errors > self.consecutive_error_limit {
                end = Some(End::RolledBack);
            }
            let needs = self.consecutive_success_limit;
            let is_over = self.count.is_some_and(|count| counted >= count);
            let end = end.or(match (needs > 0 && successes >= needs, is_over) {
                (true, _) => Some(End::Promoted),
                (false, true) if needs == 0 => Some(End::Promoted),
                (false, true) if self.failure_limit < 0 => Some(End::RolledBack),
                (false, true) => Some(End::Paused),
                (false, false) => None,
            });
            if let Some(end) = end {
                return (end, index + 1);
            }
        }
        (
            if self.count.is_none() && self.consecutive_success_limit == 0 {
                End::Promoted
            } else {
                End::Open
            },
            answers.len(),
        )
    }
}

const ODD: [Answer; 3] = [Answer::NotANumber, Answer::Empty, Answer::Broken];
const LOOKS: usize = 40;

fn stepwise(metric: &str) -> String {
    argo_canary(&format!("[{{ setWeight: 20 }}, {{ analysis: {USED} }}]"), "", metric)
}

#[test]
fn a_run_as_a_step_ends_as_there() {
    let cases: [(&str, Model); 9] = [
        ("{ C, count: 5 }", Model { count: Some(5), ..Model::default() }),
        ("{ C, count: 8, failureLimit: 3 }", Model { count: Some(8), failure_limit: 3, ..Model::default() }),
        (
            "{ C, count: 6, failureLimit: -1 }",
            Model { count: Some(6), failure_limit: -1, ..Model::default() },
        ),
        (
            "{ C, count: 6, failureLimit: 1, consecutiveErrorLimit: 0 }",
            Model { count: Some(6), failure_limit: 1, consecutive_error_limit: 0, ..Model::default() },
        ),
        (
            "{ F, count: 6, failureLimit: 2 }",
            Model { count: Some(6), failure_limit: 2, measure: failure, ..Model::default() },
        ),
        ("{ B, count: 6 }", Model { count: Some(6), measure: both, ..Model::default() }),
        (
            "{ B, count: 9, inconclusiveLimit: 2, failureLimit: 2 }",
            Model {
                count: Some(9),
                inconclusive_limit: 2,
                failure_limit: 2,
                measure: both,
                ..Model::default()
            },
        ),
        (
            "{ C, count: 9, failureLimit: 6, consecutiveSuccessLimit: 4 }",
            Model { count: Some(9), failure_limit: 6, consecutive_success_limit: 4, ..Model::default() },
        ),
        (
            "{ C, count: 9, failureLimit: -1, consecutiveSuccessLimit: 4 }",
            Model { count: Some(9), failure_limit: -1, consecutive_success_limit: 4, ..Model::default() },
        ),
    ];
    let (mut equal, mut explained) = (0, 0);
    for (fields, model) in &cases {
        let metric = expand(fields);
        let imported = imported(System::Argo, &stepwise(&metric));
        let plan = plan(&imported);
        let mut seeded = Seeded(17);
        for round in 0..100 {
            let others: &[Answer] = if round % 2 == 0 { &[] } else { &ODD };
            let answers = seeded.looks(LOOKS, &[0.95, 0.97, 1.0], &[0.2, 0.92, 0.9499], others);
            let (theirs, after) = model.run(&answers);
            let ours = walk(&plan, answers.len(), |_, look| answers[look.min(LOOKS - 1)]);
            let context = || format!("{fields}: theirs {theirs:?} after {after}, ours {ours:?}\n{answers:?}");
            if theirs == ours.end && (theirs == End::Open || after == ours.looks) {
                equal += 1;
                continue;
            }
            explain(&imported, &answers[..after.max(ours.looks).min(LOOKS)], &ours, context);
            explained += 1;
        }
    }
    // Most agree exactly; those that do not had an answer without a value, which a note is about.
    assert!(equal > 700 && explained > 15, "{equal} equal, {explained} explained");
}

/// A difference is one that a note announces.
fn explain(
    imported: &tagship_domain::import::Import,
    seen: &[Answer],
    ours: &Walked,
    context: impl Fn() -> String,
) {
    // No look was good, and as many are tolerated as were taken.
    if !seen.iter().any(|answer| success(*answer) == Measured::Successful) {
        assert!(ours.end == End::Paused && notes(imported, "without one good look"), "{}", context());
        return;
    }
    let without_value = seen.iter().any(|answer| matches!(answer, Answer::NotANumber | Answer::Empty));
    assert!(without_value, "{}", context());
    assert!(notes(imported, "NaN is") && notes(imported, "an answer without a series"), "{}", context());
    assert!(!ours.message.is_empty());
}

/// Short forms of conditions.
fn expand(fields: &str) -> String {
    let inner = fields.trim_start_matches("{ ").trim_end_matches(" }");
    let mut lines = vec!["interval: 1m".to_owned()];
    for part in inner.split(", ") {
        lines.extend(match part {
            "C" => vec!["successCondition: result[0] >= 0.95".to_owned()],
            "F" => vec!["failureCondition: result[0] < 0.95".to_owned()],
            "B" => vec![
                "successCondition: result[0] >= 0.95".to_owned(),
                "failureCondition: result[0] < 0.9".to_owned(),
            ],
            other => vec![other.to_owned()],
        });
    }
    lines.join("\n      ")
}

#[test]
fn a_run_beside_the_steps_fails_as_there_and_has_to_end_well() {
    let steps =
        "[{ setWeight: 20 }, { pause: { duration: 5m } }, { setWeight: 50 }, { pause: { duration: 5m } }]";
    let mut equal = 0;
    for limit in [0, 1, 3] {
        let metric = expand(&format!("{{ C, failureLimit: {limit} }}"));
        let imported = imported(System::Argo, &argo_canary(steps, &format!("analysis: {USED}"), &metric));
        let (plan, model) = (plan(&imported), Model { failure_limit: limit, ..Model::default() });
        let mut seeded = Seeded(5);
        for _ in 0..80 {
            let answers = seeded.looks(LOOKS, &[0.96, 1.0], &[0.1, 0.94], &[]);
            // The steps take ten looks; the run is ended with them.
            let (theirs, after) = model.run(&answers[..10]);
            let ours = walk(&plan, LOOKS, |_, look| answers[look.min(LOOKS - 1)]);
            if theirs == End::RolledBack {
                assert_eq!((&ours.end, ours.looks), (&End::RolledBack, after), "{answers:?}");
                equal += 1;
            } else if success(answers[9]) == Measured::Successful {
                assert_eq!((&ours.end, ours.looks), (&End::Promoted, 10), "{answers:?} {ours:?}");
                equal += 1;
            } else {
                assert!(ours.looks > 10 || ours.end == End::RolledBack, "{answers:?} {ours:?}");
                assert!(notes(&imported, "Here its newest value has to be good before the last traffic"));
            }
        }
    }
    assert!(equal > 160, "{equal}");
}

#[test]
fn the_shares_of_a_canary_are_those_of_its_steps() {
    let steps = "[{ setWeight: 20 }, { pause: {} }, { setWeight: 40 }, { pause: { duration: 10 } }, { setWeight: 60 }, \
                 { pause: { duration: 10 } }, { setWeight: 80 }, { pause: { duration: 10 } }]";
    let imported = imported(System::Argo, &argo_canary(steps, "", "interval: 1m"));
    let walked = walk(&plan(&imported), 1, |_, _| Answer::Broken);
    assert_eq!((walked.end, walked.shares), (End::Promoted, vec![0, 20, 40, 60, 80, 100]));
    assert!(imported.notes.iter().any(|note| note.text == "the rollout does not use it"));
}

#[test]
fn blue_green_measures_before_and_after_the_switch() {
    let both = format!("prePromotionAnalysis: {USED}\n      postPromotionAnalysis: {USED}");
    let metric = expand("{ C, count: 3, failureLimit: 1 }");
    let spec = argo_blue_green(&both, &metric);
    let imported = imported(System::Argo, &spec);
    let environment = environment(&imported);
    let Strategy::BlueGreen { preview, auto_promote, mirror } = &environment.strategy else { panic!() };
    assert_eq!((preview.to_string().as_str(), *auto_promote, mirror.get()), ("3m", true, 100));
    assert_eq!(environment.bake.to_string(), "3m");
    assert_eq!(environment.abort_scale_down_delay.to_string(), "30s");
    let plan = plan(&imported);
    let model = Model { count: Some(3), failure_limit: 1, ..Model::default() };
    let mut seeded = Seeded(29);
    for _ in 0..100 {
        let answers = seeded.looks(LOOKS, &[0.96, 1.0], &[0.1, 0.94], &[]);
        // Two runs there, one after the other.
        let (before, used) = model.run(&answers);
        let theirs = if before == End::Promoted {
            let (after, more) = model.run(&answers[used..]);
            (after, used + more)
        } else {
            (before, used)
        };
        let ours = walk(&plan, LOOKS, |_, look| answers[look.min(LOOKS - 1)]);
        assert_eq!((&ours.end, ours.looks), (&theirs.0, theirs.1), "{answers:?} {ours:?}");
    }
}

#[test]
fn a_preview_that_waits_for_a_person_does_so_here() {
    let imported = imported(
        System::Argo,
        &argo_blue_green("autoPromotionEnabled: false\n      scaleDownDelaySeconds: 60", "interval: 1m"),
    );
    let environment = environment(&imported);
    assert!(matches!(environment.strategy, Strategy::BlueGreen { auto_promote: false, .. }));
    assert_eq!(environment.scale_down_delay.to_string(), "60s".replace("60s", "1m"));
}

#[test]
fn what_is_not_carried_over_is_decided_by_a_person() {
    for (steps, background, persons) in [
        (format!("[{{ setWeight: 20 }}, {{ analysis: {USED} }}, {{ setWeight: 50 }}]"), String::new(), 1),
        ("[{ setWeight: 20 }]".to_owned(), format!("analysis: {USED}"), 1),
    ] {
        // Every answer is good there where no condition is given, and these cannot be said here.
        for metric in [
            "count: 1",
            "count: 1\n      successCondition: result matches \"a.*\"",
            "count: 1\n      successCondition: \"true\"",
        ] {
            let imported = imported(System::Argo, &argo_canary(&steps, &background, metric));
            let environment = environment(&imported);
            let Strategy::Canary { steps } = &environment.strategy else { panic!() };
            let waits = steps.iter().filter(|step| **step == Step::Pause(None)).count();
            assert_eq!((waits, environment.analysis.is_none()), (persons, true), "{}", imported.config);
            assert!(notes(&imported, "A person decides in its place"), "{metric}");
        }
    }
}
