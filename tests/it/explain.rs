//! Why each step of a rollout was taken: over journals that the real engine wrote, and through the program.

mod walk;

use std::fs;

use tagship_domain::{
    Duration, Provenance,
    analysis::MetricReading,
    event::Command,
    explanation::Cause,
    plan::{OnNewer, RolloutPlan, Step, Strategy},
    rollout::{EffectResult, Kind, Phase},
    traffic::Weight,
};
use tagship_report::{explain, html, terminal};

use crate::workbench::Workbench;
use walk::{Walk, canary, judged, release};

/// The story must have a line with this beginning that holds these words.
fn tells(walk: &Walk, beginning: &str, words: &str) {
    let story = walk.story();
    let told = story.lines().any(|line| line.starts_with(beginning) && line.contains(words));
    assert!(told, "no {beginning:?} with {words:?} in:\n{story}");
    assert!(!story.contains("unknown:"), "everything has a cause:\n{story}");
}

#[test]
fn a_canary_without_metrics_is_led_by_the_clock() {
    let mut walk = Walk::begin(&canary());
    walk.looks(vec![]).minutes(6);
    tells(&walk, "Pending start", "alice deploys v1.1.0 to production, where v1.0.0 serves.");
    tells(&walk, "Validating plan", "Nothing stood in the way: loading v1.1.0");
    tells(&walk, "Progressing check", "was passed");
    tells(&walk, "Progressing confirmed", "in force: v1.1.0 has 10% of the traffic");
    tells(&walk, "Progressing clock", "The share had been held for 2m");
    tells(&walk, "Succeeded confirmed", "v1.1.0 serves production; it took over from v1.0.0.");
    let explained = walk.explained();
    assert_eq!(explained.decisions[0].run.as_deref(), Some("https://ci.example/runs/alice"));
    assert!(
        explained.complete
            && explained.traffic.iter().any(|point| point.stable.is_some_and(|w| w.get() == 90))
    );
}

#[test]
fn verdicts_on_metrics_are_told_with_their_numbers() {
    // Held for longer than the verdict takes.
    let mut patient = judged();
    if let Strategy::Canary { steps } = &mut patient.strategy {
        steps.pop();
        steps.push(Step::Pause(Some(Duration::from_secs(900))));
    }
    let mut good = Walk::begin(&patient);
    good.errors = Some([10, 10]);
    good.looks(vec![]).minutes(40);
    assert_eq!(good.state.phase, Phase::Succeeded, "{}", good.story());
    tells(&good, "Progressing metrics", "errors is good; that alone moves nothing yet.");
    tells(&good, "Progressing clock", "no verdict that is needed here was missing");
    let by_errors = good.explained().decisions.into_iter().find(|one| one.cause == Cause::Metrics).unwrap();
    assert!(by_errors.evidence[0].measurement.promotion_e_value > Some(20.0), "{by_errors:?}");

    let mut bad = Walk::begin(&judged());
    bad.errors = Some([10, 200]);
    bad.looks(vec![]).minutes(10);
    tells(
        &bad,
        "RollingBack metrics",
        "The candidate was bad in errors: giving all traffic back to v1.0.0: at 10%",
    );
    tells(&bad, "RolledBack confirmed", "v1.0.0 serves again");

    let mut silent = Walk::begin(&judged());
    silent.looks(vec![]).minutes(60);
    tells(&silent, "Paused metrics", "There was no data to decide by: v1.1.0 was held for 30m");
}

#[test]
fn people_are_named_with_what_they_asked_for() {
    let person = |walk: &Walk, command: Option<Command>| {
        let causes: Vec<Cause> = walk.explained().decisions.into_iter().map(|one| one.cause).collect();
        let named = causes.iter().any(|cause| {
            matches!(cause, Cause::Person { command: asked, by: Some(Provenance { actor, .. }) }
                if *asked == command && actor == "bob")
        });
        assert!(named, "{command:?} in {causes:?}");
    };
    let mut walk = Walk::begin(&canary());
    walk.looks(vec![]).told(Command::Pause).passes(60).told(Command::Resume).told(Command::Promote);
    walk.told(Command::PromoteFull);
    for command in [Command::Pause, Command::Resume, Command::Promote, Command::PromoteFull] {
        person(&walk, Some(command));
    }
    tells(&walk, "Paused person", "bob paused it");
    let promoted = walk
        .explained()
        .decisions
        .into_iter()
        .find(|one| matches!(one.cause, Cause::Person { command: Some(Command::Promote), .. }));
    let Some(Cause::Person { by: Some(by), .. }) = promoted.map(|one| one.cause) else { panic!("nobody") };
    assert_eq!(by.run.as_deref(), Some("https://ci.example/runs/bob"), "the journal keeps who waived what");

    let mut stopped = Walk::begin(&canary());
    stopped.looks(vec![]).told(Command::Abort);
    person(&stopped, Some(Command::Abort));
    let waits =
        Strategy::Canary { steps: vec![Step::SetWeight(Weight::percent(10).unwrap()), Step::Pause(None)] };
    let mut asked = Walk::begin(&RolloutPlan { strategy: waits, ..canary() });
    asked.looks(vec![]).told(Command::Promote);
    tells(&asked, "Paused plan", "The plan stops here for a person");
    person(&asked, None);
}

