//! What everything that tells people of incidents must do.

use tagship_domain::incident::{IncidentChange, IncidentNotice};

use crate::Alerter;

/// Each notice arrives once with all that it takes to act; the end of an incident does not look like its beginning, and what is told
/// again looks as it did. Foreign text and missing parts keep nothing from arriving. `opened` must have a value, a runbook and a run;
/// `arrived` answers everything that people elsewhere were shown, as the text that was sent to them.
pub async fn alerter(alerter: &dyn Alerter, opened: &IncidentNotice, arrived: impl Fn() -> Vec<String>) {
    let with = |change| IncidentNotice { change, ..opened.clone() };
    let (open, over) = (with(IncidentChange::Opened), with(IncidentChange::Resolved));
    let mut foreign = with(IncidentChange::Updated);
    "<!channel> & <http://evil.example|here> *b* [a](http://evil.example) \"\\\n\u{1f}"
        .clone_into(&mut foreign.finding.sentence);
    let mut bare = IncidentNotice { version: None, runbook: None, run: None, ..open.clone() };
    bare.finding.value = None;

    assert_eq!(arrived().len(), 0, "nothing may have been sent before");
    let told = [&open, &over, &open, &foreign, &bare];
    for (count, notice) in (1..).zip(told) {
        alerter.alert(notice).await.expect("the notice is sent");
        assert_eq!(arrived().len(), count, "one message for each notice: {notice:?}");
    }
    let shown = arrived();
    let value = opened.finding.value.map(|value| value.to_string()).expect("the notice has a value");
    let parts = [
        opened.model.as_str(),
        opened.environment.as_str(),
        &opened.topic,
        &value,
        &opened.finding.threshold,
        &opened.finding.window,
        &opened.command,
        opened.runbook.as_deref().expect("the notice has a runbook"),
        opened.run.as_deref().expect("the notice has a run"),
    ];
    for part in parts {
        assert!(shown[0].contains(part), "{part} is missing: {}", shown[0]);
    }
    assert_ne!(shown[0], shown[1], "the end does not look like the beginning");
    assert_eq!(shown[0], shown[2], "what is told again is the same incident");
}
