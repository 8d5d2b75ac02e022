//! Counting test cases while a report is read.

use crate::text::shown;

/// Most names of failed tests that are kept.
const KEPT_NAMES: usize = 10;

/// Longest name that is kept, in characters.
const NAME_LENGTH: usize = 160;

/// How many test cases ended how. A case counts once, by the worst thing it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Passed at the first attempt.
    pub(crate) clean: u64,
    /// Passed, but only when run again.
    pub(crate) flaky: u64,
    /// An assertion failed.
    pub(crate) failed: u64,
    /// Broke in another way.
    pub(crate) errors: u64,
    /// Not run.
    pub(crate) skipped: u64,
}

/// What a report's own attributes say, which is not what is believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) tests: u64,
    pub(crate) bad: u64,
}

/// What one or more reports say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TestReport {
    pub(crate) counts: Counts,
    /// Names of the first cases that failed or broke.
    pub(crate) bad_names: Vec<String>,
    /// Cases and bad cases according to the attributes of the outermost suites, where they have any.
    pub(crate) claims: Option<Claims>,
}

/// A test case that is being read. Its fields are what its children said.
#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) failed: bool,
    pub(crate) broken: bool,
    pub(crate) skipped: bool,
    pub(crate) rerun: bool,
}

impl Counts {
    /// Cases that passed, at whichever attempt.
    pub(crate) fn passed(&self) -> u64 {
        self.clean + self.flaky
    }

    /// Cases that failed or broke.
    pub(crate) fn bad(&self) -> u64 {
        self.failed + self.errors
    }

    /// Cases that were run.
    pub(crate) fn ran(&self) -> u64 {
        self.passed() + self.bad()
    }

    /// All cases.
    pub(crate) fn total(&self) -> u64 {
        self.ran() + self.skipped
    }
}

impl TestReport {
    pub(crate) fn count(&mut self, case: &Case) {
        let counts = &mut self.counts;
        if case.broken {
            counts.errors += 1;
        } else if case.failed {
            counts.failed += 1;
        } else if case.skipped {
            counts.skipped += 1;
        } else if case.rerun {
            counts.flaky += 1;
        } else {
            counts.clean += 1;
        }
        if (case.broken || case.failed) && self.bad_names.len() < KEPT_NAMES {
            self.bad_names.push(shown(&case.name, NAME_LENGTH));
        }
    }

    pub(crate) fn claim(&mut self, claims: Claims) {
        let sum = self.claims.get_or_insert_default();
        sum.tests = sum.tests.saturating_add(claims.tests);
        sum.bad = sum.bad.saturating_add(claims.bad);
    }

    /// Adds the cases of another report.
    pub(crate) fn add(&mut self, other: Self) {
        let (counts, more) = (&mut self.counts, other.counts);
        counts.clean += more.clean;
        counts.flaky += more.flaky;
        counts.failed += more.failed;
        counts.errors += more.errors;
        counts.skipped += more.skipped;
        self.bad_names.extend(other.bad_names);
        self.bad_names.truncate(KEPT_NAMES);
    }
}
