//! One metric of a template.

use serde_json::Value;
use tagship_domain::{Duration, analysis::Metric as Judged};

use super::{analysis::When, provider};
use crate::{
    condition::{self, Expr, Outcome, Shape},
    fields::Fields,
    metric::{Metric, NoData},
    notes::{About, Notes},
};

/// The time between two measurements where a metric does not say one.
const INTERVAL: Duration = Duration::from_secs(60);

/// The conditions of a metric, theirs and ours.
struct Conditions {
    success: Option<(Expr, String)>,
    failure: Option<(Expr, String)>,
}

/// Reads a metric whose arguments are filled in: the metric, and how long it waits at first.
///
/// # Errors
/// The reason why it is not carried over; a fragment that follows "because".
pub(super) fn read(
    at: &str,
    value: &Value,
    name: &str,
    dry_run: bool,
    when: When,
    notes: &Notes,
) -> Result<(Metric, Duration), String> {
    let fields = Fields::of(at.to_owned(), value, notes);
    let about = About::Metric(name.to_owned());
    fields.value("name");
    let Some(provider) = fields.below("provider") else { return Err("it names no provider".to_owned()) };
    let (source, shape) = provider::read(&provider, &about)?;
    let conditions = conditions(&fields, shape, &about)?;
    let on_no_data = no_data(&fields, &conditions, shape, &about);
    let (interval, count) = looks(&fields, when, &about)?;
    let delay = delay(&fields, &about);
    let failure_limit = failure_limit(&fields, &about);
    let metric = Metric {
        name: name.to_owned(),
        success: conditions.success.map(|(_, text)| text),
        failure: conditions.failure.map(|(_, text)| text),
        min: None,
        max: None,
        count,
        failure_limit,
        inconclusive_limit: limit(&fields, "inconclusiveLimit").unwrap_or(0),
        consecutive_error_limit: limit(&fields, "consecutiveErrorLimit")
            .unwrap_or(Judged::DEFAULT_CONSECUTIVE_ERROR_LIMIT),
        consecutive_success_limit: limit(&fields, "consecutiveSuccessLimit").filter(|limit| *limit > 0),
        on_no_data,
        dry_run,
        source,
        interval,
    };
    if let (Some(count), Some(limit)) = (metric.count, metric.consecutive_success_limit)
        && count < limit
    {
        return Err(format!(
            "{count} measurements never hold {limit} good ones in a row, so that it never succeeds"
        ));
    }
    pauses(&metric, at, notes);
    tolerates_all(&metric, at, notes);
    fields.rest(&about, &[]);
    Ok((metric, delay))
}

fn conditions(fields: &Fields<'_>, shape: Shape, about: &About) -> Result<Conditions, String> {
    let read = |key: &str| -> Result<Option<(Expr, String)>, String> {
        let Some(text) = fields.text(key).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let wrong = |why: String| format!("its `{key}` `{text}` has no counterpart: {why}");
        let expression = condition::parse(&text).map_err(wrong)?;
        let ours = condition::translate(&expression, shape).map_err(wrong)?;
        for remark in ours.remarks {
            fields.notes().differs(about.clone(), fields.at(key), remark);
        }
        Ok(Some((expression, ours.text)))
    };
    let conditions = Conditions { success: read("successCondition")?, failure: read("failureCondition")? };
    if conditions.success.is_none() && conditions.failure.is_none() {
        return Err("it has no condition, so that every answer is good there, and a value without a condition says nothing \
                    here"
            .to_owned());
    }
    Ok(conditions)
}

/// What a look without a value means: what their conditions say of NaN, unless they call it good.
fn no_data(fields: &Fields<'_>, conditions: &Conditions, shape: Shape, about: &About) -> NoData {
    let expression =
        |condition: &Option<(Expr, String)>| condition.as_ref().map(|(expression, _)| expression.clone());
    let (success, failure) = (expression(&conditions.success), expression(&conditions.failure));
    let (success, failure) = (success.as_ref(), failure.as_ref());
    let (on_no_data, text) = if shape == Shape::Document {
        let text = "a part that is missing is an error there, of which some are tolerated; here an answer without a value is \
                    a failed look";
        (NoData::Fail, text.to_owned())
    } else {
        let is_list = shape == Shape::Series;
        let nan = condition::of_nan(success, failure, is_list);
        let empty = condition::of_empty(success, failure, is_list);
        let on_no_data = match nan {
            Outcome::Failed | Outcome::Error => NoData::Fail,
            Outcome::Inconclusive => NoData::Inconclusive,
            Outcome::Successful => NoData::Wait,
        };
        let text = format!(
            "NaN is {} there, and an answer without a series {}; here either is no data and {}. Infinity is an error here, a \
             number there",
            words(nan),
            words(empty),
            on_no_data.words()
        );
        (on_no_data, text)
    };
    fields.notes().differs(about.clone(), fields.here(), text);
    on_no_data
}

