//! What goes wrong with a request.

/// One failure of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status comes and nothing happened.
    Status(u16),
    /// It happened, but this status comes.
    StatusAfter(u16),
    /// 429, with seconds in `retry-after` or without.
    TooMany(Option<u64>),
    /// 403 of the secondary rate limit, with seconds in `retry-after` or without.
    Secondary(Option<u64>),
    /// The hour's requests are used up until this many seconds after 1970.
    Exhausted(u64),
    /// No answer comes and nothing happened.
    Silence,
    /// The connection ends and nothing happened.
    CutBefore,
    /// It happened, but the connection ends before the answer.
    CutAfter,
    /// The program that [`FakeGitHub::point_at`](super::FakeGitHub::point_at) names is killed, and nothing happened.
    KillBefore,
    /// It happened, but that program is killed before the answer comes.
    KillAfter,
    /// It happened, but the connection ends in the middle of the answer.
    HalfAnswer,
    /// A read answers what was there before the last write.
    Stale,
    /// The answer is no JSON.
    Garbage,
    /// The request is refused in the host's words for what is missing: `issues=write`.
    Forbidden(&'static str),
}

/// Failures by the number of the request, counted from 0, or by what is asked for.
#[derive(Debug, Default)]
pub(super) struct Faults {
    numbered: Vec<(usize, Fault)>,
    matching: Vec<(String, String, Fault)>,
    standing: Vec<(String, String, Fault)>,
}

impl Faults {
    pub(super) fn at(&mut self, number: usize, fault: Fault) {
        self.numbered.push((number, fault));
    }

    pub(super) fn next(&mut self, method: &str, path: &str, fault: Fault) {
        self.matching.push((method.to_owned(), path.to_owned(), fault));
    }

    pub(super) fn always(&mut self, method: &str, path: &str, fault: Fault) {
        self.standing.push((method.to_owned(), path.to_owned(), fault));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault of this request. A planned one strikes once.
    pub(super) fn take(&mut self, number: usize, method: &str, target: &str) -> Option<Fault> {
        if let Some(at) = self.numbered.iter().position(|(there, _)| *there == number) {
            return Some(self.numbered.remove(at).1);
        }
        let fits = |(wanted, path, _): &(String, String, Fault)| {
            (wanted == "*" || wanted == method) && target.contains(path.as_str())
        };
        if let Some(at) = self.matching.iter().position(fits) {
            return Some(self.matching.remove(at).2);
        }
        self.standing.iter().find(|standing| fits(standing)).map(|(_, _, fault)| fault.clone())
    }
}
