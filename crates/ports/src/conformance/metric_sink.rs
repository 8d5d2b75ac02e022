//! What every place where metrics are left must do.

use std::collections::BTreeMap;

use crate::metric_sink::{MetricPage, MetricSink};

/// A page replaces the one before it of the same model and environment alone, whatever their names hold. `left` answers what is
/// there, by model and environment.
pub async fn metric_sink(sink: &dyn MetricSink, left: impl Fn() -> BTreeMap<(String, String), String>) {
    let page = |model: &str, environment: &str, text: &str| MetricPage {
        model: model.parse().expect("a name"),
        environment: environment.parse().expect("a name"),
        text: text.to_owned(),
    };
    assert_eq!(left(), BTreeMap::new(), "nothing may have been left before");
    for page in [
        page("churn", "production", "good 1\n"),
        page("churn", "production/eu", "good 0\n"),
        page("churn", "production", "good 0\n"),
        page("churn", "production", "good 0\n"),
    ] {
        sink.put(&page).await.expect("the page is left");
    }
    let of = |environment: &str, text: &str| (("churn".to_owned(), environment.to_owned()), text.to_owned());
    assert_eq!(left(), [of("production", "good 0\n"), of("production/eu", "good 0\n")].into());
}
