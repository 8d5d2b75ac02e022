//! Where a metric is asked.

use serde_json::Value;

use super::args::{has_secret, secret, variable};
use crate::{
    condition::Shape,
    fields::Fields,
    metric::{self, Source},
    notes::About,
};

/// The source of a metric, and what it hands to conditions.
///
/// # Errors
/// The reason why it cannot be carried over; a fragment that follows "because".
pub(super) fn read(provider: &Fields<'_>, about: &About) -> Result<(Source, Shape), String> {
    let kinds = provider.keys();
    let [kind] = kinds.as_slice() else { return Err("it names several providers, or none".to_owned()) };
    let Some(settings) = provider.below(kind) else { return Err("its provider has no settings".to_owned()) };
    let (source, shape) = match *kind {
        "prometheus" => (prometheus(&settings, about)?, Shape::Series),
        "web" => (web(&settings, about)?, Shape::Document),
        "datadog" => (datadog(&settings, about)?, Shape::Number),
        "newRelic" => {
            return Err("the account of New Relic stands in a secret there and in the source here: `newrelic: { account, \
                        query }`"
                .to_owned());
        }
        "job" => {
            return Err("a job of the cluster is not run here; a program that prints a number is the source `command`"
                .to_owned());
        }
        "cloudWatch" => {
            return Err("CloudWatch is asked through its command line here: the source `command`, see docs/metrics.md"
                .to_owned());
        }
        "kayenta" => {
            return Err("its metrics stand in the canary configuration on Kayenta's server; write each of them as `kind: \
                        value` with `judge: kayenta`, see docs/metrics.md"
                .to_owned());
        }
        other => {
            return Err(format!(
                "the provider `{other}` has no counterpart; the sources `http` and `command` read anything that answers JSON"
            ));
        }
    };
    if source.settings.values().any(has_secret) {
        return Err("a secret stands where it would be shown or stored here".to_owned());
    }
    Ok((source, shape))
}

fn prometheus(settings: &Fields<'_>, about: &About) -> Result<Source, String> {
    let Some(address) = settings.text("address").filter(|address| !address.trim().is_empty()) else {
        return Err(
            "the address of its server is a setting of the controller; write it into `address`".to_owned()
        );
    };
    let Some(query) = settings.text("query") else { return Err("it has no query".to_owned()) };
    if settings.value("rangeQuery").is_some() {
        return Err(
            "it asks for a range, and one value is read here; ask for e.g. `max_over_time(...)`".to_owned()
        );
    }
    let mut source =
        Source::new("prometheus", &[("url", address.into()), ("query", metric::one_line(&query).into())]);
    for (name, value) in headers(settings)? {
        match (name.as_str(), secret(&value, "Bearer ")) {
            ("authorization", Some(token)) => token_env(&mut source, token, settings, about),
            _ => {
                return Err(format!(
                    "its header `{name}` cannot be sent by the source; data may come from elsewhere without"
                ));
            }
        }
    }
    authentication(settings, about)?;
    certificates(settings, about);
    if let Some(seconds) = settings.whole("timeout").filter(|seconds| *seconds > 0) {
        source.set("timeout", format!("{seconds}s"));
    }
    settings.rest(about, &[]);
    let text = "one series is read: several are an error here, where only the first is judged there";
    settings.notes().differs(about.clone(), settings.at("query"), text);
    Ok(source)
}

fn web(settings: &Fields<'_>, about: &About) -> Result<Source, String> {
    let Some(url) = settings.text("url") else { return Err("it has no url".to_owned()) };
    let mut source = Source::new("http", &[("url", url.into())]);
    let body = match (settings.text("body"), settings.value("jsonBody")) {
        (Some(body), None) => Some(body),
        (None, Some(body)) => Some(body.to_string()),
        (None, None) => None,
        _ => return Err("it has two bodies".to_owned()),
    };
    match (settings.text("method").unwrap_or_else(|| "GET".to_owned()).as_str(), &body) {
        ("GET", None) | ("POST", Some(_)) => {}
        (method, Some(_)) => {
            return Err(format!("it sends a body with {method}, and the source does with POST"));
        }
        (method, None) => {
            return Err(format!("it asks by {method} without a body, and the source asks by GET"));
        }
    }
    if let Some(body) = body {
        source.set("body", body);
    }
    if let Some(path) = settings.text("jsonPath").filter(|path| !path.is_empty()) {
        source.set("path", json_path(&path)?);
    }
    if let Some(seconds) = settings.whole("timeoutSeconds").filter(|seconds| *seconds > 0) {
        source.set("timeout", format!("{seconds}s"));
    }
    let (mut plain, mut secrets) = (serde_json::Map::new(), serde_json::Map::new());
    for (name, value) in headers(settings)? {
        match (name.as_str(), secret(&value, "Bearer "), secret(&value, "")) {
            ("authorization", Some(token), _) => token_env(&mut source, token, settings, about),
            (_, None, Some(secret)) => {
                let text = format!("the value of `{name}` is read from the variable {}", variable(secret));
                settings.notes().by_hand(about.clone(), settings.at("headers"), text);
                secrets.insert(name, variable(secret).into());
            }
            _ if has_secret(&Value::from(value.as_str())) => {
                return Err(format!("a secret is only a part of its header `{name}`"));
            }
            _ => {
                plain.insert(name, value.into());
            }
        }
    }
    for (key, map) in [("headers", plain), ("headers-env", secrets)] {
        if !map.is_empty() {
            source.set(key, map);
        }
    }
    authentication(settings, about)?;
    certificates(settings, about);
    settings.rest(about, &[]);
    Ok(source)
}

