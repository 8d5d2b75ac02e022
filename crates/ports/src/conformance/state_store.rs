//! What every store of journals must do.

use tagship_domain::{CommitId, Timestamp};

use crate::{
    StateStore,
    state_store::{AppendError, NewEntry},
};

/// Appending is a compare-and-swap, entries come back as they were written, and nothing older changes. The store
/// must have no journal below `conformance` and `conformance-other`.
pub async fn state_store(store: &dyn StateStore) {
    nothing_there(store).await;
    entries_come_back(store).await;
    stale_tip_loses(store).await;
    journals_are_apart(store).await;
}

/// Two handles on one store see each other's entries, and one of two appends after the same tip is lost. The
/// store must have no journal `race`.
pub async fn racing_appends(one: &dyn StateStore, other: &dyn StateStore) {
    let first = append(one, "race", None, &entry("first", 1)).await;
    let seen = tip(other, "race").await.map(|entry| entry.id);
    assert_eq!(seen.as_ref(), Some(&first), "an appended entry must be visible to every run at once");
    let second = append(other, "race", Some(&first), &entry("second", 2)).await;
    let late = one.append("race", Some(&first), &entry("late", 3)).await;
    assert!(matches!(late, Err(AppendError::Lost { .. })), "the tip had moved on: {late:?}");
    assert_eq!(tip(one, "race").await.map(|entry| entry.id), Some(second), "the winner's entry stays");
}

/// A journal is shortened as a whole or not at all, and one of two runs that go on from the same tip is lost, whether it appends or
/// shortens. Both handles are on one store, which must have no journal `short`.
pub async fn shortened_journals(one: &dyn StateStore, other: &dyn StateStore) {
    let mut newest = append(one, "short", None, &entry("entry 0", 0)).await;
    for second in 1..6 {
        newest = append(one, "short", Some(&newest), &entry(&format!("entry {second}"), second)).await;
    }
    assert_eq!(one.shorten("short", &newest, 3).await, Ok(None), "twice as many are no more than that");
    let before = append(one, "short", Some(&newest), &entry("entry 6", 6)).await;
    let whole = history(one, "short", 10).await;
    let stale = one.shorten("short", &newest, 3).await;
    assert!(matches!(stale, Err(AppendError::Lost { .. })), "the tip had moved on: {stale:?}");
    assert_eq!(history(other, "short", 10).await, whole, "losing changes nothing");

    let newest = one.shorten("short", &before, 3).await.expect("it is shortened").expect("there were seven");
    let kept = history(other, "short", 10).await;
    assert_eq!(kept.first().map(|entry| &entry.id), Some(&newest), "every run sees it at once");
    assert_ne!(newest, before, "its past is another one");
    let plain = |entries: &[crate::state_store::Entry]| -> Vec<_> {
        entries.iter().map(|entry| (entry.at, entry.message.clone(), entry.files.clone())).collect()
    };
    assert_eq!(plain(&kept), plain(&whole[..3]), "the newest ones as they were");

    let late = other.append("short", Some(&before), &entry("late", 7)).await;
    assert!(matches!(late, Err(AppendError::Lost { .. })), "its tip was forgotten: {late:?}");
    let after = append(other, "short", Some(&newest), &entry("entry 7", 7)).await;
    assert_eq!(tip(one, "short").await.map(|entry| entry.id), Some(after));
    assert_eq!(history(one, "short", 10).await.len(), 4);
}

async fn nothing_there(store: &dyn StateStore) {
    assert_eq!(tip(store, "conformance/none").await, None);
    assert_eq!(history(store, "conformance/none", 5).await, []);
    assert_eq!(list(store, "conformance").await, [""; 0]);
}

