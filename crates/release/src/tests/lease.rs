//! Every order of the steps of two releases and a removal: none loses bytes that a tag refers to.

use std::collections::BTreeSet;

use tagship_domain::{Digest, Provenance, Timestamp};
use tagship_ports::{StateStore as _, fake::FakeStateStore, state_store::NewEntry};

use super::at;
use crate::{
    ReleaseError,
    fetch::digest_of,
    lease::{LEASE, Leases, Ledger, SWEEP},
};

/// Where a release is. It needs one file, and refers to it with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Maker {
    Begins,
    /// It has read the journal, to take its lease or to renew the one that it holds.
    HasRead(Option<u64>, Ledger, u32),
    Stores(u64),
    Renews(u64),
    Tags,
    Ended,
}

/// Where a removal is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Remover {
    Begins,
    HasRead {
        read: Ledger,
        revision: u32,
        at: Timestamp,
    },
    Announces {
        read: Ledger,
        revision: u32,
        at: Timestamp,
        referenced: bool,
    },
    /// It looks at the clock once more.
    Looks(Timestamp),
    Removes(Timestamp),
    Ends(Timestamp),
    Ended,
}

/// Bugs that the walk must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    AsTheyAre,
    /// Removal writes over what was written since it read.
    NoSwap,
    /// Removal reads the tags before the journal.
    TagsFirst,
    /// Removal looks whether leases have ended after it has read the tags.
    LateClock,
    /// A release makes its tag without renewing its lease.
    NoRenewal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    ledger: Ledger,
    revision: u32,
    stored: bool,
    tagged: bool,
    now: Timestamp,
    makers: [Maker; 2],
    remover: Remover,
    /// What the removal saw of the tags before it read the journal.
    saw_tag: bool,
}

fn file() -> Digest {
    digest_of(b"weights")
}

fn by(name: &str) -> Provenance {
    Provenance { actor: name.to_owned(), run: None }
}

fn lease(ledger: &mut Ledger, held: Option<u64>, now: Timestamp) -> Result<u64, ReleaseError> {
    let digests = BTreeSet::from([file()]);
    match held {
        None => ledger.take(&digests, &by("ada"), now),
        Some(number) => ledger.renew(number, &digests, now).map(|()| number),
    }
}

/// What a release may do next. Between renewing and its tag no lease ends: see the clock of [`State::steps`].
fn make(mut state: State, who: usize, rules: Rules) -> State {
    let next = match state.makers[who].clone() {
        Maker::Begins => Maker::HasRead(None, state.ledger.clone(), state.revision),
        Maker::HasRead(held, _, revision) if revision != state.revision => {
            held.map_or(Maker::Begins, Maker::Renews)
        }
        Maker::HasRead(held, mut ledger, _) => match lease(&mut ledger, held, state.now) {
            Err(_) => Maker::Ended,
            Ok(number) => {
                (state.ledger, state.revision) = (ledger, state.revision + 1);
                if held.is_some() { Maker::Tags } else { Maker::Stores(number) }
            }
        },
        Maker::Stores(number) => {
            state.stored = true;
            if rules == Rules::NoRenewal { Maker::Tags } else { Maker::Renews(number) }
        }
        Maker::Renews(number) => Maker::HasRead(Some(number), state.ledger.clone(), state.revision),
        Maker::Tags => {
            state.tagged = true;
            Maker::Ended
        }
        Maker::Ended => Maker::Ended,
    };
    state.makers[who] = next;
    state
}

