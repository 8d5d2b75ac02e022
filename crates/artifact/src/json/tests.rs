//! What is JSON and what is not.

use proptest::prelude::*;

use super::*;

fn events(text: &str) -> Result<Vec<Event>, JsonError> {
    let mut reader = Reader::new(text.as_bytes());
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        events.push(event);
    }
    Ok(events)
}

#[test]
fn events_come_in_order_with_escapes_decoded() {
    let text = r#" {"a":[1,-2.5e3,true,null,NaN,-Infinity],"\u00e9\ud83d\ude00\n":{}} "#;
    let events = events(text).unwrap();
    assert_eq!(
        events[..4],
        [Event::ObjectStart, Event::Key("a".into()), Event::ArrayStart, Event::Number(1.0)]
    );
    assert!(
        events.contains(&Event::Key("é😀\n".into())) && events.contains(&Event::Number(f64::NEG_INFINITY))
    );
    assert_eq!(events.last(), Some(&Event::ObjectEnd));
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        "{",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{} {}",
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[--1]",
        "\"a",
        "\"\\q\"",
        "\"\n\"",
        "nul",
        "{1:2}",
        "]",
        "[1 2]",
        "{\"a\":1]",
        "[1}",
        "[1e]",
        "[-]",
    ] {
        assert!(events(text).is_err(), "{text}");
    }
    assert!(events(&"[".repeat(100_000)).is_err());
}

proptest! {
    #[test]
    fn the_same_texts_parse_as_in_the_reference(text in r#"[\[\]{}",:0-9eE.truefalsn\\ -]{0,24}"#) {
        let reference = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let own = events(&text).is_ok();
        // The reference refuses numbers beyond a double.
        prop_assert!(own == reference || text.contains(['e', 'E']), "{text}");
    }
}