async fn entries_come_back(store: &dyn StateStore) {
    let journal = "conformance/a/model";
    let first = append(store, journal, None, &entry("first", 1)).await;
    let mut second = entry("second line\n\nand a body", 2);
    second.files.insert("empty".to_owned(), vec![]);
    second.files.insert("bytes.bin".to_owned(), vec![0, 255, b'\n', 13]);
    second.files.remove("only-first");
    let second_id = append(store, journal, Some(&first), &second).await;

    let tip = tip(store, journal).await;
    let tip = tip.as_ref();
    assert_eq!(tip.map(|e| &e.id), Some(&second_id));
    assert_eq!(tip.map(|e| &e.files), Some(&second.files), "exactly the files of the entry, bytes and all");
    assert_eq!(tip.map(|e| e.message.trim_end()), Some("second line\n\nand a body"));
    assert_eq!(tip.map(|e| e.at), Some(second.at));
    let history = history(store, journal, 10).await;
    assert_eq!(history.iter().map(|e| &e.id).collect::<Vec<_>>(), [&second_id, &first], "newest first");
    assert_eq!(history[1].files, entry("first", 1).files, "an older entry never changes");
    assert_eq!(self::history(store, journal, 1).await.len(), 1, "no more than the limit");
}

async fn stale_tip_loses(store: &dyn StateStore) {
    let journal = "conformance/b";
    let first = append(store, journal, None, &entry("first", 1)).await;
    let again = store.append(journal, None, &entry("again", 2)).await;
    assert!(matches!(again, Err(AppendError::Lost { .. })), "the journal existed: {again:?}");
    let second = append(store, journal, Some(&first), &entry("second", 3)).await;
    let stale = store.append(journal, Some(&first), &entry("stale", 4)).await;
    assert!(matches!(stale, Err(AppendError::Lost { .. })), "the tip had moved on: {stale:?}");
    let absent = store.append("conformance/absent", Some(&first), &entry("none", 5)).await;
    assert!(matches!(absent, Err(AppendError::Lost { .. })), "there was no such journal: {absent:?}");
    assert_eq!(tip(store, journal).await.map(|entry| entry.id), Some(second), "losing changes nothing");
    assert_eq!(history(store, journal, 10).await.len(), 2);
}

async fn journals_are_apart(store: &dyn StateStore) {
    append(store, "conformance-other/x", None, &entry("x", 1)).await;
    append(store, "conformance/c/pricing:churn", None, &entry("odd name", 1)).await;
    let names = ["conformance/a/model", "conformance/b", "conformance/c/pricing:churn"];
    assert_eq!(list(store, "conformance").await, names, "sorted, with the names they were written under");
    assert_eq!(list(store, "conformance/c").await, ["conformance/c/pricing:churn"]);
    let tips = store.tips("conformance").await.expect("tips can be read");
    assert_eq!(tips.keys().map(String::as_str).collect::<Vec<_>>(), names, "those that are listed");
    for (name, newest) in tips {
        assert_eq!(tip(store, &name).await, Some(newest), "what is read of {name} alone");
    }
    assert_eq!(tip(store, "conformance/c/pricing:churn").await.map(|e| e.files), Some(entry("", 1).files));
}

/// An entry with two files that is written at a whole second, as git keeps times.
fn entry(message: &str, second: i64) -> NewEntry {
    let files = [("state.json", format!("{{\"at\":{second}}}")), ("only-first", "x".to_owned())];
    NewEntry {
        message: message.to_owned(),
        files: files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect(),
        at: Timestamp::from_seconds(1_900_000_000 + second).expect("a time in this century"),
    }
}

async fn append(
    store: &dyn StateStore,
    journal: &str,
    expected: Option<&CommitId>,
    entry: &NewEntry,
) -> CommitId {
    store.append(journal, expected, entry).await.expect("an append after the tip succeeds")
}

async fn tip(store: &dyn StateStore, journal: &str) -> Option<crate::state_store::Entry> {
    store.tip(journal).await.expect("a tip can be read")
}

async fn history(store: &dyn StateStore, journal: &str, limit: usize) -> Vec<crate::state_store::Entry> {
    store.history(journal, limit).await.expect("a history can be read")
}

async fn list(store: &dyn StateStore, below: &str) -> Vec<String> {
    store.list(below).await.expect("journals can be listed")
}
