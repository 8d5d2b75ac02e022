//! Calls to GitHub that go wrong: whichever it is and whatever happens to it, the change gets there and nothing is doubled.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use tagship_testkit::github::{Fault, World};

use crate::{
    hosted::{Hosted, PULL},
    workbench::TAGSHIP,
};

/// What can go wrong with one call, short enough to wait for.
const SHORT: [Fault; 8] = [
    Fault::Status(500),
    Fault::StatusAfter(502),
    Fault::TooMany(Some(1)),
    Fault::Secondary(Some(1)),
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::HalfAnswer,
    Fault::Stale,
];

/// What lets a program wait as long as it thinks is right.
const LONG: [Fault; 5] = [
    Fault::Status(502),
    Fault::TooMany(None),
    Fault::Secondary(None),
    Fault::StatusAfter(504),
    // Last, for while one of these is waited out, others are played.
    Fault::Silence,
];

/// What the host shows in the end, without times and ids.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) comments: usize,
    pub(crate) releases: Vec<Value>,
    pub(crate) deployments: Vec<String>,
    pub(crate) tags: Vec<String>,
    status: Vec<String>,
}

pub(crate) fn shown(hosted: &Hosted) -> Shown {
    let status = hosted.statuses("tagship / production / churn");
    hosted.github.world(|world: &mut World| Shown {
        comments: world.comment_bodies(PULL).len(),
        releases: world
            .releases
            .iter()
            .map(|release| {
                json!([release["tag_name"], release["draft"], release["assets"].as_array().map(Vec::len)])
            })
            .collect(),
        deployments: world.deployment_states().into_iter().map(str::to_owned).collect(),
        tags: world.refs.keys().filter(|name| name.starts_with("refs/tags/")).cloned().collect(),
        status,
    })
}

/// A change on its way to production, undisturbed.
struct Journey {
    program: PathBuf,
    calls: Vec<String>,
    expected: Shown,
}

impl Journey {
    fn of(program: &Path) -> Self {
        let clean = Self::hosted(program);
        clean.push().done.assert_code(0);
        let (calls, expected) = (clean.github.requests(), shown(&clean));
        assert_eq!(expected.comments, 1);
        assert_eq!(expected.deployments, ["success"]);
        assert!(calls.len() < 50, "one deployment takes {} requests: {calls:#?}", calls.len());
        Self { program: program.to_owned(), calls, expected }
    }

    fn hosted(program: &Path) -> Hosted {
        let mut hosted = Hosted::new();
        program.clone_into(&mut hosted.bench.program);
        hosted.propose(false);
        hosted.github.forget_requests();
        hosted
    }

    /// Every call with one of these faults, each at another one of them than its neighbours.
    fn diagonal(&self, faults: &[Fault]) -> Vec<(usize, Fault)> {
        let fault = |number: usize| {
            let fault = faults[number % faults.len()].clone();
            // Only what is read can lag behind.
            let reads = self.calls[number].starts_with("GET");
            (number, if fault == Fault::Stale && !reads { Fault::CutAfter } else { fault })
        };
        (0..self.calls.len()).map(fault).collect()
    }

    /// Every call with each of these faults.
    fn product(&self, faults: &[Fault]) -> Vec<(usize, Fault)> {
        let fits =
            |number: usize, fault: &Fault| *fault != Fault::Stale || self.calls[number].starts_with("GET");
        let calls = 0..self.calls.len();
        let cases = faults.iter().flat_map(|fault| calls.clone().map(move |number| (number, fault.clone())));
        cases.filter(|(number, fault)| fits(*number, fault)).collect()
    }

    /// The same with one fault; what is wrong then.
    fn meet(&self, number: usize, fault: &Fault) -> Result<(), String> {
        let hosted = Self::hosted(&self.program);
        hosted.github.fail_at(number, fault.clone());
        let what = format!("{fault:?} at call {number}, {}", self.calls[number]);
        let step = hosted.push();
        let found = shown(&hosted);
        if step.done.code != 0 {
            return Err(format!("{what}: exit {}: {}", step.done.code, step.done.stderr));
        }
        if found != self.expected {
            return Err(format!("{what}: {found:#?} instead of {:#?}", self.expected));
        }
        let comment = hosted.comment();
        let live = comment.contains("v0.1.0 is live in production");
        if live { Ok(()) } else { Err(format!("{what}: {comment}")) }
    }

    /// Plays cases, some at a time.
    fn play(&self, cases: &[(usize, Fault)], at_a_time: usize) {
        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(vec![]));
        let player = || {
            while let Some((number, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(why) = self.meet(*number, fault) {
                    wrong.lock().unwrap().push(why);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(player);
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
    }
}

#[test]
fn whatever_call_fails_once_the_change_gets_there_and_nothing_is_doubled() {
    let journey = Journey::of(TAGSHIP.as_ref());
    journey.play(&journey.diagonal(&SHORT), 4);
}

#[test]
#[ignore = "takes minutes and the program of examples/hasty.rs: cargo xtask e2e faults"]
fn every_call_meets_every_fault() {
    let hasty = Path::new(TAGSHIP).parent().unwrap().join("examples/hasty");
    let journey = Journey::of(&hasty);
    let (silence, others) = LONG.split_last().unwrap();
    let cases = journey.product(&[&SHORT[..], others].concat());
    // How long an answer is waited for is real time by any clock.
    let patient = Journey::of(TAGSHIP.as_ref());
    let silent = patient.product(std::slice::from_ref(silence));
    thread::scope(|scope| {
        // Nothing is heard for half a minute and next to nothing is done meanwhile.
        let waiting = scope.spawn(|| patient.play(&silent, 8));
        journey.play(&cases, 2);
        waiting.join().unwrap();
    });
    println!("{} calls met {} faults each", journey.calls.len(), SHORT.len() + LONG.len());
}
