//! Rollouts that are watched: in every state in which people meet them.

use tagship_domain::{
    Timestamp,
    analysis::{
        Analysis, Bound, Judge, JudgeState, Looks, Margin, Measurement, Metric, MetricKind, MetricPhase,
        OnNoData,
    },
    plan::{OnNewer, RolloutPlan, Step, Strategy},
    report::{Section, StepPosition, TimelineEntry},
    rollout::{Kind, Phase, Reason, RolloutState},
    series::{MetricSeries, SeriesPoint},
    traffic::Weight,
    units::Duration,
};

use super::{at, entry, released, state, version};

const MINUTE: u64 = 60;

fn percent(weight: u8) -> Weight {
    Weight::percent(weight).unwrap()
}

fn pause(minutes: u64) -> Step {
    Step::Pause(Some(Duration::from_secs(minutes * MINUTE)))
}

pub(crate) fn metric(name: &str, kind: MetricKind) -> Metric {
    let (judge, promote_margin, min_samples, label_delay) = match kind {
        MetricKind::LabelledAccuracy => {
            (Judge::BoundaryE, Margin::Absolute(0.02), 500, Duration::from_secs(30 * MINUTE))
        }
        MetricKind::Latency => (Judge::BucketE, Margin::Ratio(1.5), 50, Duration::default()),
        MetricKind::PredictionDrift => (Judge::MultinomialE, Margin::Ratio(1.5), 50, Duration::default()),
        _ => (Judge::TwoSpeed, Margin::Ratio(1.5), 50, Duration::default()),
    };
    Metric {
        name: name.to_owned(),
        kind,
        judge,
        tolerance: 1.0,
        promote_margin,
        bound: (kind == MetricKind::LabelledAccuracy).then_some(Bound::MinAccuracy(0.88)),
        min_samples,
        label_delay,
        on_no_data: OnNoData::Wait,
        failure_limit: 0,
        inconclusive_limit: 0,
        consecutive_error_limit: 4,
        own_source: false,
        threshold: None,
        scoring: None,
        kayenta: None,
        dry_run: false,
        weight: 1.0,
    }
}

fn analysis() -> Analysis {
    Analysis {
        interval: Duration::from_secs(MINUTE),
        max_wait: Duration::from_secs(2 * 60 * MINUTE),
        metrics: vec![
            metric("error ratio", MetricKind::ErrorRatio),
            metric("latency p99", MetricKind::Latency),
            metric("accuracy", MetricKind::LabelledAccuracy),
        ],
        kayenta: None,
    }
}

fn plan(from: RolloutPlan) -> RolloutPlan {
    let steps = vec![
        Step::SetWeight(percent(5)),
        pause(10),
        Step::SetWeight(percent(25)),
        pause(10),
        Step::SetWeight(percent(50)),
        pause(10),
    ];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        hold_back: percent(5),
        bake: Duration::from_secs(60 * MINUTE),
        analysis: Some(analysis()),
        on_newer: OnNewer::Supersede,
        ..from
    }
}

/// A judge after a look: verdict, values, observations, and evidence to fail and to pass.
fn judged(
    phase: MetricPhase,
    values: [f64; 2],
    n: [u64; 2],
    evidence: [(f64, f64); 2],
    message: &str,
) -> JudgeState {
    let [(e_value, fails_at), (promotion, succeeds_at)] = evidence;
    JudgeState {
        phase,
        n: n[1],
        message: message.to_owned(),
        measurement: Some(Measurement {
            value: Some(values[0]),
            stable: Some(values[1]),
            n,
            e_value: Some(e_value),
            fails_at: Some(fails_at),
            promotion_e_value: Some(promotion),
            succeeds_at: Some(succeeds_at),
            ..Measurement::default()
        }),
        evidence: None,
        looks: Looks { measured: 14, ..Looks::default() },
    }
}

fn errors_good() -> JudgeState {
    let message = "0.82% of 4,310 requests failed, 0.79% of 52,180 of v1.0.0: within 1.5x";
    judged(MetricPhase::Successful, [0.0082, 0.0079], [52_180, 4_310], [(0.31, 25.0), (31.4, 20.0)], message)
}

