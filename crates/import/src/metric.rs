//! One metric on its way into a configuration: conditions on values, limits, and where the values come from.

use serde_json::{Map, Value, json};
use tagship_domain::{Duration, analysis::Metric as Judged};

use crate::{
    span,
    yaml::{Entry, Yaml},
};

/// Longest name of a metric, in characters.
const LONGEST_NAME: usize = 60;

/// A metric of the kind `value`.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) success: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Looks after which it is decided.
    pub(crate) count: Option<u64>,
    /// Absent where any number is tolerated.
    pub(crate) failure_limit: Option<u64>,
    pub(crate) inconclusive_limit: u64,
    pub(crate) consecutive_error_limit: u64,
    pub(crate) consecutive_success_limit: Option<u64>,
    pub(crate) on_no_data: NoData,
    pub(crate) dry_run: bool,
    pub(crate) source: Source,
    /// Time between two looks.
    pub(crate) interval: Duration,
}

/// What a look without data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoData {
    Wait,
    Inconclusive,
    Fail,
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) settings: Map<String, Value>,
}

impl NoData {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }

    /// What it does to a look, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Wait => "counts as no look at all",
            Self::Inconclusive => "is an inconclusive look",
            Self::Fail => "is a failed look",
        }
    }
}

impl Source {
    pub(crate) fn new(kind: &'static str, settings: &[(&str, Value)]) -> Self {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        Self { kind, settings: settings.collect() }
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.settings.insert(key.to_owned(), value.into());
    }

    /// Whether it asks about one version.
    pub(crate) fn asks_by_version(&self) -> bool {
        let says = |value: &Value| {
            let text = value.to_string();
            text.contains("{{arm}}") || text.contains("{{candidate}}")
        };
        self.settings.values().any(says)
    }
}

impl Metric {
    /// How long it takes to be decided at the earliest.
    pub(crate) fn length(&self) -> Duration {
        span::times(self.interval, self.consecutive_success_limit.or(self.count).unwrap_or(1))
    }

    /// The keys of the configuration.
    pub(crate) fn yaml(&self) -> Yaml {
        let mut entries = vec![
            Entry::new("name", Value::from(self.name.as_str()).into()),
            Entry::new("kind", Yaml::Word("value".to_owned())),
        ];
        let mut put = |key: &str, value: Option<Value>| {
            entries.extend(value.map(|value| Entry::new(key, value.into())));
        };
        put("success", self.success.as_deref().map(Value::from));
        put("failure", self.failure.as_deref().map(Value::from));
        put("min", self.min.map(number));
        put("max", self.max.map(number));
        put("count", self.count.map(Value::from));
        put("consecutive-success-limit", self.consecutive_success_limit.map(Value::from));
        put("failure-limit", Some(self.failure_limit.map_or_else(|| json!("off"), Value::from)));
        let unless = |value: u64, default: u64| (value != default).then(|| Value::from(value));
        put("inconclusive-limit", unless(self.inconclusive_limit, 0));
        let default = Judged::DEFAULT_CONSECUTIVE_ERROR_LIMIT;
        put("consecutive-error-limit", unless(self.consecutive_error_limit, default));
        put("on-no-data", Some(self.on_no_data.as_str().into()));
        put("dry-run", self.dry_run.then_some(Value::Bool(true)));
        let mut settings: Vec<Entry> =
            self.source.settings.iter().map(|(key, value)| Entry::new(key, value.clone().into())).collect();
        settings.sort_by_key(|entry| entry.key != "url");
        let source = Yaml::Mapping(vec![Entry::new(self.source.kind, Yaml::Mapping(settings))]);
        entries.push(Entry::new("source", source));
        Yaml::Mapping(entries)
    }
}

/// A number as people write it: whole ones without a fraction.
fn number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

/// A name that the configuration takes and that none of `taken` has.
pub(crate) fn free_name(wanted: &str, taken: &[&str]) -> String {
    let clean: String = wanted.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut name: String = clean.trim().chars().take(LONGEST_NAME).collect();
    if name.trim().is_empty() {
        "metric".clone_into(&mut name);
    }
    let stem: String = name.chars().take(LONGEST_NAME - 8).collect();
    let mut number = 2_u64;
    while name == "smoke" || taken.contains(&name.as_str()) {
        name = format!("{stem}-{number}");
        number += 1;
    }
    name
}

/// A query without line breaks, unless it holds comments, which end with their lines.
pub(crate) fn one_line(query: &str) -> String {
    if query.contains('#') {
        return query.trim().to_owned();
    }
    query.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
