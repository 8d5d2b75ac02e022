//! What every target must do.

use std::path::PathBuf;

use tagship_domain::{
    Digest, Duration, ModelName, Version,
    routing::{HeaderMatch, HeaderName, HeaderText, Routing, Shadow},
    traffic::{Arm, TargetState, Weight},
};

use crate::{
    Clock, PortError, Problem, Target,
    target::{Done, Order},
};

/// How often the suite looks before it calls a change lost.
const LOOKS: usize = 300;

/// A version that the target can load.
#[derive(Debug)]
pub struct Loadable {
    /// Its version.
    pub version: Version,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Where they are.
    pub bytes: PathBuf,
}

/// Traffic goes where it was ordered, repeated orders change nothing, and late orders are refused. The target must
/// serve nothing of `model`. An order may be answered `Pending`: the suite looks until it is done, pausing on
/// `clock`.
pub async fn target(
    target: &dyn Target,
    clock: &dyn Clock,
    model: &ModelName,
    one: &Loadable,
    two: &Loadable,
) {
    let suite = Suite { target, clock, model };
    let (v1, v2) = (&one.version, &two.version);
    assert_eq!(target.observe(model).await, Ok(TargetState::default()), "the target must start empty");
    suite.nothing_loaded(v1).await;

    suite.prepare(1, one).await;
    suite.prepare(1, one).await;
    suite.weights("loaded, without traffic", &[(v1, 0)]).await;
    ok(&target.set_weight(&suite.order(2), v1, Weight::ALL).await, "all traffic to the first version");
    ok(&target.promote(&suite.order(3), v1).await, "promote");
    ok(&target.promote(&suite.order(3), v1).await, "promote again");
    suite.weights("the first version serves", &[(v1, 100)]).await;

    suite.prepare(4, two).await;
    suite.weights("a second version gets no traffic by being loaded", &[(v1, 100), (v2, 0)]).await;
    let conflict = target.prepare(&suite.order(5), v2, &one.digest, &one.bytes).await;
    refused(conflict, Problem::Conflict, "other bytes under a version that is loaded");
    let busy = target.cleanup(&suite.order(6), v1).await;
    refused(busy, Problem::Conflict, "unloading a version that has traffic");
    suite.sticky().await;
    suite.matches(v2).await;
    suite.shadow(v1, v2).await;
    suite.weights("copies and headers move no traffic", &[(v1, 100), (v2, 0)]).await;
    if target.capabilities().weights {
        let quarter = Weight::percent(25).expect("a share");
        ok(&target.set_weight(&suite.order(7), v2, quarter).await, "a share");
        suite.weights("stable keeps the rest", &[(v1, 75), (v2, 25)]).await;
    }
    ok(&target.rollback(&suite.order(8), Some(v1)).await, "back to the first version");
    ok(&target.rollback(&suite.order(8), Some(v1)).await, "back again");
    suite.weights("back on the first version", &[(v1, 100), (v2, 0)]).await;

    suite.late_orders(two).await;
    ok(&target.promote(&suite.order(9), v2).await, "promote the second version");
    suite.weights("the second version serves", &[(v1, 0), (v2, 100)]).await;
    let ended = target.route(&suite.order(9), &Routing::default()).await;
    assert_ne!(ended, Ok(Done::Applied), "a shadow ends when its version gets traffic");
    ok(&target.cleanup(&suite.order(10), v1).await, "unload what does not serve");
    ok(&target.cleanup(&suite.order(10), v1).await, "unload again");
    suite.weights("one version is left", &[(v2, 100)]).await;
    ok(&target.rollback(&suite.order(11), None).await, "out of service");
    suite.out_of_service().await;
    ok(&target.cleanup(&suite.order(12), v2).await, "unload the last version");
    suite.weights("nothing is left", &[]).await;
}

struct Suite<'a> {
    target: &'a dyn Target,
    clock: &'a dyn Clock,
    model: &'a ModelName,
}