fn latency_open() -> JudgeState {
    let message = "p99 is 84 ms, 81 ms of v1.0.0; evidence for either is still thin";
    judged(MetricPhase::Running, [84.2, 81.4], [52_180, 4_310], [(0.42, 20.0), (6.27, 20.0)], message)
}

fn latency_good() -> JudgeState {
    let message = "p99 is 84 ms, 81 ms of v1.0.0: slow at most 1.5x as often";
    judged(MetricPhase::Successful, [84.2, 81.4], [98_207, 40_118], [(0.08, 20.0), (22.8, 20.0)], message)
}

fn accuracy_bad() -> JudgeState {
    let message = "87.2% of 2,310 labels agree, 92.1% of 24,870 of v1.0.0: worse than tolerated";
    judged(MetricPhase::Failed, [0.872, 0.921], [24_870, 2_310], [(24.19, 20.0), (0.003, 20.0)], message)
}

fn no_labels() -> JudgeState {
    JudgeState {
        phase: MetricPhase::Pending,
        n: 0,
        message: "no labels yet; they arrive up to 30m late".to_owned(),
        measurement: None,
        evidence: None,
        looks: Looks::default(),
    }
}

fn minute(index: u32) -> Timestamp {
    at("03:45:00").after(Duration::from_secs(u64::from(index) * MINUTE))
}

/// A series that goes from one value to another with some noise, its evidence to where the judge is.
fn series(name: &str, judge: &JudgeState, looks: u32, from: f64) -> MetricSeries {
    let numbers = judge.measurement.clone().unwrap_or_default();
    let points = (1..=looks).map(|index| {
        let done = f64::from(index) / f64::from(looks);
        let noise = f64::from(index * 7919 % 13) / 13.0 - 0.5;
        let value = numbers.value.map(|to| from + (to - from) * done + noise * (to * 0.004));
        let grown = |e_value: Option<f64>| e_value.map(|e_value| e_value.max(0.001).powf(done));
        SeriesPoint {
            at: minute(index),
            weight: Some(percent(if index <= 10 { 5 } else { 25 })),
            phase: if index == looks { judge.phase } else { MetricPhase::Running },
            value: value.filter(|_| index != 6),
            stable: numbers.stable,
            n: numbers.n.map(|n| n * u64::from(index) / u64::from(looks)),
            e_value: grown(numbers.e_value),
            promotion_e_value: grown(numbers.promotion_e_value),
        }
    });
    MetricSeries::of(name, points.collect())
}

fn all_series(state: &RolloutState, looks: u32) -> Vec<MetricSeries> {
    let from = |name: &str| match name {
        "error ratio" => 0.0071,
        "accuracy" => 0.918,
        _ => 79.0,
    };
    let measured = state.judges.iter().filter(|(_, judge)| judge.measurement.is_some());
    measured.map(|(name, judge)| series(name, judge, looks, from(name))).collect()
}

fn at_step(entry: TimelineEntry, reason: Reason, number: Option<usize>) -> TimelineEntry {
    let step = number.map(|number| StepPosition { number, count: 6 });
    TimelineEntry { reason: Some(reason), step, ..entry }
}

fn story() -> Vec<TimelineEntry> {
    let go = |clock, weight, number, message: &str| {
        at_step(entry(clock, Phase::Progressing, weight, message), Reason::OnTrack, Some(number))
    };
    vec![
        at_step(entry("03:44:33", Phase::Pending, 0, "started by ada"), Reason::Started, None),
        at_step(
            entry("03:44:34", Phase::Validating, 0, "loading v1.1.0 without traffic, then 5 golden cases"),
            Reason::OnTrack,
            None,
        ),
        go("03:44:41", 0, 1, "5 of 5 golden cases passed; giving v1.1.0 5% of the traffic"),
        go("03:45:02", 5, 2, "v1.1.0 has 5% of the traffic, for 10m"),
        go("03:55:02", 5, 3, "no metric failed; giving v1.1.0 25% of the traffic"),
        go("03:55:20", 25, 4, "v1.1.0 has 25% of the traffic, for 10m"),
    ]
}

