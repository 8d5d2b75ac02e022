//! The acts that move everything at once: promotion, the ways back, and what may happen on them.

use serde_json::{Value, json};
use tagship_domain::{Duration, Version};

use super::{
    dialogue::{Check, Exchange, WHAT, meaning, with},
    rules::Rule,
    staging::Staged,
};
use crate::targets::exec::{
    ObservedArm,
    hook::{Ended, Hook},
};

/// Time between two looks while what was loaded is taken away.
const PAUSE: Duration = Duration::from_millis(100);

impl Check<'_> {
    /// Gives a loaded version all traffic.
    pub(super) async fn promote(&mut self, version: &Version) -> Option<Exchange> {
        let order = self.next("promote", version);
        let exchange = self.all_to(Rule::Promote, &order, version).await?;
        let _ = self.repeat(&exchange).await;
        self.ledger.kept(Rule::Promote);
        Some(exchange)
    }

    /// Back from a share and from a promotion, and once more where everything is back already.
    pub(super) async fn rollbacks(&mut self) -> Option<()> {
        let plan = self.plan;
        let (one, two) = (&plan.one.version, &plan.two.version);
        let back = self.back(Some(one));
        let exchange = self.all_to(Rule::Rollback, &back, one).await?;
        let _ = self.repeat(&exchange).await;
        self.promote(two).await?;
        for _ in 0..2 {
            let back = self.back(Some(one));
            self.all_to(Rule::Rollback, &back, one).await?;
        }
        self.ledger.kept(Rule::Rollback);
        Some(())
    }

    /// Orders of a run that woke up late. The newest fence was seen with an order that changed nothing.
    pub(super) async fn late_orders(&mut self) -> Option<()> {
        let plan = self.plan;
        let (one, two) = (&plan.one.version, &plan.two.version);
        self.promote(one).await?;
        let newest = self.back(Some(one));
        self.all_to(Rule::Rollback, &newest, one).await?;
        let staged = Staged::copy(&plan.two.bytes).ok()?;
        let seen = self.fence;
        self.fence = seen - 1;
        let late = [
            with(self.about("set-weight", two), "weight", json!(100)),
            self.order("route"),
            self.about("promote", two),
            with(self.order("rollback"), "to", Value::Null),
            self.loading(&plan.two, &staged.path),
            self.about("cleanup", two),
        ];
        self.fence = seen;
        for order in late {
            if self.refuse(Rule::LowerFence, &order, 14).await.is_none() {
                // It may have done what it was told: later acts need the second version.
                self.fence += 1;
                let again = self.loading(&plan.two, &staged.path);
                let is_there = |arms: &[ObservedArm]| arms.iter().any(|arm| arm.version == *two && arm.ready);
                let _ = self.carry_out(Rule::Prepare, &again, "it is loaded again", is_there).await;
                return None;
            }
        }
        self.ledger.kept(Rule::LowerFence);
        Some(())
    }

    /// Kills runs of an order part way, and gives the order again.
    pub(super) async fn interruptions(&mut self) -> Option<()> {
        let plan = self.plan;
        let (one, two) = (&plan.one.version, &plan.two.version);
        self.promote(two).await?;
        let took = self.promote(one).await?.took.std();
        for quarter in 1..=3_u32 {
            let to = if quarter % 2 == 1 { two } else { one };
            let order = self.next("promote", to);
            let cut = u64::try_from((took * quarter / 4).as_millis()).unwrap_or(u64::MAX).max(1);
            let killed = Hook { timeout: Duration::from_millis(cut), ..self.hook.clone() };
            self.runs += 1;
            self.seen = None;
            let _ = killed.run(WHAT, order.to_string().as_bytes()).await;
            self.blame = Some(Rule::Interrupted);
            let finished = self.again(&order, to).await;
            self.blame = None;
            finished?;
        }
        self.ledger.kept(Rule::Interrupted);
        Some(())
    }

    async fn again(&mut self, order: &Value, to: &Version) -> Option<()> {
        let exchange = self.take(Rule::Interrupted, order).await?;
        let wanted = format!("{to} with 100 %");
        self.until(Rule::Interrupted, &exchange, &wanted, |arms| is_alone(arms, to)).await
    }

    /// Two runs with the same order, as when a job is started twice.
    pub(super) async fn two_at_once(&mut self) -> Option<()> {
        let version = &self.plan.two.version;
        let order = self.next("promote", version);
        let text = order.to_string();
        let since = self.clock.now();
        self.runs += 2;
        self.seen = None;
        let (first, second) =
            tokio::join!(self.hook.run(WHAT, text.as_bytes()), self.hook.run(WHAT, text.as_bytes()));
        self.blame = Some(Rule::AtOnce);
        let mut taken = None;
        for run in [first, second] {
            let exchange = self.heard(&order, since, run);
            taken = exchange.filter(|exchange| matches!(exchange.code, Some(0 | 10 | 11)));
            if taken.is_none() {
                break;
            }
        }
        let end = match &taken {
            Some(exchange) => {
                let wanted = format!("{version} with 100 %");
                let exchange = Exchange { code: Some(11), ..exchange.clone() };
                self.until(Rule::AtOnce, &exchange, &wanted, |arms| is_alone(arms, version)).await
            }
            None => self.broken(Rule::AtOnce, None, "one of two runs of the same order failed"),
        };
        self.blame = None;
        end?;
        self.ledger.kept(Rule::AtOnce);
        Some(())
    }

    pub(super) async fn unknown_members(&mut self) -> Option<()> {
        let version = &self.plan.one.version;
        let order = with(self.next("promote", version), "x-tagship-check", json!({ "a": [1] }));
        self.all_to(Rule::UnknownMembers, &order, version).await?;
        self.ledger.kept(Rule::UnknownMembers);
        Some(())
    }

    pub(super) async fn out_of_service(&mut self) -> Option<()> {
        let idle = |arms: &[ObservedArm]| arms.iter().all(|arm| arm.weight.get() == 0);
        let back = self.back(None);
        let exchange = self.carry_out(Rule::RollbackToNothing, &back, "no version has traffic", idle).await?;
        let _ = self.repeat(&exchange).await;
        self.ledger.kept(Rule::RollbackToNothing);
        Some(())
    }

    pub(super) async fn unload(&mut self) -> Option<()> {
        let plan = self.plan;
        for version in [&plan.two.version, &plan.one.version] {
            let order = self.next("cleanup", version);
            let is_gone = |arms: &[ObservedArm]| arms.iter().all(|arm| arm.version != *version);
            let wanted = format!("{version} is no longer loaded");
            let exchange = self.carry_out(Rule::Cleanup, &order, &wanted, is_gone).await?;
            self.blame = Some(Rule::Cleanup);
            let _ = self.repeat(&exchange).await;
            self.blame = None;
        }
        self.ledger.kept(Rule::Cleanup);
        Some(())
    }

    /// Rules that every question could have broken, once all were asked.
    pub(super) fn whole_way(&mut self) {
        for rule in [Rule::Secrets, Rule::ExitCodes, Rule::Observe, Rule::Repeatable, Rule::EqualFence] {
            self.ledger.kept(rule);
        }
        for (rule, is_able, why) in [
            (Rule::Counters, self.able.counters, "it says that it counts nothing"),
            (Rule::Endpoints, self.able.endpoints, "it says that it names no endpoints"),
        ] {
            if is_able {
                self.ledger.kept(rule);
            } else {
                self.ledger.not_applicable(rule, why);
            }
        }
    }

    /// Takes away what the check has loaded, whatever the program answers; answers what is left.
    pub(super) async fn tidy(&mut self) -> Vec<String> {
        let plan = self.plan;
        let since = self.clock.now();
        loop {
            let found = match self.served().await {
                Ok(found) if found.is_empty() => return vec![],
                Ok(found) => found,
                Err(why) => vec![format!("unknown: {why}")],
            };
            if self.clock.now().since(since) >= plan.patience {
                return found;
            }
            let back = self.back(None);
            let _ = self.quietly(&back).await;
            for version in [&plan.one.version, &plan.two.version] {
                let order = self.next("cleanup", version);
                let _ = self.quietly(&order).await;
            }
            self.clock.sleep(PAUSE).await;
        }
    }

    /// What is served, without a note in the ledger.
    async fn served(&mut self) -> Result<Vec<String>, String> {
        let question = self.question("observe");
        let (code, stdout) = self.quietly(&question).await.unwrap_or_default();
        let answer: Option<Value> = serde_json::from_slice(&stdout).ok();
        let arms = answer.as_ref().and_then(|answer| answer["arms"].as_array());
        match arms {
            Some(arms) if code == Some(0) => Ok(arms.iter().map(|arm| arm["version"].to_string()).collect()),
            _ => Err(format!("`observe` answered {}", meaning(code))),
        }
    }

    async fn quietly(&mut self, question: &Value) -> Option<(Option<i32>, Vec<u8>)> {
        self.runs += 1;
        self.seen = None;
        let run = self.hook.run(WHAT, question.to_string().as_bytes()).await.ok()?;
        let code = if let Ended::Code(code) = run.ended { Some(code) } else { None };
        Some((code, run.stdout))
    }

    /// Gives an order after which one version has all traffic.
    async fn all_to(&mut self, rule: Rule, order: &Value, version: &Version) -> Option<Exchange> {
        let wanted = format!("{version} with 100 %");
        self.carry_out(rule, order, &wanted, |arms| is_alone(arms, version)).await
    }
}

/// Whether one version has all traffic.
fn is_alone(arms: &[ObservedArm], version: &Version) -> bool {
    arms.iter().all(|arm| arm.weight.get() == if arm.version == *version { 100 } else { 0 })
        && arms.iter().any(|arm| arm.version == *version)
}