fn remove(mut state: State, rules: Rules) -> State {
    state.remover = match state.remover.clone() {
        Remover::Begins => {
            state.saw_tag = state.tagged;
            Remover::HasRead { read: state.ledger.clone(), revision: state.revision, at: state.now }
        }
        // The journal is read anew, the tags are not.
        Remover::HasRead { .. } if rules == Rules::TagsFirst => Remover::Announces {
            read: state.ledger.clone(),
            revision: state.revision,
            at: state.now,
            referenced: state.saw_tag,
        },
        Remover::HasRead { read, revision, at } => {
            Remover::Announces { read, revision, at, referenced: state.tagged }
        }
        Remover::Announces { mut read, revision, at, referenced } => {
            let at = if rules == Rules::LateClock { state.now } else { at };
            if referenced || read.leased(at).contains(&file()) {
                Remover::Ended
            } else if revision != state.revision && rules != Rules::NoSwap {
                Remover::Begins
            } else {
                match read.announce(BTreeSet::from([file()]), &by("gc"), state.now) {
                    Err(_) => Remover::Ended,
                    Ok(()) => {
                        (state.ledger, state.revision) = (read, state.revision + 1);
                        Remover::Looks(state.now)
                    }
                }
            }
        }
        Remover::Looks(at) if at.after(SWEEP) <= state.now => Remover::Ends(at),
        Remover::Looks(at) => Remover::Removes(at),
        Remover::Removes(at) => {
            state.stored = false;
            Remover::Ends(at)
        }
        Remover::Ends(at) => {
            state.ledger.end(at, &by("gc"));
            state.revision += 1;
            Remover::Ended
        }
        Remover::Ended => Remover::Ended,
    };
    state
}

impl State {
    fn of(stored: bool) -> Self {
        let (ledger, makers) = (Ledger::default(), [Maker::Begins, Maker::Begins]);
        let remover = Remover::Begins;
        Self { ledger, revision: 0, stored, tagged: false, now: at(0), makers, remover, saw_tag: false }
    }

    fn steps(&self, rules: Rules) -> Vec<Self> {
        let mut next: Vec<_> = (0..2).map(|who| make(self.clone(), who, rules)).collect();
        next.push(remove(self.clone(), rules));
        // Time passes once, until every lease has ended, wherever no run looks at the clock first.
        let looks = self.makers.contains(&Maker::Tags) && rules != Rules::NoRenewal
            || matches!(self.remover, Remover::Removes(_));
        if self.now == at(0) && !looks {
            next.push(Self { now: at(0).after(LEASE).after(SWEEP), ..self.clone() });
        }
        next.retain(|state| state != self);
        next
    }
}

/// How many states can be reached, and how many of them lose bytes that a tag refers to.
fn walk(rules: Rules) -> (usize, usize) {
    let (mut seen, mut lost) = (BTreeSet::new(), 0);
    let mut open = vec![State::of(true), State::of(false)];
    while let Some(state) = open.pop() {
        if seen.insert(format!("{state:?}")) {
            lost += usize::from(state.tagged && !state.stored);
            open.extend(state.steps(rules));
        }
    }
    (seen.len(), lost)
}

#[test]
fn no_order_of_releases_and_removal_loses_what_a_tag_refers_to() {
    let (states, lost) = walk(Rules::AsTheyAre);
    assert_eq!(lost, 0);
    assert!(states > 500, "{states} states");
}

#[test]
fn without_any_of_its_parts_the_walk_finds_a_loss() {
    for rules in [Rules::NoSwap, Rules::TagsFirst, Rules::LateClock, Rules::NoRenewal] {
        assert!(walk(rules).1 > 0, "{rules:?}");
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_leases_no_less() {
    for json in [None, Some("{}"), Some("{\"schema\":\"tagship/leases/v2\",\"leases\":{},\"next\":1}")] {
        let journals = FakeStateStore::default();
        let files =
            json.map(|json| ("leases.json".to_owned(), json.as_bytes().to_vec())).into_iter().collect();
        let entry = NewEntry {
            message: "A newer program was here\n".to_owned(),
            files,
            at: Timestamp::from_seconds(0).unwrap(),
        };
        journals.append("leases", None, &entry).await.unwrap();
        assert!(Leases::read(&journals).await.is_err(), "{json:?}");
    }
}
