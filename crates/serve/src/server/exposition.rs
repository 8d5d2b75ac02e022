//! Everything counted, as the Prometheus text format 0.0.4 has it.
//!
//! Names and units follow Prometheus' conventions: counters end in `_total`, times are seconds. Of the label values,
//! model names and versions have grammars that leave nothing to escape; classes are any text. Every counter is read
//! once per page, so that one page never shows more errors than requests.

use std::{borrow::Cow, fmt::Write as _, fs};

use super::{
    context::Server,
    distance::{DISTANCE_BOUNDS, DistanceTotals},
    metrics::{CopyEnding, DurationTotals, Ending, LATENCY_BOUNDS, Pair, Route, ShadowTotals, Totals},
    table::{Arm, Table},
};

/// Media type of the text format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole page.
pub(super) fn page(server: &Server) -> String {
    let table = server.control.table();
    let mut page = String::with_capacity(4096);
    let ways: Vec<Way> = arms(&table).flat_map(ways).collect();
    requests(&mut page, &ways);
    latency(&mut page, &ways);
    feedback(&mut page, &ways);
    classes(&mut page, &table);
    shadows(&mut page, &table);
    versions(&mut page, &table);
    shares_of_copies(&mut page, &table);
    if let Some(log) = &server.log {
        head(
            &mut page,
            "tagship_prediction_log_lines_total",
            "counter",
            "Lines of the prediction log by fate.",
        );
        for (fate, count) in log.counts() {
            let _ = writeln!(page, "tagship_prediction_log_lines_total{{fate=\"{fate}\"}} {count}");
        }
    }
    process(&mut page, server);
    page
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn arms(table: &Table) -> impl Iterator<Item = &Arm> {
    table.models.values().flat_map(|routes| routes.arms.values()).map(AsRef::as_ref)
}

/// What is counted about one way to a version.
struct Way {
    /// Labels that tell it from other ways.
    labels: String,
    totals: Totals,
}

fn ways(arm: &Arm) -> [Way; 3] {
    Route::ALL.map(|route| Way {
        labels: format!("{},route=\"{}\"", version_labels(arm), route.word()),
        totals: arm.metrics.by(route).totals(),
    })
}

fn version_labels(arm: &Arm) -> String {
    format!("model=\"{}\",version=\"{}\"", arm.model, arm.version)
}

fn requests(page: &mut String, ways: &[Way]) {
    let name = "tagship_requests_total";
    head(page, name, "counter", "Inference requests by version, route and how they ended.");
    for Way { labels, totals } in ways {
        for ending in Ending::ALL {
            let count = totals.ended(ending);
            let _ = writeln!(page, "{name}{{{labels},outcome=\"{}\"}} {count}", ending.word());
        }
    }
    let name = "tagship_errors_total";
    head(page, name, "counter", "Inference requests that the version failed or took too long for.");
    for Way { labels, totals } in ways {
        let _ = writeln!(page, "{name}{{{labels}}} {}", totals.ended(Ending::Failed));
    }
}

fn latency(page: &mut String, ways: &[Way]) {
    let name = "tagship_request_duration_seconds";
    head(
        page,
        name,
        "histogram",
        "Time from the complete request to the end of the answer, waiting included.",
    );
    for Way { labels, totals } in ways {
        histogram(page, name, labels, &totals.durations);
    }
}

fn histogram(page: &mut String, name: &str, labels: &str, totals: &DurationTotals) {
    let buckets = totals.cumulative();
    for (bound, count) in LATENCY_BOUNDS.iter().zip(buckets) {
        let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    let (sum, count) = (totals.seconds, buckets[LATENCY_BOUNDS.len()]);
    let _ = writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
    let _ = writeln!(page, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
}

fn feedback(page: &mut String, ways: &[Way]) {
    let name = "tagship_feedback_total";
    head(page, name, "counter", "Labels that came back for predictions, by whether they agreed.");
    for Way { labels, totals } in ways {
        let _ = writeln!(page, "{name}{{{labels},outcome=\"correct\"}} {}", totals.correct);
        let _ = writeln!(page, "{name}{{{labels},outcome=\"incorrect\"}} {}", totals.incorrect);
    }
}

fn classes(page: &mut String, table: &Table) {
    let name = "tagship_predicted_labels_total";
    head(page, name, "counter", "Labels predicted for requests that did not name the version, by class.");
    for arm in arms(table) {
        let labels = version_labels(arm);
        for (class, count) in arm.metrics.classes.totals().into_iter().flatten() {
            let _ = writeln!(page, "{name}{{{labels},label=\"{}\"}} {count}", escaped(&class));
        }
    }
}

fn shadows(page: &mut String, table: &Table) {
    let routes = table.models.values();
    let every = routes.flat_map(|routes| routes.arms.values().map(move |arm| (routes, arm)));
    let told = every.filter_map(|(routes, arm)| {
        let totals = arm.metrics.shadow.totals();
        let totals = totals.or_else(|| routes.is_shadow(arm).then_some(ShadowTotals::NONE));
        totals.map(|totals| (version_labels(arm), totals))
    });
    let told: Vec<_> = told.collect();
    let name = "tagship_shadow_requests_total";
    head(page, name, "counter", "Copies of requests for a shadow version, by how they ended.");
    for (labels, totals) in &told {
        for ending in CopyEnding::ALL {
            let count = totals.ended(ending);
            let _ = writeln!(page, "{name}{{{labels},outcome=\"{}\"}} {count}", ending.word());
        }
    }
    let name = "tagship_shadow_feedback_total";
    head(page, name, "counter", "Labelled requests that a shadow version answered too, by who was wrong.");
    for (labels, totals) in &told {
        for pair in Pair::ALL {
            let count = totals.judged(pair);
            let _ = writeln!(page, "{name}{{{labels},outcome=\"{}\"}} {count}", pair.word());
        }
    }
    let name = "tagship_shadow_inference_seconds";
    head(page, name, "histogram", "How long the models took for copied requests, by whose answer it was.");
    for (labels, totals) in &told {
        histogram(page, name, &format!("{labels},of=\"original\""), &totals.originals);
        histogram(page, name, &format!("{labels},of=\"shadow\""), &totals.answers);
    }
    distances(page, told.iter().map(|(labels, totals)| (labels, &totals.distances)));
}

fn distances<'a>(page: &mut String, told: impl Iterator<Item = (&'a String, &'a DistanceTotals)>) {
    let name = "tagship_shadow_score_distance";
    head(page, name, "histogram", "How far apart the scores of copied requests and their originals were.");
    for (labels, totals) in told {
        let buckets = totals.cumulative();
        for (bound, count) in DISTANCE_BOUNDS.iter().zip(buckets) {
            let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let (sum, count) = (totals.sum, buckets[DISTANCE_BOUNDS.len()]);
        let _ = writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(page, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
    }
}

/// A label value between its quotes.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '"', '\n']) {
        return text.into();
    }
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n").into()
}

fn versions(page: &mut String, table: &Table) {
    head(page, "tagship_version_ready", "gauge", "Whether the version can answer.");
    for arm in arms(table) {
        let ready = u8::from(arm.loaded.is_ok());
        let _ = writeln!(
            page,
            "tagship_version_ready{{model=\"{}\",version=\"{}\"}} {ready}",
            arm.model, arm.version
        );
    }
    head(page, "tagship_version_weight_percent", "gauge", "Share of the model's traffic.");
    for (model, routes) in &table.models {
        for version in routes.arms.keys() {
            let weight = routes.weight(version).get();
            let _ = writeln!(
                page,
                "tagship_version_weight_percent{{model=\"{model}\",version=\"{version}\"}} {weight}"
            );
        }
    }
    let name = "tagship_version_weight_changes_total";
    head(page, name, "counter", "How often the share of the version has changed.");
    for (model, routes) in &table.models {
        for version in routes.arms.keys() {
            let moves = routes.moves(version);
            let _ = writeln!(page, "{name}{{model=\"{model}\",version=\"{version}\"}} {moves}");
        }
    }
}

fn shares_of_copies(page: &mut String, table: &Table) {
    let name = "tagship_version_shadow_percent";
    head(page, name, "gauge", "Share of the model's requests that the version answers copies of.");
    for arm in arms(table) {
        let share = table.models.get(&arm.model).map_or(0, |routes| routes.shadow_share(&arm.version).get());
        let _ = writeln!(page, "{name}{{{}}} {share}", version_labels(arm));
    }
}

fn process(page: &mut String, server: &Server) {
    head(page, "tagship_requests_in_flight", "gauge", "Requests in progress.");
    let _ = writeln!(page, "tagship_requests_in_flight {}", server.in_flight());
    head(
        page,
        "tagship_requests_turned_away_total",
        "counter",
        "Requests refused because too many were in progress.",
    );
    let _ = writeln!(page, "tagship_requests_turned_away_total {}", server.turned_away());
    if let Some(seconds) = cpu_seconds() {
        head(page, "process_cpu_seconds_total", "counter", "CPU time of the process, user and system.");
        let _ = writeln!(page, "process_cpu_seconds_total {seconds}");
    }
    if let Some(bytes) = resident_bytes() {
        head(page, "process_resident_memory_bytes", "gauge", "Resident memory of the process.");
        let _ = writeln!(page, "process_resident_memory_bytes {bytes}");
    }
}

fn cpu_seconds() -> Option<f64> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u32::try_from(spent.tv_sec).ok()?;
    let nanos = u32::try_from(spent.tv_nsec).ok()?;
    Some(f64::from(seconds) + f64::from(nanos) / 1e9)
}

/// Second field of Linux's `statm`, in pages; absent where there is no such file.
fn resident_bytes() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
