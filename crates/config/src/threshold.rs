//! Conditions of a metric of the kind `value`: as they are written, or short as `max` and `min`.

use tagship_domain::{
    analysis::{Judge, Metric, MetricKind},
    threshold::Threshold,
};

use crate::{adapter::AdapterSpec, place::Place};

/// What stands for the version in the settings of a source.
pub(crate) const ARM: &str = "{{arm}}";
const EXAMPLE: &str = "write e.g. `max: 0.05`, or `success: result <= 0.05`";

/// The keys of a metric that say what its values must keep.
#[derive(Debug, Default)]
pub(crate) struct ThresholdKeys {
    pub(crate) success: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) max: Option<f64>,
    pub(crate) min: Option<f64>,
    pub(crate) count: Option<u64>,
    pub(crate) consecutive_success_limit: Option<u64>,
}

impl ThresholdKeys {
    /// The names of the keys that are given.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            ("success", self.success.is_some()),
            ("failure", self.failure.is_some()),
            ("max", self.max.is_some()),
            ("min", self.min.is_some()),
            ("count", self.count.is_some()),
            ("consecutive-success-limit", self.consecutive_success_limit.is_some()),
        ];
        keys.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key)
    }

    /// What the values must keep; nothing for metrics of other kinds, which judge counts.
    pub(crate) fn resolve(self, kind: MetricKind, judge: Judge, place: &Place<'_>) -> Option<Threshold> {
        if kind == MetricKind::Value && judge == Judge::Kayenta {
            for key in self.given() {
                let message =
                    format!("`{key}` is about conditions, and the judge `kayenta` compares with stable");
                let help = "leave it out, or leave `judge` out to judge by conditions".to_owned();
                place.key(key).report_key(message, Some(help));
            }
            return None;
        }
        if kind != MetricKind::Value {
            for key in self.given() {
                let message = format!("`{key}` is about values, and {} judges counts", kind.as_str());
                let help = "leave it out, or choose the kind `value`".to_owned();
                place.key(key).report_key(message, Some(help));
            }
            return None;
        }
        let success = self.success(place);
        if success.is_none() && self.failure.is_none() {
            let message = "a value without a condition says nothing".to_owned();
            place.key("success").report(message, Some(EXAMPLE.to_owned()));
        }
        for (key, looks) in
            [("count", self.count), ("consecutive-success-limit", self.consecutive_success_limit)]
        {
            if looks == Some(0) {
                let message = "no look at all proves nothing".to_owned();
                place.key(key).report(message, Some(format!("leave `{key}` out, or write 1 or more")));
            }
        }
        if let (Some(count), Some(limit)) = (self.count, self.consecutive_success_limit)
            && count < limit
        {
            let message = format!("{count} looks never hold {limit} good ones in a row");
            place.key("count").report(message, Some(format!("write {limit} or more, or leave `count` out")));
        }
        Some(Threshold {
            success,
            failure: self.failure,
            count: self.count,
            consecutive_success_limit: self.consecutive_success_limit,
        })
    }

    /// The condition that a good value keeps.
    fn success(&self, place: &Place<'_>) -> Option<String> {
        for (key, bound) in [("max", self.max), ("min", self.min)] {
            if bound.is_some() && self.success.is_some() {
                let message = format!("`{key}` is short for a condition, and `success` is one already");
                place.key(key).report_key(message, Some("leave one of them out".to_owned()));
            }
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            let help = "what is good lies between `min` and `max`".to_owned();
            place.key("min").report(format!("no value is at least {min} and at most {max}"), Some(help));
        }
        match (&self.success, self.min, self.max) {
            (Some(success), ..) => Some(success.clone()),
            (None, Some(min), Some(max)) => Some(format!("result >= {min} && result <= {max}")),
            (None, Some(min), None) => Some(format!("result >= {min}")),
            (None, None, Some(max)) => Some(format!("result <= {max}")),
            (None, None, None) => None,
        }
    }
}

/// Reports what does not fit together in a metric on values.
pub(crate) fn check(metric: &Metric, source: Option<&AdapterSpec>, place: &Place<'_>) {
    let Some(threshold) = &metric.threshold else { return };
    let Some(source) = source else {
        let help = "name one, e.g. `source: { http: { url: ... } }`".to_owned();
        place
            .key("source")
            .report("a value is answered by a source, not by the target".to_owned(), Some(help));
        return;
    };
    let asks_by_version = source.settings.values().any(|setting| setting.to_string().contains(ARM));
    if threshold.compares() && !asks_by_version {
        let message = format!("a condition reads `stable`, and the source is asked without {ARM}");
        let help = format!("write {ARM} where the version stands, so that both are asked about");
        place.key("source").report(message, Some(help));
    }
}
