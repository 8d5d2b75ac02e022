//! From a JSON document to the value or the counts of a metric, by `JSONPath` (RFC 9535).

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json_path::JsonPath;
use tagship_domain::{analysis::MetricKind, tally::Tally};
use tagship_ports::PortError;

use super::fetch::Unusable;
use crate::settings;

/// The largest whole number below which a double holds all of them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Where the numbers of a metric are.
#[derive(Debug, Clone)]
pub(super) enum Extract {
    /// A value; the whole document where no path leads to it.
    Value(Option<Path>),
    /// Counts since the beginning.
    Shares { bad: Path, total: Path },
}

/// A path with its text.
#[derive(Debug, Clone)]
pub(super) struct Path {
    text: String,
    path: JsonPath,
}

/// The keys that say where the numbers are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) path: Option<&'a str>,
    pub(super) bad: Option<&'a str>,
    pub(super) total: Option<&'a str>,
}

impl Extract {
    /// What a metric of this kind needs.
    pub(super) fn of(what: &str, keys: Keys<'_>, kind: MetricKind) -> Result<Self, PortError> {
        let unknown = |key: &str| {
            let message = format!("{} does not use the key `{key}`", kind.as_str());
            settings::wrong(what, message).hint("take it out")
        };
        let parse = |key: &str, text: &str| {
            Path::new(text).map_err(|why| settings::wrong(what, format!("`{key}` is no JSONPath: {why}")))
        };
        let counts = |key: &str, text: Option<&str>| match text {
            Some(text) => parse(key, text),
            None => {
                let message = format!("the key `{key}` is missing, which {} needs", kind.as_str());
                Err(settings::wrong(what, message).hint(format!("write e.g. `{key}: $.{key}`")))
            }
        };
        match kind {
            MetricKind::Value => match (keys.bad, keys.total) {
                (None, None) => keys.path.map(|text| parse("path", text)).transpose().map(Self::Value),
                (Some(_), _) => Err(unknown("bad")),
                (None, Some(_)) => Err(unknown("total")),
            },
            _ if keys.path.is_some() => Err(unknown("path")),
            MetricKind::ErrorRatio | MetricKind::LabelledAccuracy => {
                Ok(Self::Shares { bad: counts("bad", keys.bad)?, total: counts("total", keys.total)? })
            }
            _ => Err(settings::wrong(what, format!("it cannot count {}", kind.as_str()))
                .hint("it counts error-ratio and labelled-accuracy, and answers values")),
        }
    }

    /// The value in a document; null where there is none.
    pub(super) fn value(&self, document: &Value) -> Result<Value, Unusable> {
        match self {
            Self::Value(None) => Ok(document.clone()),
            Self::Value(Some(path)) => path.find(document),
            Self::Shares { .. } => {
                Err(Unusable::invalid("it is asked for counts", "choose the kind `value`"))
            }
        }
    }

    /// The counts in a document.
    pub(super) fn tally(&self, document: &Value) -> Result<Tally, Unusable> {
        let Self::Shares { bad, total } = self else {
            return Err(Unusable::invalid("it is asked for a value", "choose the kind `error-ratio`"));
        };
        let one = |count| BTreeMap::from([("all".to_owned(), count)]);
        Ok(Tally { bad: one(bad.count(document)?), total: one(total.count(document)?), ..Tally::default() })
    }
}

impl Path {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let path = JsonPath::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), path })
    }

    /// The one value at the path, numbers in quotes as numbers; null where there is none.
    pub(super) fn find(&self, document: &Value) -> Result<Value, Unusable> {
        match self.path.query(document).all().as_slice() {
            [] => Ok(Value::Null),
            [one] => number_in_quotes(one),
            several => {
                let message = format!("`{}` leads to {} values", self.text, several.len());
                Err(Unusable::invalid(message, "have it lead to one, e.g. with `[0]`"))
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    fn count(&self, document: &Value) -> Result<u64, Unusable> {
        let found = self.find(document)?;
        let count = found.as_f64().filter(|count| (0.0..=EXACT).contains(count) && count.fract() == 0.0);
        count.map(|count| count as u64).ok_or_else(|| {
            let hint = "have it lead to a count since the beginning: a whole number that only grows";
            Unusable::invalid(format!("`{}` gives {}, which is no count", self.text, shown(&found)), hint)
        })
    }
}

/// Some interfaces write numbers as texts, `NaN` and infinities among them.
fn number_in_quotes(value: &Value) -> Result<Value, Unusable> {
    let Some(number) = value.as_str().and_then(|text| text.parse::<f64>().ok()) else {
        return Ok(value.clone());
    };
    finite(number)
}

/// A number as a value: what is no number is null, what is infinite an error.
pub(super) fn finite(number: f64) -> Result<Value, Unusable> {
    if number.is_infinite() {
        let hint = "a division by zero, or a quantile above every bucket";
        return Err(Unusable::invalid(
            format!("its value is {number}, which nothing can be compared with"),
            hint,
        ));
    }
    Ok(Value::from(number))
}

fn shown(value: &Value) -> String {
    if value.is_null() { "nothing".to_owned() } else { value.to_string().chars().take(80).collect() }
}
