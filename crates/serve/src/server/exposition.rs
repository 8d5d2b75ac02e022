//! Everything counted, as the Prometheus text format 0.0.4 has it.
//!
//! Models and versions have grammars that leave nothing to escape; predicted labels are escaped.

use std::{
    fmt::Write as _,
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    context::Server,
    metrics::{Ending, LATENCY_BOUNDS, Traffic},
    table::{Arm, Table},
};

/// Media type of the text format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole page.
pub(super) fn page(server: &Server) -> String {
    let table = server.control.table();
    let mut page = String::with_capacity(4096);
    requests(&mut page, &table);
    latency(&mut page, &table);
    feedback(&mut page, &table);
    classes(&mut page, &table);
    versions(&mut page, &table);
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

/// Both ways to a version, with their labels.
fn ways(arm: &Arm) -> [(String, &Traffic); 2] {
    let labels = |route| format!("model=\"{}\",version=\"{}\",route=\"{route}\"", arm.model, arm.version);
    [(labels("weighted"), &arm.metrics.routed), (labels("direct"), &arm.metrics.direct)]
}

fn requests(page: &mut String, table: &Table) {
    let name = "tagship_requests_total";
    head(page, name, "counter", "Inference requests by version, route and how they ended.");
    for (labels, traffic) in arms(table).flat_map(ways) {
        for ending in Ending::ALL {
            let count = traffic.ended(ending);
            let _ = writeln!(page, "{name}{{{labels},outcome=\"{}\"}} {count}", ending.word());
        }
    }
    let name = "tagship_errors_total";
    head(page, name, "counter", "Inference requests that the version failed or took too long for.");
    for (labels, traffic) in arms(table).flat_map(ways) {
        let _ = writeln!(page, "{name}{{{labels}}} {}", traffic.ended(Ending::Failed));
    }
}

fn latency(page: &mut String, table: &Table) {
    let name = "tagship_request_duration_seconds";
    head(
        page,
        name,
        "histogram",
        "Time from the complete request to the end of the answer, waiting included.",
    );
    for (labels, traffic) in arms(table).flat_map(ways) {
        let (buckets, sum) = traffic.latency();
        for (bound, count) in LATENCY_BOUNDS.iter().zip(buckets) {
            let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let count = buckets[LATENCY_BOUNDS.len()];
        let _ = writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(page, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
    }
}

fn feedback(page: &mut String, table: &Table) {
    let name = "tagship_feedback_total";
    head(
        page,
        name,
        "counter",
        "Labels that came back for requests routed by weight, by whether they agreed.",
    );
    for arm in arms(table) {
        let labels = format!("model=\"{}\",version=\"{}\"", arm.model, arm.version);
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let _ = writeln!(page, "{name}{{{labels},outcome=\"correct\"}} {}", count(&arm.metrics.correct));
        let _ = writeln!(page, "{name}{{{labels},outcome=\"incorrect\"}} {}", count(&arm.metrics.incorrect));
    }
}

fn classes(page: &mut String, table: &Table) {
    let name = "tagship_predicted_labels_total";
    head(page, name, "counter", "Predicted labels by class, of requests routed by weight.");
    for arm in arms(table) {
        for (class, count) in arm.metrics.classes.counts().into_iter().flatten() {
            let (model, version, class) = (&arm.model, &arm.version, escaped(&class));
            let _ =
                writeln!(page, "{name}{{model=\"{model}\",version=\"{version}\",label=\"{class}\"}} {count}");
        }
    }
}

/// A label value, which a model made up.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
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
