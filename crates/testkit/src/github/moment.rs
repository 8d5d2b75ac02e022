//! Moments that a test chooses: a program ends at one request, or several programs meet at one.

use std::{
    process::Command,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// How long something is waited for that must come, before the test is told that it did not.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is waited for. It is locked apart from the world, which is answered from meanwhile.
#[derive(Debug, Default)]
pub(super) struct Moments {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    victim: Option<u32>,
    meeting: Option<Meeting>,
}

#[derive(Debug)]
struct Meeting {
    method: String,
    path: String,
    awaited: usize,
    /// Requests that stand at the door.
    here: usize,
}

impl Meeting {
    fn is_open(&self) -> bool {
        self.here >= self.awaited
    }
}

impl Moments {
    /// Says which program the faults kill.
    pub(super) fn point_at(&self, victim: Option<u32>) {
        self.change(|state| state.victim = victim);
    }

    /// Kills the program as a lost machine would. It may not be known yet that it has started.
    pub(super) fn kill(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.victim.is_none());
        let victim = waited.unwrap_or_else(PoisonError::into_inner).0.victim;
        let victim = victim.expect("the program to be killed is named").to_string();
        let done = Command::new("kill").args(["-KILL", &victim]).status();
        assert!(done.is_ok_and(|status| status.success()), "a running program can be killed");
    }

    /// Lets so many requests of a kind wait for one another.
    pub(super) fn arrange(&self, method: &str, path: &str, awaited: usize) {
        let meeting = Meeting { method: method.to_owned(), path: path.to_owned(), awaited, here: 0 };
        self.change(|state| state.meeting = Some(meeting));
    }

    /// Waits for the others, where a request is of that kind and they are not all there yet.
    pub(super) fn pass(&self, method: &str, target: &str) {
        let fits = |meeting: &Meeting| {
            meeting.method == method && target.contains(&meeting.path) && !meeting.is_open()
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(meeting) = state.meeting.as_mut().filter(|meeting| fits(meeting)) else { return };
        meeting.here += 1;
        self.changed.notify_all();
        let waits = |state: &mut State| state.meeting.as_ref().is_some_and(|meeting| !meeting.is_open());
        drop(self.changed.wait_timeout_while(state, PATIENCE, waits));
    }

    /// Whether all of them stood there at once.
    pub(super) fn have_met(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.meeting.as_ref().is_some_and(Meeting::is_open)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}
