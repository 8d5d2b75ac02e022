//! Metric templates: a query with places, and where it is asked.

use serde_json::Value;

use super::{
    builtin::Subject,
    metric::{Context, prometheus},
};
use crate::{
    fields::Fields,
    metric::{Source, one_line},
    notes::About,
};

/// What a query is about; refused where a part of it could be more than a name in a query.
pub(super) fn subject(context: &Context<'_>, window: &str) -> Result<Subject, String> {
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

/// The source of a metric that names a template.
///
/// # Errors
/// The reason why it cannot be carried over; a fragment that follows "because".
pub(super) fn source(
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
