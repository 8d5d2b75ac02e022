//! Locks: one at a time, readable by everyone, never taken away by mistake.

use tagship_domain::{Provenance, Timestamp};
use tagship_ports::fake::FakeStateStore;

use super::*;

fn entry(by: &str, locked: bool, second: i64) -> Lock {
    Lock {
        environment: Environment::new("eu/production").unwrap(),
        locked,
        reason: if locked { format!("because of {by}\n::error::x") } else { String::new() },
        by: Provenance { actor: by.to_owned(), run: None },
        since: Timestamp::from_seconds(second).unwrap(),
    }
}

#[tokio::test]
async fn a_lock_is_seen_until_it_is_taken_away() {
    let store = FakeStateStore::default();
    let mine = entry("alice", true, 1);
    assert_eq!(read_lock(&store, &mine.environment).await.unwrap(), None);
    assert_eq!(lock(&store, &mine).await.unwrap(), LockOutcome::Written);
    assert_eq!(read_lock(&store, &mine.environment).await.unwrap(), Some(mine.clone()));
    let second = lock(&store, &entry("bob", true, 2)).await.unwrap();
    assert_eq!(second, LockOutcome::Held(mine.clone()), "the first one stays");
    assert_eq!(unlock(&store, &entry("bob", false, 3)).await.unwrap(), LockOutcome::Written);
    assert_eq!(read_lock(&store, &mine.environment).await.unwrap(), None);
    assert_eq!(unlock(&store, &entry("bob", false, 4)).await.unwrap(), LockOutcome::Free);
    let story = store.history("locks/eu+production", 10).await.unwrap();
    let lines: Vec<&str> = story.iter().map(|entry| entry.message.trim_end()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("eu/production was unlocked by bob at 1970-01-01"), "{lines:?}");
    assert!(
        lines[1].contains("because of alice ::error::x"),
        "one line, whatever the reason holds: {lines:?}"
    );
}

#[tokio::test]
async fn of_two_who_lock_at_once_one_wins_and_the_other_is_told() {
    let store = FakeStateStore::default();
    let (alice, bob) = (entry("alice", true, 1), entry("bob", true, 1));
    let (first, second) = tokio::join!(lock(&store, &alice), lock(&store, &bob));
    let outcomes = [first.unwrap(), second.unwrap()];
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == LockOutcome::Written).count(),
        1,
        "{outcomes:?}"
    );
    let winner = read_lock(&store, &alice.environment).await.unwrap().unwrap();
    assert!(outcomes.contains(&LockOutcome::Held(winner)), "{outcomes:?}");
}

#[tokio::test]
async fn of_two_who_unlock_at_once_one_does_it() {
    let store = FakeStateStore::default();
    lock(&store, &entry("alice", true, 1)).await.unwrap();
    let (bob, carol) = (entry("bob", false, 2), entry("carol", false, 2));
    let (first, second) = tokio::join!(unlock(&store, &bob), unlock(&store, &carol));
    let mut outcomes = [first.unwrap(), second.unwrap()];
    outcomes.sort_by_key(|outcome| *outcome == LockOutcome::Free);
    assert_eq!(outcomes, [LockOutcome::Written, LockOutcome::Free]);
}

#[tokio::test]
async fn a_lock_of_a_newer_version_is_no_open_door() {
    let store = FakeStateStore::default();
    let mine = entry("alice", true, 1);
    let newer = br#"{"schema": "tagship/lock/v2", "locked": false}"#.to_vec();
    let files = [("lock.json".to_owned(), newer)].into();
    let entry = NewEntry { message: "later".to_owned(), files, at: mine.since };
    store.append("locks/eu+production", None, &entry).await.unwrap();
    let error = read_lock(&store, &mine.environment).await.unwrap_err();
    assert!(error.to_string().contains("use the tagship version that wrote it"), "{error}");
    assert!(lock(&store, &mine).await.is_err());
}
