//! What keeps a release and the removal of garbage apart, whatever the order of their steps.
//!
//! A release that is about to refer to bytes, old ones or new, first says so in a journal: it *leases* their digests. Removal says
//! in the same journal what it is about to remove. Both move the journal by compare-and-swap:
//!
//! - Removal reads the journal, then the tags, then announces what neither a lease nor a tag names. A lease that was taken in
//!   between has moved the journal, and it begins again. So what it removes no release has leased, and no release that was done
//!   before it began refers to.
//! - A release does not lease what is being removed, and renews its lease before it makes its tag. A lease that is gone by then
//!   is an error: bytes may be gone, too.
//!
//! Runs die: a lease ends after [`LEASE`], an announced removal after [`SWEEP`]. Only a run that sleeps that long between two of its
//! steps could be overtaken; both look at the clock before the step that counts. A release of many files renews its lease between
//! them. One that finds its lease gone takes a new one, and looks again whether everything is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tagship_domain::{
    Digest, Document, Duration, Provenance, Timestamp,
    schema::{self, DocumentError},
};
use tagship_ports::{
    Clock, StateStore,
    state_store::{AppendError, Entry, Files, NewEntry},
};

use crate::{
    error::ReleaseError,
    race::{ATTEMPTS, Race},
};

/// How long a lease holds that is not renewed: no job of GitHub's own runners takes longer.
pub const LEASE: Duration = Duration::from_secs(6 * 60 * 60);
/// How long a removal that was announced may last.
pub const SWEEP: Duration = Duration::from_secs(60 * 60);

/// One journal for all models: they may share a store.
const JOURNAL: &str = "leases";
/// The file of an entry.
const FILE: &str = "leases.json";
/// A lease is renewed between two files once it is so old.
const RENEWED_AFTER: Duration = Duration::from_secs(30 * 60);

/// What a release needs until its tag is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    digests: BTreeSet<Digest>,
    by: Provenance,
    /// When it was last renewed.
    at: Timestamp,
}

/// What is about to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    digests: BTreeSet<Digest>,
    by: Provenance,
    at: Timestamp,
}

/// What stands in the journal: the rules, without the journal itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// By number. Every run has its own, also where they need the same: a lease that ended is not the one that came after it.
    leases: BTreeMap<u64, Lease>,
    /// The number of the next lease.
    next: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweep: Option<Sweep>,
}

impl Document for Ledger {
    const SCHEMA: &'static str = "tagship/leases/v1";
}

impl Ledger {
    /// Takes a lease and answers its number. Leases that have ended are forgotten.
    pub(crate) fn take(
        &mut self,
        digests: &BTreeSet<Digest>,
        by: &Provenance,
        now: Timestamp,
    ) -> Result<u64, ReleaseError> {
        self.must_stay(digests, now)?;
        self.leases.retain(|_, lease| lease.at.after(LEASE) > now);
        let number = self.next;
        self.next += 1;
        self.leases.insert(number, Lease { digests: digests.clone(), by: by.clone(), at: now });
        Ok(number)
    }

    /// Renews a lease with more digests.
    pub(crate) fn renew(
        &mut self,
        number: u64,
        more: &BTreeSet<Digest>,
        now: Timestamp,
    ) -> Result<(), ReleaseError> {
        self.must_stay(more, now)?;
        let lease = self.leases.get_mut(&number).ok_or(ReleaseError::LeaseEnded)?;
        lease.digests.extend(more.iter().cloned());
        lease.at = now;
        Ok(())
    }

    /// Refuses what is being removed.
    fn must_stay(&self, digests: &BTreeSet<Digest>, now: Timestamp) -> Result<(), ReleaseError> {
        let open = self.sweep.iter().filter(|sweep| sweep.at.after(SWEEP) > now);
        for sweep in open {
            if let Some(digest) = sweep.digests.intersection(digests).next() {
                let (digest, by, until) = (digest.clone(), sweep.by.clone(), sweep.at.after(SWEEP));
                return Err(ReleaseError::BeingRemoved { digest, by, until });
            }
        }
        Ok(())
    }

    /// Announces what is removed: nothing that is leased. Leases that have ended are forgotten with it.
    pub(crate) fn announce(
        &mut self,
        going: BTreeSet<Digest>,
        by: &Provenance,
        now: Timestamp,
    ) -> Result<(), ReleaseError> {
        if let Some(other) = self.sweep.as_ref().filter(|sweep| sweep.at.after(SWEEP) > now) {
            let (by, until) = (other.by.clone(), other.at.after(SWEEP));
            return Err(ReleaseError::OtherSweep { by, until });
        }
        self.leases.retain(|_, lease| lease.at.after(LEASE) > now);
        self.sweep = Some(Sweep { digests: going, by: by.clone(), at: now });
        Ok(())
    }

    /// What releases need that are being made, or died less than [`LEASE`] ago.
    pub(crate) fn leased(&self, now: Timestamp) -> BTreeSet<Digest> {
        let open = self.leases.values().filter(|lease| lease.at.after(LEASE) > now);
        open.flat_map(|lease| lease.digests.iter().cloned()).collect()
    }

    /// Ends the removal that was announced then; another one has begun since where that took too long.
    pub(crate) fn end(&mut self, announced: Timestamp, by: &Provenance) {
        self.sweep.take_if(|sweep| sweep.at == announced && sweep.by == *by);
    }
}

/// The journal, as it was read.
pub struct Leases<'a> {
    journals: &'a dyn StateStore,
    tip: Option<Entry>,
    ledger: Ledger,
}