fn watched(phase: Phase, reason: Reason, weight: u8, message: &str) -> RolloutState {
    let state = state(Kind::Deploy, phase, reason, weight, message);
    let judges = [
        ("error ratio".to_owned(), errors_good()),
        ("latency p99".to_owned(), latency_open()),
        ("accuracy".to_owned(), no_labels()),
    ];
    RolloutState {
        plan: plan(state.plan.clone()),
        judges: state.judges.clone().into_iter().chain(judges).collect(),
        step: 3,
        settled: Some(at("03:55:20")),
        since: at("03:59:01"),
        ..state
    }
}

fn shown(state: RolloutState, timeline: Vec<TimelineEntry>, looks: u32) -> Section {
    let series = all_series(&state, looks);
    Section { rollout: Some(state), timeline, series, ..released() }
}

pub(crate) fn running() -> Section {
    let message = "v1.1.0 has 25% of the traffic for 10m; 1 of 3 metrics is good";
    shown(watched(Phase::Progressing, Reason::OnTrack, 25, message), story(), 14)
}

pub(crate) fn rolled_back_on_accuracy() -> Section {
    let cause = "accuracy failed: 87.2% of 2,310 labels agree, 92.1% of 24,870 of v1.0.0";
    let message = format!("v1.0.0 serves again: {cause}");
    let mut state = watched(Phase::RolledBack, Reason::AnalysisFailed, 0, &message);
    state.cause = Some(cause.to_owned());
    state.judges.insert("accuracy".to_owned(), accuracy_bad());
    let mut timeline = story();
    let end = |clock, phase, weight, message: &str| {
        at_step(entry(clock, phase, weight, message), Reason::AnalysisFailed, None)
    };
    timeline.push(end(
        "03:59:00",
        Phase::RollingBack,
        25,
        &format!("giving all traffic back to v1.0.0: {cause}"),
    ));
    timeline.push(end("03:59:01", Phase::RolledBack, 0, &message));
    shown(state, timeline, 14)
}

fn paused(reason: Reason, message: &str) -> (RolloutState, Vec<TimelineEntry>) {
    let mut state = watched(Phase::Paused, reason, 25, message);
    state.interrupted = Some(Phase::Progressing);
    let mut timeline = story();
    timeline.push(at_step(entry("05:55:20", Phase::Paused, 25, message), reason, Some(4)));
    (state, timeline)
}

pub(crate) fn paused_for_no_data() -> Section {
    let message = "accuracy got no labels within 2h; a person has to decide";
    let (mut state, timeline) = paused(Reason::NoData, message);
    state.judges.insert("latency p99".to_owned(), latency_good());
    shown(state, timeline, 130)
}

pub(crate) fn paused_undecided() -> Section {
    let message = "latency p99 is not decided after 2h at 25%; a person has to decide";
    let (mut state, timeline) = paused(Reason::InconclusiveAnalysis, message);
    let agreed = "92.0% of 2,310 labels agree, 92.1% of 24,870 of v1.0.0";
    state.judges.insert(
        "accuracy".to_owned(),
        judged(
            MetricPhase::Successful,
            [0.920, 0.921],
            [24_870, 2_310],
            [(0.2, 20.0), (48_112.0, 20.0)],
            agreed,
        ),
    );
    state
        .judges
        .insert("latency p99".to_owned(), JudgeState { phase: MetricPhase::Inconclusive, ..latency_open() });
    shown(state, timeline, 130)
}

pub(crate) fn paused_by_hand() -> Section {
    let (state, timeline) = paused(Reason::ManualPause, "paused by grace: on call tonight");
    shown(state, timeline, 14)
}

pub(crate) fn preview() -> Section {
    let message = "v1.1.0 stands ready without traffic; promote it when it has been tried";
    let mut state = state(Kind::Deploy, Phase::Paused, Reason::StepPause, 0, message);
    state.interrupted = Some(Phase::Progressing);
    state.plan.strategy = Strategy::BlueGreen {
        preview: Duration::from_secs(30 * MINUTE),
        auto_promote: false,
        mirror: Weight::NONE,
    };
    state.plan.bake = Duration::from_secs(15 * MINUTE);
    let mut timeline = story()[..2].to_vec();
    timeline.push(at_step(entry("03:44:41", Phase::Paused, 0, message), Reason::StepPause, None));
    shown(state, timeline, 0)
}