#[test]
fn trouble_is_told_as_what_it_was() {
    let refused = EffectResult::Refused("quota exceeded".to_owned());
    let mut walk = Walk::begin(&canary());
    walk.result = refused.clone();
    walk.looks(vec![]);
    tells(&walk, "Failed refused", "It was not possible to load the candidate without traffic");

    let mut stuck = Walk::begin(&canary());
    stuck.looks(vec![]).result = refused;
    stuck.told(Command::Abort);
    tells(&stuck, "RollbackFailed refused", "quota exceeded");
    stuck.result = EffectResult::Applied;
    stuck.told(Command::Abort);
    tells(&stuck, "RollingBack person", "bob has going back tried again");

    let mut lost = Walk::begin(&canary());
    lost.looks(vec![]).served = vec!["v1.0.0"];
    lost.passes(10);
    tells(&lost, "RollingBack target", "What is served is not what was ordered");

    let mut silent = Walk::begin(&canary());
    silent.looks(vec![]).reachable = false;
    silent.passes(700);
    tells(&silent, "RollingBack deadline", "It took longer than the plan allows");
}

#[test]
fn newer_versions_freezes_and_the_guard_are_told() {
    let mut queued = Walk::begin(&canary());
    queued.looks(vec![]).newer = Some(release("v1.2.0"));
    queued.passes(5);
    tells(
        &queued,
        "Progressing newer version",
        "v1.2.0 came meanwhile and waits until this rollout has ended.",
    );

    let mut gives_way = Walk::begin(&RolloutPlan { on_newer: OnNewer::Supersede, ..canary() });
    gives_way.looks(vec![]).newer = Some(release("v1.2.0"));
    gives_way.passes(5);
    tells(&gives_way, "RollingBack newer version", "v1.2.0 is newer");

    let freeze = vec!["Tue 12:01 - Tue 13:00 UTC".parse().unwrap()];
    let mut frozen = Walk::begin(&RolloutPlan { freeze: freeze.clone(), ..canary() });
    frozen.looks(vec![]).minutes(70);
    tells(&frozen, "Waiting freeze", "A freeze began to hold it");
    tells(&frozen, "Progressing freeze over", "the freeze is over");
    let mut overruled = Walk::begin(&RolloutPlan { freeze, ..canary() });
    overruled.looks(vec![]).minutes(5).told(Command::Promote);
    tells(&overruled, "Progressing person", "bob led it on in spite of a freeze");

    let guard = Walk::begin_as(Kind::Rollback, &canary(), Some("accuracy fell to 80%"));
    tells(&guard, "Pending guard", "accuracy fell to 80%");
}

#[test]
fn what_changed_nothing_is_folded_and_what_is_missing_is_not_invented() {
    let mut walk = Walk::begin(&judged());
    walk.errors = Some([10, 11]);
    walk.looks(vec![]).minutes(2);
    walk.passes(1);
    let looks =
        walk.explained().decisions.iter().filter(|one| matches!(one.cause, Cause::Looks { .. })).count();
    assert!(looks <= 2 && walk.chain.len() > looks + 4, "{}", walk.story());

    // Nobody led it for an hour.
    walk.passes(3_600);
    let silences: Vec<String> =
        walk.explained().decisions.iter().filter_map(|one| Some(one.silence?.to_string())).collect();
    assert_eq!(silences, ["1h"]);

    let cut = explain(&walk.chain[4..]).unwrap();
    assert!(!cut.complete);
    assert_eq!((&cut.decisions[0].cause, &cut.decisions[0].before), (&Cause::Unknown, &None));
    assert!(cut.decisions[0].sentence.starts_with("The journal does not say why"), "{cut:?}");
    assert_eq!(explain(&[]), None);
}

#[test]
fn hostile_text_stays_text() {
    let mut walk = Walk::begin(&judged());
    walk.errors = Some([10, 200]);
    walk.looks(vec![]).minutes(10);
    let evil = "</style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J";
    for entry in &mut walk.chain {
        entry.state.message = format!("{evil}{}", entry.state.message);
        entry.state.by = Provenance { actor: evil.to_owned(), run: Some("javascript:alert(1)".to_owned()) };
        entry.run = Some(format!("https://x/\"><script>{evil}"));
        for judge in entry.state.judges.values_mut() {
            judge.message = evil.to_owned();
        }
        for metric in entry.state.plan.analysis.iter_mut().flat_map(|analysis| &mut analysis.metrics) {
            metric.name = evil.to_owned();
        }
        for reading in entry.looks.iter_mut().flat_map(|look| &mut look.metrics) {
            reading.name = evil.to_owned();
        }
    }
    let explained = walk.explained();
    let page = html::explanation(&explained);
    for broken in ["<script", "<img", "href=\"javascript", "\u{202e}", "\u{1b}"] {
        assert!(!page.contains(broken), "{broken}");
    }
    assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'"));
    assert_eq!((page.matches("<style>").count(), page.matches("</style>").count()), (1, 1));
    let style = terminal::Style { color: false, width: 80, unicode: true };
    assert!(!terminal::explanation(&explained, &style).contains('\u{1b}'));
}