impl std::fmt::Debug for Leases<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leases").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl<'a> Leases<'a> {
    /// Reads the journal. Tags have to be read after it, and what is removed announced on what was read.
    ///
    /// # Errors
    /// When it cannot be read, or is none of ours.
    pub async fn read(journals: &'a dyn StateStore) -> Result<Self, ReleaseError> {
        let tip = journals.tip(JOURNAL).await?;
        let ledger = match &tip {
            None => Ledger::default(),
            // One that cannot be read is no sign that nothing is leased.
            Some(tip) => {
                let text = tip.files.get(FILE).map(|json| String::from_utf8_lossy(json)).unwrap_or_default();
                schema::from_json(&text).map_err(|error| bad(&error))?
            }
        };
        Ok(Self { journals, tip, ledger })
    }

    /// What must stay for releases that are being made. `now` is the time before the tags are read: a lease that ends after it
    /// may be of a release whose tag was not there yet.
    pub fn leased(&self, now: Timestamp) -> BTreeSet<Digest> {
        self.ledger.leased(now)
    }

    /// Announces what is about to be removed; false where the journal moved since it was read: then everything is to be read
    /// again.
    ///
    /// # Errors
    /// When another removal is on its way, or the journal cannot be written.
    pub async fn announce(
        mut self,
        going: BTreeSet<Digest>,
        by: &Provenance,
        now: Timestamp,
    ) -> Result<bool, ReleaseError> {
        let message = format!("Remove {} files that no release refers to\n", going.len());
        self.ledger.announce(going, by, now)?;
        self.append(message, now).await
    }

    /// Says that the removal has ended that was announced then.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn end(
        journals: &dyn StateStore,
        announced: Timestamp,
        by: &Provenance,
        clock: &dyn Clock,
    ) -> Result<(), ReleaseError> {
        let mut race = Race::new(clock, by, announced);
        loop {
            let mut leases = Leases::read(journals).await?;
            leases.ledger.end(announced, by);
            if leases.append("End a removal\n".to_owned(), clock.now()).await? {
                return Ok(());
            }
            if !race.again().await {
                return Err(ReleaseError::ContendedLeases { attempts: ATTEMPTS });
            }
        }
    }

    async fn append(self, message: String, now: Timestamp) -> Result<bool, ReleaseError> {
        let json = schema::to_json(&self.ledger).map_err(|error| bad(&error))?.into_bytes();
        let entry = NewEntry { message, files: Files::from([(FILE.to_owned(), json)]), at: now };
        match self.journals.append(JOURNAL, self.tip.as_ref().map(|tip| &tip.id), &entry).await {
            Ok(_) => Ok(true),
            Err(AppendError::Lost { .. }) => Ok(false),
            Err(AppendError::Port(error)) => Err(error.into()),
        }
    }
}

/// Where leases are written, by whom, and when.
#[derive(Clone, Copy)]
pub(crate) struct Lessor<'a> {
    /// The journal is one of these.
    pub(crate) journals: &'a dyn StateStore,
    /// Read anew for every attempt: a race may take minutes.
    pub(crate) clock: &'a dyn Clock,
    /// Who releases.
    pub(crate) by: &'a Provenance,
}

/// A lease of a release that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    number: u64,
    renewed: Timestamp,
}

impl Held {
    /// Renews it where it is so old that the next file may take it near its end.
    ///
    /// # Errors
    /// As [`Lessor::renew`].
    pub(crate) async fn renew_in_time(&mut self, lessor: Lessor<'_>) -> Result<(), ReleaseError> {
        if lessor.clock.now() < self.renewed.after(RENEWED_AFTER) {
            return Ok(());
        }
        lessor.renew(self, &BTreeSet::new()).await
    }
}

impl Lessor<'_> {
    /// Takes a lease.
    ///
    /// # Errors
    /// When some of it is being removed, or the journal cannot be written.
    pub(crate) async fn take(self, digests: &BTreeSet<Digest>) -> Result<Held, ReleaseError> {
        let (number, renewed) =
            self.change(digests, |ledger, now| ledger.take(digests, self.by, now)).await?;
        Ok(Held { number, renewed })
    }

    /// Renews a lease with more digests.
    ///
    /// # Errors
    /// As [`Lessor::take`], and when it ended and was forgotten.
    pub(crate) async fn renew(self, held: &mut Held, more: &BTreeSet<Digest>) -> Result<(), ReleaseError> {
        let number = held.number;
        let ((), renewed) = self.change(more, |ledger, now| ledger.renew(number, more, now)).await?;
        held.renewed = renewed;
        Ok(())
    }

    /// Changes the journal, and again where another run was faster; answers when that was, too.
    async fn change<T>(
        self,
        about: &BTreeSet<Digest>,
        change: impl Fn(&mut Ledger, Timestamp) -> Result<T, ReleaseError> + Send,
    ) -> Result<(T, Timestamp), ReleaseError> {
        let mut race = Race::new(self.clock, self.by, about);
        loop {
            let mut leases = Leases::read(self.journals).await?;
            let now = self.clock.now();
            let changed = change(&mut leases.ledger, now)?;
            if leases.append("Lease files for a release\n".to_owned(), now).await? {
                return Ok((changed, now));
            }
            if !race.again().await {
                return Err(ReleaseError::ContendedLeases { attempts: ATTEMPTS });
            }
        }
    }
}

fn bad(error: &DocumentError) -> ReleaseError {
    ReleaseError::BadClaims { journal: JOURNAL.to_owned(), why: error.to_string() }
}
