//! What every notifier must do.

use tagship_domain::notice::Notice;

use crate::Notifier;

/// Each notice arrives once and as it was meant, also one that is full of characters that mean something where people
/// read it. `arrived` answers everything that people elsewhere were shown, as the text that was sent to them.
pub async fn notifier(notifier: &dyn Notifier, notice: &Notice, arrived: impl Fn() -> Vec<String>) {
    assert_eq!(arrived().len(), 0, "nothing may have been sent before");
    notifier.notify(notice).await.expect("the notice is sent");
    let foreign = "<!channel> & <http://evil.example|here> *bold* [a](http://evil.example)";
    let hostile = Notice { sentence: foreign.to_owned(), ..notice.clone() };
    notifier.notify(&hostile).await.expect("foreign text is sent too");
    let shown = arrived();
    assert_eq!(shown.len(), 2, "one message for each notice: {shown:?}");
    for word in [notice.model.as_str(), notice.environment.as_str(), &notice.candidate.to_string()] {
        assert!(shown[0].contains(word), "{word} is missing: {}", shown[0]);
    }
}
