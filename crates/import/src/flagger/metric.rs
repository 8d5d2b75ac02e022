//! Metrics: what each check asks, and what it must keep.

use serde_json::Value;

use super::{
    builtin::{self, Subject},
    plan::Plan,
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
    let subject = subject(context, &window)?;
    let template = fields.below("templateRef");
    let inline = fields.text("query").filter(|query| !query.is_empty());
    let is_rate = wanted == "request-success-rate";
    let (mut min, mut max) = range(fields, is_rate);
    let source = if is_rate || wanted == "request-duration" {
        if !is_rate {
            (min, max) = (min.map(f64::trunc), max.map(f64::trunc));
        }
        builtin(fields, is_rate, context, &subject, server, &about)?
    } else if let Some(template) = template {
        from_template(fields, &template, context, &subject, &about, used)?
    } else if let Some(query) = inline {
        prometheus(server.unwrap_or(SERVER), &query)
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

fn subject(context: &Context<'_>, window: &str) -> Result<Subject, String> {
    let text = |block: &str, key: &str| {
        let value = context.spec.value(block).and_then(|block| block.get(key)).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let name = context.canary.name.clone();
    let target = text("targetRef", "name").unwrap_or_else(|| name.clone());
    let subject = Subject {
        namespace: context.canary.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        service: text("service", "name").unwrap_or_else(|| target.clone()),
        ingress: text("ingressRef", "name").unwrap_or_else(|| target.clone()),
        interval: window.to_owned(),
        name,
        target,
    };
    let is_plain = |text: &String| text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    let all = [
        &subject.name,
        &subject.namespace,
        &subject.target,
        &subject.service,
        &subject.ingress,
        &subject.interval,
    ];
    if let Some(wrong) = all.into_iter().find(|text| !is_plain(text)) {
        return Err(format!("{wrong:?} cannot be put into a query"));
    }
    Ok(subject)
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
    if server.is_none() {
        let text = format!(
            "without it, the server that the controller was started with is asked; here {SERVER}, its default"
        );
        fields.notes().by_hand(about.clone(), context.spec.at("metricsServer"), text);
    }
    Ok(prometheus(server.unwrap_or(SERVER), &query))
}

fn prometheus(server: &str, query: &str) -> Source {
    Source::new("prometheus", &[("url", server.into()), ("query", one_line(query).into())])
}

fn from_template(
    fields: &Fields<'_>,
    reference: &Fields<'_>,
    context: &Context<'_>,
    subject: &Subject,
    about: &About,
    used: &mut Vec<String>,
) -> Result<Source, String> {
    let notes = fields.notes();
    let name = reference.text("name").unwrap_or_default();
    reference.value("namespace");
    reference.rest(about, &[]);
    let found = context.documents.of_kind("MetricTemplate").find(|document| document.name == name);
    let document = found.ok_or_else(|| format!("the template `{name}` is in none of the files"))?;
    used.push(document.title());
    let template = document.fields(notes);
    template.value("metadata");
    let spec = template.below("spec").ok_or_else(|| format!("the template `{name}` has no `spec`"))?;
    let provider = spec.below("provider").ok_or_else(|| format!("the template `{name}` has no provider"))?;
    let query = spec.text("query").ok_or_else(|| format!("the template `{name}` has no query"))?;
    let query = one_line(&fill(&query, subject, fields)?);
    let address = provider.text("address").filter(|address| !address.is_empty());
    let mut source = match (provider.text("type").as_deref(), address) {
        (Some("prometheus"), Some(address)) => prometheus(&address, &query),
        (Some("prometheus"), None) => return Err("its server has no address".to_owned()),
        (Some("datadog"), address) => {
            let mut source = Source::new("datadog", &[("query", query.into())]);
            if let Some(address) = address {
                source.set("url", address);
            }
            let text = "keys are read from the variables DD_API_KEY and DD_APP_KEY";
            notes.by_hand(about.clone(), provider.at("type"), text);
            source
        }
        (other, _) => {
            let other = other.unwrap_or("nothing");
            return Err(format!(
                "the provider `{other}` has no counterpart; the sources `http` and `command` read anything that answers JSON"
            ));
        }
    };
    if provider.value("headers").is_some() {
        return Err(
            "its headers cannot be sent by the source; data may come from elsewhere without".to_owned()
        );
    }
    if provider.value("secretRef").is_some() && source.kind == "prometheus" {
        let text = "name the variables that hold the credentials in `token-env`, or in `user-env` and `password-env`";
        notes.by_hand(about.clone(), provider.at("secretRef"), text);
    }
    if provider.flag("insecureSkipVerify") == Some(true) {
        let text = "certificates are always verified; name the one of its authority in `ca-file`";
        notes.by_hand(about.clone(), provider.at("insecureSkipVerify"), text);
    }
    if source.kind == "prometheus" {
        let text = "one series is read: several are an error here, where the last one is judged there";
        notes.differs(about.clone(), spec.at("query"), text);
        source.settings.retain(|_, value| !value.is_null());
    }
    provider.rest(about, &[]);
    spec.rest(about, &[]);
    template.rest(about, &[]);
    Ok(source)
}

/// A query with its places filled.
fn fill(query: &str, subject: &Subject, fields: &Fields<'_>) -> Result<String, String> {
    let variables = fields.value("templateVariables");
    let (mut filled, mut rest) = (String::new(), query);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((place, after)) = behind.split_once("}}") else {
            return Err("its query has `{{` without `}}`".to_owned());
        };
        filled.push_str(before);
        let place = place.trim_matches('-').trim();
        let value = match place.trim_start_matches('.') {
            "name" => Some(subject.name.clone()),
            "namespace" => Some(subject.namespace.clone()),
            "target" => Some(subject.target.clone()),
            "service" => Some(subject.service.clone()),
            "ingress" => Some(subject.ingress.clone()),
            "interval" => Some(subject.interval.clone()),
            other => other
                .strip_prefix("variables.")
                .and_then(|name| variables?.get(name)?.as_str())
                .map(str::to_owned),
        };
        filled.push_str(
            &value.ok_or_else(|| format!("the place {{{{ {place} }}}} of its query is not known"))?,
        );
        rest = after;
    }
    filled.push_str(rest);
    if filled.contains("{{") {
        Err("its query still has places when it is filled".to_owned())
    } else {
        Ok(filled)
    }
}