impl Suite<'_> {
    fn order(&self, fence: u64) -> Order {
        Order::new(self.model.clone(), fence)
    }

    async fn nothing_loaded(&self, version: &Version) {
        let order = self.order(0);
        refused(self.target.promote(&order, version).await, Problem::NotFound, "promote what is not loaded");
        let weight = self.target.set_weight(&order, version, Weight::ALL).await;
        refused(weight, Problem::NotFound, "traffic to what is not loaded");
        let back = self.target.rollback(&order, Some(version)).await;
        refused(back, Problem::NotFound, "back to what is not loaded");
        ok(&self.target.cleanup(&order, version).await, "unload what is not loaded");
    }

    /// Loads a version and waits until it is ready with the right bytes.
    async fn prepare(&self, fence: u64, what: &Loadable) {
        let done = self.target.prepare(&self.order(fence), &what.version, &what.digest, &what.bytes).await;
        ok(&done, "prepare");
        let is_ready = |arm: &Arm| arm.version == what.version && arm.digest == what.digest && arm.ready;
        self.until("ready with its digest", |state| state.arms.iter().any(is_ready)).await;
    }

    /// A header can be named, also twice, and forgotten.
    async fn sticky(&self) {
        let order = self.order(6);
        let header = HeaderName::new("X-Client").expect("a header");
        let sticky = Routing { sticky: Some(header), ..Routing::default() };
        if !self.target.capabilities().sticky {
            refused(self.target.route(&order, &sticky).await, Problem::Unsupported, "a sticky header");
            return;
        }
        ok(&self.target.route(&order, &sticky).await, "a sticky header");
        let again = self.target.route(&order, &sticky).await;
        assert_ne!(again, Ok(Done::Applied), "a repeated order changes nothing");
        ok(&self.target.route(&order, &Routing::default()).await, "no sticky header");
    }

    /// Requests can be led by a header to a version that is loaded. Those are traffic: it is not unloaded.
    async fn matches(&self, version: &Version) {
        let order = self.order(6);
        let rule = HeaderMatch {
            header: HeaderName::new("X-Cohort").expect("a header"),
            exact: HeaderText::new("beta").expect("a value"),
        };
        let matched = |version: &Version| Routing { matched: Some(rule.to(version)), ..Routing::default() };
        if !self.target.capabilities().matches {
            let answer = self.target.route(&order, &matched(version)).await;
            refused(answer, Problem::Unsupported, "requests led by a header");
            return;
        }
        let unknown = Version::new(99, 0, 0);
        refused(
            self.target.route(&order, &matched(&unknown)).await,
            Problem::NotFound,
            "requests led to nobody",
        );
        ok(&self.target.route(&order, &matched(version)).await, "requests led by a header");
        let again = self.target.route(&order, &matched(version)).await;
        assert_ne!(again, Ok(Done::Applied), "a repeated order changes nothing");
        let busy = self.target.cleanup(&order, version).await;
        refused(busy, Problem::Conflict, "unloading a version that requests are led to");
        ok(&self.target.route(&order, &Routing::default()).await, "no requests led by a header");
    }

    /// A version without traffic can answer copies; one that has traffic or is not loaded cannot. Leaves `idle` as the
    /// shadow.
    async fn shadow(&self, busy: &Version, idle: &Version) {
        let order = self.order(6);
        let share = Weight::percent(10).expect("a share");
        let shadow = |version: &Version| {
            let shadow = Shadow { version: version.clone(), share };
            Routing { shadow: Some(shadow), ..Routing::default() }
        };
        if !self.target.capabilities().shadow {
            let answer = self.target.route(&order, &shadow(idle)).await;
            refused(answer, Problem::Unsupported, "copies of requests");
            return;
        }
        let answer = self.target.route(&order, &shadow(busy)).await;
        refused(answer, Problem::Conflict, "copies to a version that has traffic");
        let unknown = Version::new(99, 0, 0);
        refused(self.target.route(&order, &shadow(&unknown)).await, Problem::NotFound, "copies to nobody");
        ok(&self.target.route(&order, &shadow(idle)).await, "copies of requests");
        let again = self.target.route(&order, &shadow(idle)).await;
        assert_ne!(again, Ok(Done::Applied), "a repeated order changes nothing");
    }

    async fn late_orders(&self, two: &Loadable) {
        let late = self.order(3);
        let version = &two.version;
        for (call, answer) in [
            ("prepare", self.target.prepare(&late, version, &two.digest, &two.bytes).await),
            ("set_weight", self.target.set_weight(&late, version, Weight::ALL).await),
            ("route", self.target.route(&late, &Routing::default()).await),
            ("promote", self.target.promote(&late, version).await),
            ("rollback", self.target.rollback(&late, None).await),
            ("cleanup", self.target.cleanup(&late, version).await),
        ] {
            refused(answer, Problem::Fenced, call);
        }
    }

    async fn out_of_service(&self) {
        let idle = |state: &TargetState| state.arms.iter().all(|arm| arm.weight == Weight::NONE);
        self.until("no version has traffic", idle).await;
    }

    async fn weights(&self, what: &str, expected: &[(&Version, u8)]) {
        let as_expected = |state: &TargetState| {
            let mut seen: Vec<_> = state.arms.iter().map(|arm| (&arm.version, arm.weight.get())).collect();
            seen.sort();
            seen == expected
        };
        self.until(what, as_expected).await;
    }

    async fn until(&self, what: &str, holds: impl Fn(&TargetState) -> bool) {
        let mut last = TargetState::default();
        for _ in 0..LOOKS {
            last = self.target.observe(self.model).await.expect("the target can be observed");
            if holds(&last) {
                return;
            }
            self.clock.sleep(Duration::from_millis(20)).await;
        }
        assert!(holds(&last), "{what}: {last:?}");
    }
}

fn ok(answer: &Result<Done, PortError>, what: &str) {
    assert!(answer.is_ok(), "{what}: {answer:?}");
}

fn refused(answer: Result<Done, PortError>, problem: Problem, what: &str) {
    assert_eq!(answer.map_err(|error| error.problem), Err(problem), "{what}");
}