const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Successful => "good",
        Outcome::Failed => "a failure",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Error => "an error",
    }
}

/// Time between two looks, and how many there are; endless where that is absent.
fn looks(fields: &Fields<'_>, when: When, about: &About) -> Result<(Duration, Option<u64>), String> {
    let (notes, interval) = (fields.notes(), fields.span("interval"));
    let count = limit(fields, "count").filter(|count| *count > 0);
    if let (None, Some(2..)) = (interval, count) {
        return Err("it has a count and no interval, which is refused there".to_owned());
    }
    let count = count.or_else(|| interval.is_none().then_some(1));
    if interval == Some(Duration::default()) {
        return Err("its interval has no length".to_owned());
    }
    match (count, when) {
        (None, When::Background) => {
            let text = "it is measured without end; when the steps are over it counts as good there, whatever it last was, \
                        and even if it was never measured. Here its newest value has to be good before the last traffic";
            notes.differs(about.clone(), fields.here(), text);
        }
        (None, When::Step | When::Before | When::After) => {
            let text = "without `count` the run would have no end, which is refused there; here its newest value has to be \
                        good";
            notes.differs(about.clone(), fields.here(), text);
        }
        (Some(count), When::Background) => {
            let text = format!(
                "a run that the steps outlast ends with its verdict so far there, which is good within its limits; here the \
                 last traffic waits until {count} looks are over"
            );
            notes.differs(about.clone(), fields.at("count"), text);
        }
        (Some(_), _) => {}
    }
    Ok((interval.unwrap_or(INTERVAL), count))
}

fn delay(fields: &Fields<'_>, about: &About) -> Duration {
    let delay = fields.span("initialDelay").unwrap_or_default();
    if delay > Duration::default() {
        let text = format!("looks count from the first one here, and not after {delay}");
        fields.notes().differs(about.clone(), fields.at("initialDelay"), text);
    }
    delay
}

fn failure_limit(fields: &Fields<'_>, about: &About) -> Option<u64> {
    let limit = fields.whole("failureLimit").unwrap_or(0);
    let Ok(limit) = u64::try_from(limit) else {
        // Any negative number turns it off.
        let text = "any number of failed looks is tolerated, here as there: `off`";
        fields.notes().differs(about.clone(), fields.at("failureLimit"), text);
        return None;
    };
    if limit > 0 {
        let text = format!(
            "{limit} failed looks are tolerated and the next one ends it, here as in the controller; their documentation \
             sometimes counts one less"
        );
        fields.notes().differs(about.clone(), fields.at("failureLimit"), text);
    }
    Some(limit)
}

/// A limit that is not negative.
fn limit(fields: &Fields<'_>, key: &str) -> Option<u64> {
    let limit = fields.whole(key)?;
    u64::try_from(limit).ok().or_else(|| {
        fields.notes().mistake(fields.at(key), format!("{limit} is negative"));
        None
    })
}

/// Limits that tolerate as many looks as are taken: nothing good has to be seen there.
fn tolerates_all(metric: &Metric, at: &str, notes: &Notes) {
    let (Some(count), None) = (metric.count, metric.consecutive_success_limit) else { return };
    if metric.failure_limit.is_none_or(|limit| limit >= count) || metric.inconclusive_limit >= count {
        let text = "a count that is over without one good look succeeds there; here it ends inconclusive, and a person decides";
        notes.differs(About::Metric(metric.name.clone()), at, text);
    }
}

/// A metric that ends inconclusive pauses in both; what follows is not the same.
fn pauses(metric: &Metric, at: &str, notes: &Notes) {
    let may = metric.success.is_some() && metric.failure.is_some()
        || metric.on_no_data == NoData::Inconclusive
        || metric.consecutive_success_limit.is_some();
    if may {
        let text = "an inconclusive end pauses in both; here it is measured on meanwhile, and goes back when it turns out bad";
        notes.differs(About::Metric(metric.name.clone()), at, text);
    }
    let text = "after an error theirs measures again in 10s; here the next look is the next one";
    notes.differs(About::Metric(metric.name.clone()), at, text);
}