fn further(timeline: &mut Vec<TimelineEntry>) {
    let go = |clock, weight, number, message: &str| {
        at_step(entry(clock, Phase::Progressing, weight, message), Reason::OnTrack, number)
    };
    timeline.push(go("04:05:20", 50, Some(6), "v1.1.0 has 50% of the traffic, for 10m"));
    timeline.push(go("04:15:20", 50, None, "all steps are done; giving v1.1.0 95% of the traffic"));
    let message = "v1.1.0 has 95% of the traffic; v1.0.0 keeps 5% to compare with for 1h";
    timeline.push(at_step(entry("04:15:31", Phase::Baking, 95, message), Reason::OnTrack, None));
}

pub(crate) fn baking() -> Section {
    let message = "v1.1.0 has 95% of the traffic; v1.0.0 keeps 5% to compare with for 1h";
    let mut state = watched(Phase::Baking, Reason::OnTrack, 95, message);
    state.step = 6;
    let mut timeline = story();
    further(&mut timeline);
    shown(state, timeline, 40)
}

pub(crate) fn promoted() -> Section {
    let message = "v1.1.0 serves production; it took over from v1.0.0";
    let mut state = watched(Phase::Succeeded, Reason::Completed, 100, message);
    state.step = 6;
    state.since = at("05:15:44");
    let accuracy = "92.4% of 19,204 labels agree, 92.1% of 24,870 of v1.0.0";
    let good = |values, n, promotion, message: &str| {
        judged(MetricPhase::Successful, values, n, [(0.08, 20.0), (promotion, 20.0)], message)
    };
    state.judges.insert("latency p99".to_owned(), latency_good());
    state.judges.insert("accuracy".to_owned(), good([0.924, 0.921], [24_870, 19_204], 48_112.0, accuracy));
    let mut timeline = story();
    further(&mut timeline);
    let end = |clock, phase, message: &str| at_step(entry(clock, phase, 100, message), Reason::OnTrack, None);
    timeline.push(end("05:15:31", Phase::Promoting, "every metric is good; making v1.1.0 stable"));
    timeline.push(end("05:15:40", Phase::Finalising, "v1.1.0 is stable; recording it in the registry"));
    timeline.push(end("05:15:44", Phase::Succeeded, message));
    shown(state, timeline, 90)
}

pub(crate) fn superseded() -> Section {
    let message = "v1.2.0 was released; v1.0.0 serves until it takes over";
    let mut state = watched(Phase::Superseded, Reason::NewerVersion, 0, message);
    state.candidate.version = version("v1.1.0");
    let mut timeline = story();
    let end = |clock, phase, weight, message: &str| {
        at_step(entry(clock, phase, weight, message), Reason::NewerVersion, None)
    };
    timeline.push(end(
        "03:59:00",
        Phase::RollingBack,
        25,
        "v1.2.0 was released; giving all traffic back to v1.0.0",
    ));
    timeline.push(end("03:59:01", Phase::Superseded, 0, message));
    shown(state, timeline, 14)
}

pub(crate) fn unmeasurable() -> Section {
    let cause = "accuracy could not be measured at 5 looks in a row: the feedback counters did not answer";
    let message = format!("v1.0.0 serves again: {cause}");
    let mut state = watched(Phase::RolledBack, Reason::AnalysisError, 0, &message);
    state.cause = Some(cause.to_owned());
    let looks = Looks { measured: 9, consecutive_errors: 5, ..Looks::default() };
    let judge = JudgeState { phase: MetricPhase::Error, message: cause.to_owned(), looks, ..no_labels() };
    state.judges.insert("accuracy".to_owned(), judge);
    let mut timeline = story();
    timeline.push(at_step(entry("03:59:01", Phase::RolledBack, 0, &message), Reason::AnalysisError, None));
    shown(state, timeline, 14)
}