fn datadog(settings: &Fields<'_>, about: &About) -> Result<Source, String> {
    for unlike in ["queries", "formula"] {
        if settings.value(unlike).is_some() {
            return Err("it asks by several queries and a formula; the source takes one query".to_owned());
        }
    }
    let Some(query) = settings.text("query") else { return Err("it has no query".to_owned()) };
    let source = Source::new("datadog", &[("query", query.into())]);
    let version = settings.text("apiVersion");
    if version.as_deref().is_some_and(|version| version != "v1") {
        return Err(
            "it asks the second version of the interface, which adds values up in another way".to_owned()
        );
    }
    let interval = settings.text("interval").unwrap_or_else(|| "5m".to_owned());
    let text = format!("the newest value of the look is judged, there that of the last {interval}");
    settings.notes().differs(about.clone(), settings.at("interval"), text);
    let text = "keys are read from the variables DD_API_KEY and DD_APP_KEY, and the site is api.datadoghq.com unless `url` \
                says another";
    settings.value("secretRef");
    settings.notes().by_hand(about.clone(), settings.at("secretRef"), text);
    settings.rest(about, &[]);
    Ok(source)
}

/// Headers by their name in lower case.
fn headers(settings: &Fields<'_>) -> Result<Vec<(String, String)>, String> {
    let mut headers: Vec<(String, String)> = vec![];
    for header in settings.list("headers") {
        let (Some(name), Some(value)) = (header.text("key"), header.text("value")) else {
            return Err("a header has no name or no value".to_owned());
        };
        let name = name.trim().to_ascii_lowercase();
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(format!("it has the header `{name}` twice"));
        }
        headers.push((name, value));
    }
    Ok(headers)
}

fn token_env(source: &mut Source, token: &str, settings: &Fields<'_>, about: &About) {
    let variable = variable(token);
    let text = format!("the token is read from the variable {variable}");
    settings.notes().by_hand(about.clone(), settings.at("headers"), text);
    source.set("token-env", variable);
}

/// Other ways to log in. Without them a server that asks for them answers nothing, which is never good.
fn authentication(settings: &Fields<'_>, about: &About) -> Result<(), String> {
    let Some(authentication) = settings.below("authentication") else { return Ok(()) };
    let is_given = |key: &str| {
        authentication.value(key).is_some_and(|value| value.as_object().is_none_or(|map| !map.is_empty()))
    };
    if is_given("sigv4") || is_given("oauth2") {
        return Err("it logs in by OAuth 2 or AWS signatures, which no source does".to_owned());
    }
    if is_given("basicAuth") {
        let text = "name the variables that hold them in `user-env` and `password-env`";
        settings.notes().by_hand(about.clone(), authentication.at("basicAuth"), text);
    }
    authentication.rest(about, &[]);
    Ok(())
}

fn certificates(settings: &Fields<'_>, about: &About) {
    if settings.flag("insecure") == Some(true) {
        let text = "certificates are always verified; name the one of its authority in `ca-file`";
        settings.notes().by_hand(about.clone(), settings.at("insecure"), text);
    }
}

/// Their path in braces as RFC 9535 writes it: only what means the same in both.
fn json_path(path: &str) -> Result<String, String> {
    let inner = path.trim();
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner).trim();
    let rooted = if inner.starts_with('$') {
        inner.to_owned()
    } else {
        format!("$.{}", inner.trim_start_matches('.'))
    };
    let is_plain = rooted.chars().all(|c| c.is_ascii_alphanumeric() || "$._-[]'\"".contains(c));
    let negative = rooted.contains("[-") || rooted.contains("..") || rooted.contains('\\');
    // A member with a dash needs brackets there too; without them it would be read in another way here.
    if !is_plain || negative || rooted == "$." {
        return Err(format!("its path `{path}` is no plain way of members and indices"));
    }
    Ok(rooted.trim_end_matches('.').to_owned())
}
