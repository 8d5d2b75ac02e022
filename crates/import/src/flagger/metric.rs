//! Metrics: what each check asks, and what it must keep.

use super::{
    builtin::{self, Subject},
    plan::Plan,
    template,
};
use crate::{
    document::{Document, Documents},
    draft::Draft,
    fields::Fields,
    metric::{Metric, NoData, Source, free_name, one_line},
    notes::About,
};

/// The server that is asked where nothing is said.
const SERVER: &str = "http://prometheus:9090";
/// The window of a query where nothing is said.
const WINDOW: &str = "1m";

/// What metrics are read with.
pub(super) struct Context<'a> {
    pub(super) spec: &'a Fields<'a>,
    pub(super) canary: &'a Document,
    pub(super) documents: &'a Documents,
    pub(super) provider: &'a str,
}

/// A metric as it is read.
struct Check {
    name: String,
    min: Option<f64>,
    max: Option<f64>,
    source: Source,
}

/// Reads the metrics into the draft, and says whether there are any.
pub(super) fn read(
    analysis: &Fields<'_>,
    context: &Context<'_>,
    server: Option<&str>,
    plan: &Plan,
    draft: &mut Draft,
) -> bool {
    let notes = analysis.notes();
    let mut checks: Vec<Check> = vec![];
    let mut used = vec![];
    for fields in analysis.list("metrics") {
        let wanted = fields.text("name").unwrap_or_default();
        let taken: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        let name = free_name(&wanted, &taken);
        match check(&fields, &name, &wanted, context, server, &mut used) {
            Ok(Some(check)) => {
                if check.name != wanted {
                    let text = format!("the name `{wanted}` is taken or not allowed; it is called `{name}`");
                    notes.differs(About::Metric(name), fields.here(), text);
                }
                checks.push(check);
            }
            Ok(None) => {
                let text =
                    "it is no built-in metric and names no template, so that it is never checked there";
                notes.left_out(About::Key("analysis"), fields.here(), text);
            }
            Err(why) => {
                draft.person = true;
                let text = format!(
                    "`{wanted}` is not carried over, because {why}. A person decides in its place: write the metric, then take \
                     the pause out"
                );
                notes.by_hand(About::Key("analysis"), fields.here(), text);
            }
        }
    }
    for document in
        context.documents.of_kind("MetricTemplate").filter(|document| !used.contains(&document.title()))
    {
        notes.left_out(About::Environment, document.title(), "the canary does not use it");
    }
    // Together they never tolerate more failed checks than are tolerated there over all of them.
    let tolerated = (plan.threshold - 1) / (checks.len() as u64).max(1);
    let count = plan.needed() + plan.threshold - 1;
    limits(analysis, plan, checks.len(), tolerated, count);
    for check in checks {
        if !check.source.asks_by_version() {
            let text = "its source is asked without {{arm}}, which stands for the version: see that it is about the candidate \
                        alone, e.g. version=\"{{arm}}\"";
            notes.by_hand(
                About::Metric(check.name.clone()),
                format!("{} {}", context.canary.title(), check.name),
                text,
            );
        }
        draft.metrics.push(Metric {
            name: check.name,
            success: None,
            failure: None,
            min: check.min,
            max: check.max,
            count: Some(count.max(1)),
            failure_limit: Some(tolerated),
            inconclusive_limit: 0,
            consecutive_error_limit: plan.threshold - 1,
            consecutive_success_limit: None,
            on_no_data: NoData::Fail,
            dry_run: false,
            source: check.source,
            interval: plan.interval,
        });
    }
    !draft.metrics.is_empty()
}

/// How one counter over all metrics becomes limits of each.
fn limits(analysis: &Fields<'_>, plan: &Plan, metrics: usize, tolerated: u64, count: u64) {
    if metrics == 0 {
        return;
    }
    let (notes, at, about) = (analysis.notes(), analysis.at("threshold"), About::Key("analysis"));
    let threshold = plan.threshold;
    let text = format!(
        "the failed check number {threshold} leads back there, at the check after it: `failure-limit: {}` tolerates one less, \
         and the next leads back at once",
        threshold - 1
    );
    notes.differs(about.clone(), &at, text);
    if metrics > 1 {
        let text = format!(
            "one counter goes over all metrics there; here each of {metrics} has its own, and tolerates {tolerated}, so that \
             together they never tolerate more than there"
        );
        notes.differs(about.clone(), &at, text);
    }
    let text = format!(
        "a query that cannot be answered is a failed check there; here it is an error, of which {} in a row are tolerated, and \
         such that are not in a row do not add up",
        threshold - 1
    );
    notes.differs(about.clone(), &at, text);
    if threshold > 1 {
        let text = format!(
            "{} good checks promote there, however many fail between them; here {count} looks are taken, as many as that takes \
             at most, so that a late failure still counts",
            plan.needed()
        );
        notes.differs(about, &at, text);
    }
}