#[test]
fn a_thousand_looks_at_many_metrics_are_a_small_page() {
    let mut walk = Walk::begin(&judged());
    walk.errors = Some([10, 11]);
    walk.looks(vec![]).minutes(3);
    let look = walk.chain.iter().rev().find_map(|entry| entry.looks.iter().find(|l| !l.metrics.is_empty()));
    let look = look.unwrap().clone();
    let last = walk.chain.last().unwrap().clone();
    for minute in 1..=1_000_u32 {
        let mut look = look.clone();
        look.at = last.at.after(Duration::from_secs(60 * u64::from(minute)));
        let mut reading = look.metrics[0].clone();
        // Every value differs from the one before, so that nothing but thinning keeps the page small.
        let noise = f64::from(minute * 7_919 % 997) / 997.0;
        let numbers = &mut reading.measurement;
        (numbers.value, numbers.stable) = (Some(0.01 + 0.001 * noise), Some(0.011 - 0.001 * noise));
        (numbers.ci, numbers.e_value) = (Some([0.008 * noise, 0.02 + noise / 100.0]), Some(noise * 3.0));
        numbers.promotion_e_value = Some(noise * 9.0);
        if minute == 500 {
            numbers.value = Some(0.9);
        }
        look.metrics =
            (0..10).map(|at| MetricReading { name: format!("metric {at}"), ..reading.clone() }).collect();
        let commit = format!("{:040x}", 10_000 + minute).parse().unwrap();
        walk.chain.push(tagship_domain::explanation::Recorded {
            commit,
            at: look.at,
            looks: vec![look],
            ..last.clone()
        });
    }
    let explained = walk.explained();
    assert!(explained.metrics.iter().any(|metric| metric.points.len() == 1_000));
    let page = html::explanation(&explained);
    assert!(page.len() < 300_000, "{} bytes", page.len());
    let folded = explained.decisions.last().unwrap();
    assert!(
        folded.sentence.starts_with("100") && folded.sentence.contains(" looks, no verdict changed"),
        "{}",
        folded.sentence
    );
}

/// A repository whose production serves v0.1.0, whose canaries wait for a person, with a second version released.
fn bench() -> Workbench {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let waits = "        strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }\n";
    bench.clone.write("tagship.yml", format!("{config}{waits}"));
    next(&bench, "v2");
    bench
}

fn next(bench: &Workbench, variant: &str) {
    bench.put(variant);
    bench.push(&format!("Bring {variant}"));
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
}

/// Phases and causes as the program tells them.
fn explained(bench: &Workbench, more: &[&str]) -> Vec<String> {
    let run = bench.run(&[&["rollout", "explain", "--format", "json"], more].concat());
    run.assert_code(0);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["schema"], "tagship/explanation/v1");
    let decisions =
        told["decisions"].as_array().unwrap().iter().filter(|one| one["cause"]["cause"] != "looks");
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    decisions
        .map(|one| format!("{} {}", word(&one["after"]["phase"]), word(&one["cause"]["cause"])))
        .collect()
}

#[test]
fn the_program_names_every_decision_of_a_promotion_and_of_a_rollback() {
    let bench = bench();
    bench.run(&["rollout"]).assert_code(4);
    bench.run(&["rollout", "--promote"]).assert_code(0);
    let promoted = explained(&bench, &[]);
    let way = [
        "Pending start",
        "Validating plan",
        "Progressing check",
        "Progressing confirmed",
        "Paused plan",
        "Progressing person",
        "Promoting confirmed",
        "Finalising confirmed",
        "Succeeded confirmed",
    ];
    assert_eq!(promoted, way);

    next(&bench, "v3");
    bench.run(&["rollout"]).assert_code(4);
    bench.run(&["rollout", "--abort"]).assert_code(1);
    let back = explained(&bench, &[]);
    assert_eq!(back[5..], ["RollingBack person", "RolledBack confirmed"], "{back:?}");
    assert_eq!(
        explained(&bench, &["--rollout", "production-v0.2.0-2"]),
        promoted,
        "older ones are there too"
    );

    let page = bench.clone.path().join("why.html");
    let text = bench.run(&["rollout", "explain", "--html", page.to_str().unwrap()]);
    text.assert_code(0);
    assert!(text.stdout.contains("stopped it") && !text.stdout.contains('\u{1b}'), "{}", text.stdout);
    assert!(fs::read_to_string(page).unwrap().contains("v0.2.0 → v0.3.0"));
    let unknown = bench.run(&["rollout", "explain", "--rollout", "nope"]);
    unknown.assert_code(2);
    assert!(unknown.stderr.contains("production-v0.3.0-3"), "{}", unknown.stderr);
}
