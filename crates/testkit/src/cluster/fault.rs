//! What goes wrong with a request.

/// One failure of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status comes and nothing happened.
    Status(u16),
    /// 429, with seconds in `retry-after`.
    TooMany(u64),
    /// The connection ends and nothing happened.
    CutBefore,
    /// It happened, but the connection ends before the answer.
    CutAfter,
    /// No answer comes and nothing happened.
    Silence,
    /// The answer comes once the cluster's clock has gone on by so many seconds.
    Slow(u64),
}

/// Failures by what is asked for.
#[derive(Debug, Default)]
pub(super) struct Faults {
    once: Vec<Planned>,
    always: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    method: String,
    path: String,
    /// How many such requests pass first.
    spared: usize,
    fault: Fault,
}

impl Planned {
    fn fits(&self, method: &str, target: &str) -> bool {
        (self.method == "*" || self.method == method) && target.contains(&self.path)
    }
}

impl Faults {
    pub(super) fn plan(&mut self, method: &str, path: &str, fault: Fault, lasting: bool) {
        let planned = Planned { method: method.to_owned(), path: path.to_owned(), spared: 0, fault };
        if lasting { self.always.push(planned) } else { self.once.push(planned) }
    }

    pub(super) fn plan_later(&mut self, method: &str, path: &str, spared: usize, fault: Fault) {
        self.once.push(Planned { method: method.to_owned(), path: path.to_owned(), spared, fault });
    }

    /// The fault of this request. One that is not lasting strikes once.
    pub(super) fn take(&mut self, method: &str, target: &str) -> Option<Fault> {
        if let Some(at) = self.once.iter().position(|planned| planned.fits(method, target)) {
            let planned = &mut self.once[at];
            if planned.spared > 0 {
                planned.spared -= 1;
                return None;
            }
            return Some(self.once.remove(at).fault);
        }
        let lasting = self.always.iter().find(|planned| planned.fits(method, target));
        lasting.map(|planned| planned.fault.clone())
    }
}