fn check(
    fields: &Fields<'_>,
    name: &str,
    wanted: &str,
    context: &Context<'_>,
    server: Option<&str>,
    used: &mut Vec<String>,
) -> Result<Option<Check>, String> {
    let about = About::Metric(name.to_owned());
    let window = fields.text("interval").unwrap_or_else(|| WINDOW.to_owned());
    let subject = template::subject(context, &window)?;
    let template = fields.below("templateRef");
    let inline = fields.text("query").filter(|query| !query.is_empty());
    let is_rate = wanted == "request-success-rate";
    let (mut min, mut max) = range(fields, is_rate);
    let is_builtin = is_rate || wanted == "request-duration";
    if [is_builtin, template.is_some(), inline.is_some()].into_iter().filter(|is_asked| *is_asked).count() > 1
    {
        return Err("it asks in several ways, all of which are checked there; split it".to_owned());
    }
    let source = if is_builtin {
        if !is_rate {
            (min, max) = (min.map(f64::trunc), max.map(f64::trunc));
        }
        builtin(fields, is_rate, context, &subject, server, &about)?
    } else if let Some(template) = template {
        template::source(fields, &template, context, &subject, &about, used)?
    } else if let Some(query) = inline {
        of_controller(context, server, &query, &about)
    } else {
        fields.value("templateVariables");
        fields.rest(&about, &[]);
        return Ok(None);
    };
    fields.rest(&about, &[("templateVariables", "nothing reads them")]);
    if min.is_none() && max.is_none() {
        return Err("its range has no end, so that every value is good there".to_owned());
    }
    if matches!((min, max), (Some(min), Some(max)) if min > max) {
        return Err("no value is within its range".to_owned());
    }
    Ok(Some(Check { name: name.to_owned(), min, max, source }))
}

/// The range of good values. Without one, the old `threshold` is a bound, 0 where it is not said.
fn range(fields: &Fields<'_>, is_rate: bool) -> (Option<f64>, Option<f64>) {
    let old = fields.number("threshold");
    match fields.below("thresholdRange") {
        Some(range) => {
            let ends = (range.number("min"), range.number("max"));
            range.rest(&About::Key("analysis"), &[]);
            ends
        }
        None if is_rate => (Some(old.unwrap_or(0.0)), None),
        None => (None, Some(old.unwrap_or(0.0))),
    }
}

fn builtin(
    fields: &Fields<'_>,
    is_rate: bool,
    context: &Context<'_>,
    subject: &Subject,
    server: Option<&str>,
    about: &About,
) -> Result<Source, String> {
    let of_service =
        context.spec.value("targetRef").and_then(|target| target.get("kind")) == Some(&"Service".into());
    let provider = context.provider;
    let query =
        if is_rate { builtin::success_rate(provider, subject) } else { builtin::duration(provider, subject) };
    let query = query.filter(|_| !of_service);
    let query =
        query.ok_or_else(|| format!("what the built-in metric asks of `{provider}` is not known here"))?;
    let text = format!(
        "it is built in there; here it is a query over the metrics of {provider} for the workload of the candidate there. \
         Compare it with what your server has"
    );
    fields.notes().by_hand(about.clone(), fields.here(), text);
    Ok(of_controller(context, server, &query, about))
}

/// A query to the server of the canary, or to that of the controller, whose address is not part of any specification.
fn of_controller(context: &Context<'_>, server: Option<&str>, query: &str, about: &About) -> Source {
    if server.is_none() {
        let text = format!(
            "without it, the server that the controller was started with is asked; here {SERVER}, its default"
        );
        context.spec.notes().by_hand(about.clone(), context.spec.at("metricsServer"), text);
    }
    prometheus(server.unwrap_or(SERVER), query)
}

pub(super) fn prometheus(server: &str, query: &str) -> Source {
    Source::new("prometheus", &[("url", server.into()), ("query", one_line(query).into())])
}
