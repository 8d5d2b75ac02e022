//! Every order of the steps of two releases and a removal: none loses bytes that a tag refers to.

use std::collections::BTreeSet;

use tagship_domain::{Digest, Duration, Provenance, Timestamp, gate::Outcome, validation::Verdict};
use tagship_ports::{
    ArtifactStore as _, Clock as _, PortError, StateStore as _, fake::FakeStateStore, state_store::NewEntry,
};

use super::at;
use crate::{
    ReleaseError,
    fetch::digest_of,
    lease::{LEASE, Leases, Ledger, Lessor, SWEEP},
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

/// A store in which every file takes two hours, and in which others forget our lease while the second one is sent.
struct Slow<'a> {
    world: &'a super::World,
    forgets: std::sync::atomic::AtomicU32,
}

#[async_trait::async_trait]
impl tagship_ports::ArtifactStore for Slow<'_> {
    fn location(&self) -> String {
        self.world.store.location()
    }

    async fn put(&self, digest: &Digest, file: &std::path::Path) -> Result<(), PortError> {
        if !self.world.store.has(digest).await? {
            self.world.clock.advance(Duration::from_secs(2 * 60 * 60));
            if self.forgets.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1 {
                // Far later, another release of other bytes takes its lease.
                self.world.clock.advance(LEASE);
                let (by, others) = (by("bob"), BTreeSet::from([digest_of(b"others")]));
                let lessor = Lessor { journals: &self.world.journals, clock: &self.world.clock, by: &by };
                lessor.take(&others).await.unwrap();
            }
        }
        self.world.store.put(digest, file).await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        self.world.store.put_bytes(digest, bytes).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        self.world.store.has(digest).await
    }

    async fn get(&self, digest: &Digest, to: &std::path::Path) -> Result<(), PortError> {
        self.world.store.get(digest, to).await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        self.world.store.get_bytes(digest, limit).await
    }
}

/// A draft of five files.
fn many(world: &super::World) -> crate::Draft {
    let mut draft = world.draft(b"0", 10);
    for number in 1..5_u8 {
        let mut file = world.file(&[number]);
        file.entry.path = format!("part-{number}");
        draft.files.push(file);
    }
    draft.single_file = false;
    let files: Vec<_> = draft.files.iter().map(|file| file.entry.clone()).collect();
    let digest = crate::artifact_digest(&files, false).unwrap();
    draft.validation = super::validation(&digest, Verdict::Pass);
    draft.gate = super::gate(&digest, Outcome::Successful);
    draft
}

#[tokio::test]
async fn a_long_release_renews_its_lease_between_its_files() {
    let world = super::World::new();
    let slow = Slow { world: &world, forgets: 0.into() };
    let made = crate::ReleaseMaker { store: &slow, ..world.maker() }.make(&many(&world)).await.unwrap();
    assert!(made.new && world.clock.now() >= at(10 * 60 * 60), "it took longer than a lease");
    let history = world.journals.history("leases", 99).await.unwrap();
    // It was taken, renewed before each of the last four files, and before the tag.
    assert_eq!(history.len(), 6);
    let times: Vec<_> = history.iter().map(|entry| entry.at).collect();
    assert!(times.windows(2).all(|pair| pair[1].after(LEASE) > pair[0]), "{times:?}");
}

#[tokio::test]
async fn a_release_whose_lease_ended_takes_another_and_stores_what_lacks() {
    let world = super::World::new();
    let slow = Slow { world: &world, forgets: 2.into() };
    let made = crate::ReleaseMaker { store: &slow, ..world.maker() }.make(&many(&world)).await.unwrap();
    assert!(made.new);
    assert_eq!(world.tags().await, ["churn@v0.1.0"]);
    let leases = Leases::read(&world.journals).await.unwrap();
    let leased = leases.leased(world.clock.now());
    for number in 0..5_u8 {
        let file = if number == 0 { digest_of(b"0") } else { digest_of(&[number]) };
        assert!(leased.contains(&file) && world.store.has(&file).await.unwrap(), "{number}");
    }
}
