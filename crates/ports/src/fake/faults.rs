//! What goes wrong, by call: the world never answers, or it acts and the answer gets lost.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::poll_fn,
    sync::Mutex,
    task::Poll,
};

use super::lock::held;
use crate::{PortError, Problem};

/// One failure of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and nothing happened.
    Before(PortError),
    /// Everything happened, but the caller gets the error: the answer was lost.
    After(PortError),
}

/// Failures planned for the calls of one fake. A call without a plan succeeds.
#[derive(Default)]
pub struct Faults {
    planned: Mutex<BTreeMap<String, VecDeque<Fault>>>,
    standing: Mutex<BTreeMap<String, PortError>>,
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Faults {
    /// The next calls of `call` fail, one fault per call, in the order in which they were planned.
    pub fn plan(&self, call: &str, fault: Fault) {
        held(&self.planned).entry(call.to_owned()).or_default().push_back(fault);
    }

    /// The next `times` calls of `call` fail without effect.
    pub fn fail(&self, call: &str, problem: Problem, times: usize) {
        for _ in 0..times {
            self.plan(call, Fault::Before(scripted(call, problem)));
        }
    }

    /// The next call of `call` acts and its answer gets lost.
    pub fn lose_answer(&self, call: &str) {
        self.plan(call, Fault::After(scripted(call, Problem::Unreachable)));
    }

    /// Every call of `call` fails without effect, until [`Faults::recover`].
    pub fn always(&self, call: &str, problem: Problem) {
        held(&self.standing).insert(call.to_owned(), scripted(call, problem));
    }

    /// Ends [`Faults::always`].
    pub fn recover(&self, call: &str) {
        held(&self.standing).remove(call);
    }

    /// How often `call` was called, whatever came of it.
    pub fn calls(&self, call: &str) -> u64 {
        held(&self.calls).get(call).copied().unwrap_or(0)
    }

    /// Gives way once, then runs the body of a call under what is planned for it.
    pub(super) async fn around<T, E: From<PortError>>(
        &self,
        call: &str,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        give_way().await;
        *held(&self.calls).entry(call.to_owned()).or_default() += 1;
        let planned = held(&self.planned).get_mut(call).and_then(VecDeque::pop_front);
        let standing = held(&self.standing).get(call).cloned().map(Fault::Before);
        match planned.or(standing) {
            None => body(),
            Some(Fault::Before(error)) => Err(error.into()),
            Some(Fault::After(error)) => body().and(Err(error.into())),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("planned", &held(&self.planned)).finish_non_exhaustive()
    }
}

fn scripted(call: &str, problem: Problem) -> PortError {
    PortError::new(problem, call, "scripted by the test")
}

/// Returns to whoever polls, once.
pub(super) async fn give_way() {
    let mut gave_way = false;
    poll_fn(|context| {
        if gave_way {
            return Poll::Ready(());
        }
        gave_way = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
