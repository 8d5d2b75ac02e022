//! The acts of a check, from an empty place to an empty place.

use serde_json::json;
use tagship_domain::{Version, hook::HookReport};
use tagship_ports::{PortError, Problem};

use super::{
    Specimen,
    dialogue::{Check, described, meaning, with},
    rules::Rule,
    staging::Staged,
};
use crate::targets::exec::{Abilities, ObservedArm, Question, SCHEMA};

/// The member that no program knows.
const UNKNOWN: &str = "x-tagship-check";
/// Fences are tried up to here; no program has seen that many.
const HIGHEST: u64 = 1 << 40;

impl Check<'_> {
    pub(super) async fn run(mut self) -> Result<HookReport, PortError> {
        let staged = [self.plan.one.clone(), self.plan.two.clone(), self.plan.other.clone()]
            .map(|what| Staged::copy(&what.bytes));
        for copy in staged {
            copy.map_err(|error| PortError::new(Problem::Local, "copy the artifact", error.to_string()))?;
        }
        let mut left = vec![];
        if self.begin().await.is_some() {
            self.play().await;
            self.blame = None;
            left = self.tidy().await;
        }
        Ok(self.report(left))
    }

    /// What is asked before anything is ordered.
    async fn begin(&mut self) -> Option<()> {
        let plain = json!(Question { schema: SCHEMA, verb: "capabilities", ..Question::default() });
        self.able = self.capabilities(&plain).await?;
        for rule in [Rule::Runs, Rule::InTime, Rule::Output, Rule::Capabilities] {
            self.ledger.kept(rule);
        }
        if !self.ledger.has_secrets() {
            self.ledger.not_applicable(Rule::Secrets, "no variable was given with --env");
        }
        self.blame = Some(Rule::UnknownMembers);
        let able = self.capabilities(&with(plain, UNKNOWN, json!({ "a": [1] }))).await;
        self.blame = None;
        if able.is_some_and(|able| able != self.able) {
            let message = "answered `capabilities` otherwise where the question has one more member";
            self.broken::<()>(Rule::UnknownMembers, None, message);
        }
        self.empty().await?;
        self.lowest_fence().await;
        Some(())
    }

    async fn capabilities(&mut self, question: &serde_json::Value) -> Option<Abilities> {
        let exchange = self.ask(question).await?;
        if exchange.code != Some(0) {
            let message = format!("answered {}; due is 0", meaning(exchange.code));
            return self.broken(Rule::Capabilities, Some(&exchange), &message);
        }
        let answer = self.object(&exchange)?;
        match serde_json::from_value(answer) {
            Ok(able) => Some(able),
            Err(error) => self.broken(Rule::Capabilities, Some(&exchange), &error.to_string()),
        }
    }

    /// Goes on only where nothing is served, but for what an earlier check left.
    async fn empty(&mut self) -> Option<()> {
        let found = self.placement().await?;
        let plan = self.plan;
        let is_ours =
            |version: &Version| [&plan.one, &plan.two].into_iter().find(|ours| ours.version == *version);
        if found
            .iter()
            .all(|(version, (digest, _))| is_ours(version).is_some_and(|ours| ours.digest == *digest))
        {
            if found.is_empty() {
                return Some(());
            }
            self.lowest_fence().await;
            if self.tidy().await.is_empty() {
                return Some(());
            }
        }
        let (model, serves) = (&plan.model, described(&found));
        self.ledger.ended = Some(format!(
            "nothing was ordered, for {model} is served already: {serves}; name another --model"
        ));
        None
    }

    /// Finds a fence that an earlier check has not passed, with an order that changes nothing.
    async fn lowest_fence(&mut self) -> Option<()> {
        self.fence = 1;
        while self.fence < HIGHEST {
            let exchange = self.give(&self.order("route")).await?;
            match exchange.code {
                Some(14) => self.fence *= 2,
                Some(0 | 10) => {
                    self.ledger.kept(Rule::Route);
                    return Some(());
                }
                code => {
                    let message = format!("answered {}; due is 10 or 0", meaning(code));
                    return self.broken(Rule::Route, Some(&exchange), &message);
                }
            }
        }
        self.broken(Rule::LowerFence, None, "refuses every fence with 14")
    }

    /// Everything that needs a place of its own. An act that fails leaves the others what they need, where it can.
    async fn play(&mut self) -> Option<()> {
        let plan = self.plan;
        let (one, two) = (&plan.one, &plan.two);
        self.unknown_verb().await;
        self.nothing_loaded().await;
        self.load(one).await?;
        self.other_models().await;
        self.promote(&one.version).await?;
        self.load(two).await?;
        self.conflict().await;
        self.matches().await;
        self.cleanup_in_use().await;
        self.shares().await;
        self.rollbacks().await;
        self.late_orders().await;
        // Both repeat orders, which such a program does not stand.
        if !self.ledger.is_broken(Rule::EqualFence) && !self.ledger.is_broken(Rule::Repeatable) {
            self.interruptions().await;
            self.two_at_once().await;
        }
        self.unknown_members().await;
        self.out_of_service().await?;
        self.unload().await?;
        self.whole_way();
        Some(())
    }

    async fn unknown_verb(&mut self) -> Option<()> {
        self.fence += 1;
        let order = with(self.order("x-tagship-check"), "version", json!(self.plan.one.version));
        self.refuse(Rule::UnknownVerb, &order, 13).await?;
        self.ledger.kept(Rule::UnknownVerb);
        Some(())
    }

    async fn nothing_loaded(&mut self) -> Option<()> {
        let version = &self.plan.one.version;
        self.traffic_for_nobody(version).await;
        let nothing = |arms: &[ObservedArm]| arms.is_empty();
        let back = self.back(None);
        let _ = self.carry_out(Rule::RollbackToNothing, &back, "nothing is served", nothing).await;
        let order = self.next("cleanup", version);
        self.carry_out(Rule::Cleanup, &order, "nothing is loaded", nothing).await?;
        Some(())
    }

    async fn traffic_for_nobody(&mut self, version: &Version) -> Option<()> {
        let order = self.next("promote", version);
        self.refuse(Rule::NotLoaded, &order, 15).await?;
        if self.able.weights {
            let order = with(self.next("set-weight", version), "weight", json!(100));
            self.refuse(Rule::NotLoaded, &order, 15).await?;
        }
        let order = self.back(Some(version));
        self.refuse(Rule::NotLoaded, &order, 15).await?;
        self.ledger.kept(Rule::NotLoaded);
        Some(())
    }

    /// Loads a version beside what serves.
    async fn load(&mut self, what: &Specimen) -> Option<()> {
        let Ok(staged) = Staged::copy(&what.bytes) else { return None };
        let mut expected = self.placement().await?;
        self.fence += 1;
        let order = self.loading(what, &staged.path);
        let is_ready = |arms: &[ObservedArm]| {
            arms.iter().any(|arm| arm.version == what.version && arm.digest == what.digest && arm.ready)
        };
        let wanted = format!("{} is ready with {}", what.version, what.digest);
        let exchange = self.carry_out(Rule::Prepare, &order, &wanted, is_ready).await?;
        expected.insert(what.version.clone(), (what.digest.clone(), 0));
        let found = self.placement().await?;
        if found == expected {
            self.ledger.kept(Rule::NoTraffic);
        } else {
            let message = format!("serves {}; due is {}", described(&found), described(&expected));
            self.broken::<()>(Rule::NoTraffic, Some(&exchange), &message);
        }
        let _ = self.repeat(&exchange).await;
        drop(staged);
        if is_ready(&self.look().await?) {
            self.ledger.kept(Rule::KeepsBytes);
        } else {
            let message = format!("{} is no longer ready once its bytes are gone", what.version);
            self.broken::<()>(Rule::KeepsBytes, Some(&exchange), &message);
        }
        self.ledger.kept(Rule::Prepare);
        Some(())
    }

    /// Reads what is served of a model that was never heard of.
    async fn other_models(&mut self) -> Option<()> {
        let other = format!("{}-other", self.plan.model);
        let exchange = self.ask(&with(self.question("observe"), "model", json!(other))).await?;
        match exchange.code {
            Some(13) => {}
            Some(0) => {
                if let Some(arm) = self.arms(&exchange)?.first() {
                    let message = format!("shows {} as a version of {other}", arm.version);
                    return self.broken(Rule::OtherModels, Some(&exchange), &message);
                }
            }
            code => {
                let message = format!("answered {}; due is 0 or 13", meaning(code));
                return self.broken(Rule::OtherModels, Some(&exchange), &message);
            }
        }
        self.ledger.kept(Rule::OtherModels);
        Some(())
    }

    async fn conflict(&mut self) -> Option<()> {
        let other = &self.plan.other;
        let staged = Staged::copy(&other.bytes).ok()?;
        self.fence += 1;
        let order = self.loading(other, &staged.path);
        self.refuse(Rule::Conflict, &order, 12).await?;
        self.ledger.kept(Rule::Conflict);
        Some(())
    }

    /// Leads requests to the second version and back. Later acts need both loaded and nobody led, whatever came of it.
    async fn matches(&mut self) -> Option<()> {
        if !self.able.matches {
            self.ledger.not_applicable(Rule::Matches, "it says that it matches no header");
            return Some(());
        }
        if self.lead_and_back().await.is_some() {
            self.ledger.kept(Rule::Matches);
        }
        let plan = self.plan;
        self.fence += 1;
        self.give(&self.order("route")).await?;
        self.promote(&plan.one.version).await?;
        self.load(&plan.two).await
    }

    /// Whether requests arrive, only a request would show.
    async fn lead_and_back(&mut self) -> Option<()> {
        let (one, two) = (&self.plan.one.version, &self.plan.two.version);
        let to =
            |version: &Version| json!({ "version": version, "header": "x-tagship-check", "exact": "beta" });
        self.fence += 1;
        let nobody = with(self.order("route"), "match", to(&Version::new(0, 0, 9)));
        self.refuse(Rule::Matches, &nobody, 15).await?;
        self.fence += 1;
        let order = with(self.order("route"), "match", to(two));
        let stays = [(one, 100), (two, 0)];
        let exchange = self.take(Rule::Matches, &order).await?;
        self.until(Rule::Matches, &exchange, "the weights stay", |arms| shared(arms, &stays)).await?;
        self.repeat(&exchange).await?;
        let unload = self.next("cleanup", two);
        self.refuse(Rule::Matches, &unload, 12).await?;
        let back = self.back(Some(one));
        self.take(Rule::Matches, &back).await?;
        let unload = self.next("cleanup", two);
        let wanted = format!("`rollback` has ended the match, so that {two} is unloaded");
        self.carry_out(Rule::Matches, &unload, &wanted, |arms| shared(arms, &[(one, 100)])).await?;
        Some(())
    }

    async fn cleanup_in_use(&mut self) -> Option<()> {
        let one = &self.plan.one;
        let order = self.next("cleanup", &one.version);
        if self.refuse(Rule::CleanupInUse, &order, 12).await.is_none() {
            // It may be gone, and later acts need it.
            return self.load(one).await;
        }
        self.ledger.kept(Rule::CleanupInUse);
        Some(())
    }

    async fn shares(&mut self) -> Option<()> {
        let plan = self.plan;
        let (one, two) = (&plan.one.version, &plan.two.version);
        self.promote(one).await?;
        if !self.able.weights {
            self.ledger.not_applicable(Rule::SetWeight, "it says that it shares nothing");
            let order = with(self.next("set-weight", two), "weight", json!(25));
            self.refuse(Rule::Unsupported, &order, 13).await?;
            self.ledger.kept(Rule::Unsupported);
            return Some(());
        }
        self.ledger.not_applicable(Rule::Unsupported, "it says that it shares traffic");
        for share in [25, 50, 10] {
            let order = with(self.next("set-weight", two), "weight", json!(share));
            let shares = [(one, 100 - share), (two, share)];
            let wanted = format!("{one} with {} %, {two} with {share} %", 100 - share);
            let exchange =
                self.carry_out(Rule::SetWeight, &order, &wanted, |arms| shared(arms, &shares)).await?;
            self.repeat(&exchange).await?;
        }
        self.ledger.kept(Rule::SetWeight);
        Some(())
    }
}

/// Whether exactly these versions are there with these shares.
pub(super) fn shared(arms: &[ObservedArm], shares: &[(&Version, u8)]) -> bool {
    let has = |version: &Version, share: u8| {
        arms.iter().any(|arm| arm.version == *version && arm.weight.get() == share)
    };
    arms.len() == shares.len() && shares.iter().all(|(version, share)| has(version, *share))
}
