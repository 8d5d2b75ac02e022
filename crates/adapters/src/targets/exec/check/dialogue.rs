//! Asking a program and reading its answers, with a note in the ledger of everything that no question may show.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value, json};
use tagship_domain::{Digest, Duration, Timestamp, Version, hook::HookReport};
use tagship_ports::{Clock, PortError, target::Order};

use super::{HookPlan, Specimen, ledger::Ledger, rules::Rule};
use crate::targets::exec::{
    Abilities, ExecTarget, INHERITED, Observed, ObservedArm, Question, SCHEMA,
    hook::{Ended, Hook, MAX_ANSWER, Run},
    of,
};

/// Time between two looks at what is under way.
const PAUSE: Duration = Duration::from_millis(100);
/// After so many looks the order is given again, as a rollout does.
const LOOKS: u32 = 10;
/// Rules that are broken by what is seen, whatever was asked.
const OWN: [Rule; 5] = [Rule::Secrets, Rule::ExitCodes, Rule::EqualFence, Rule::Counters, Rule::Endpoints];
/// Exit codes of an order that was taken.
const TAKEN: [i32; 3] = [0, 10, 11];
/// What is done, where it fails.
pub(super) const WHAT: &str = "check the program";

/// What a program serves: digest and weight of each version.
pub(super) type Placement = BTreeMap<Version, (Digest, u8)>;

/// One question and what came back.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) sent: Value,
    /// Absent where it was ended.
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) took: Duration,
}

/// A check that is under way. A question answers `None` where the rest of an act makes no sense; the ledger says why.
pub(super) struct Check<'a> {
    pub(super) hook: Hook,
    pub(super) plan: &'a HookPlan,
    pub(super) clock: &'a dyn Clock,
    pub(super) ledger: Ledger,
    pub(super) able: Abilities,
    pub(super) fence: u64,
    pub(super) runs: u32,
    /// What was seen since the last order.
    pub(super) seen: Option<Vec<ObservedArm>>,
    /// The rule that is to blame for whatever goes wrong now.
    pub(super) blame: Option<Rule>,
}

impl<'a> Check<'a> {
    pub(super) fn of(target: &ExecTarget, plan: &'a HookPlan, clock: &'a dyn Clock) -> Self {
        let given = target.hook.environment.iter().filter(|(name, _)| !INHERITED.contains(&name.as_str()));
        let ledger = Ledger::new(given.map(|(name, value)| (name.clone(), value.clone())));
        let able = Abilities { weights: false, counters: false, endpoints: false, matches: false };
        let hook = target.hook.clone();
        Self { hook, plan, clock, ledger, able, fence: 0, runs: 0, seen: None, blame: None }
    }

    pub(super) fn report(self, left: Vec<String>) -> HookReport {
        HookReport {
            command: self.hook.command,
            model: self.plan.model.clone(),
            runs: self.runs,
            rules: self.ledger.rules(),
            left,
        }
    }

    /// Notes a broken rule, and ends the act.
    pub(super) fn broken<T>(&mut self, rule: Rule, exchange: Option<&Exchange>, message: &str) -> Option<T> {
        let rule = self.blame.filter(|_| !OWN.contains(&rule)).unwrap_or(rule);
        self.ledger.broken(rule, exchange, message);
        None
    }

    /// A question about the model.
    pub(super) fn question(&self, verb: &'static str) -> Value {
        let question =
            Question { schema: SCHEMA, verb, model: Some(&self.plan.model), ..Question::default() };
        json!(question)
    }

    /// An order with the newest fence.
    pub(super) fn order(&self, verb: &'static str) -> Value {
        let order = Order::new(self.plan.model.clone(), self.fence);
        json!(Question { schema: SCHEMA, ..of(verb, &order) })
    }

    /// An order about a version, with the newest fence.
    pub(super) fn about(&self, verb: &'static str, version: &Version) -> Value {
        with(self.order(verb), "version", json!(version))
    }

    /// An order about a version, with a fence of its own.
    pub(super) fn next(&mut self, verb: &'static str, version: &Version) -> Value {
        self.fence += 1;
        self.about(verb, version)
    }

    /// `rollback`, with a fence of its own.
    pub(super) fn back(&mut self, to: Option<&Version>) -> Value {
        self.fence += 1;
        with(self.order("rollback"), "to", json!(to))
    }

    /// `prepare` of a version whose bytes lie there, with the newest fence.
    pub(super) fn loading(&self, what: &Specimen, bytes: &Path) -> Value {
        with(with(self.about("prepare", &what.version), "digest", json!(what.digest)), "bytes", json!(bytes))
    }

    /// Asks once.
    pub(super) async fn ask(&mut self, question: &Value) -> Option<Exchange> {
        self.runs += 1;
        let since = self.clock.now();
        let run = self.hook.run(WHAT, question.to_string().as_bytes()).await;
        self.heard(question, since, run)
    }

    /// What one run says about rules that hold for every question.
    pub(super) fn heard(
        &mut self,
        question: &Value,
        since: Timestamp,
        run: Result<Run, PortError>,
    ) -> Option<Exchange> {
        let took = self.clock.now().since(since);
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                return self.broken(Rule::Runs, None, &format!("{}{hint}", error.message));
            }
        };
        let code = if let Ended::Code(code) = run.ended { Some(code) } else { None };
        let exchange =
            Exchange { sent: question.clone(), code, stdout: run.stdout, stderr: run.stderr, took };
        if let Some(name) = self.ledger.told(&exchange) {
            self.broken::<()>(Rule::Secrets, Some(&exchange), &format!("printed the value of {name}"));
        }
        match run.ended {
            Ended::Code(_) => Some(exchange),
            Ended::Killed(status) => {
                self.broken(Rule::Runs, Some(&exchange), &format!("was ended from outside ({status})"))
            }
            Ended::TimedOut => {
                let message = format!("gave no answer within {}", self.hook.timeout);
                self.broken(Rule::InTime, Some(&exchange), &message)
            }
            Ended::TooMuch => {
                let message = format!("printed more than {MAX_ANSWER} bytes");
                self.broken(Rule::Output, Some(&exchange), &message)
            }
        }
    }

    /// The object that an answer is.
    pub(super) fn object(&mut self, exchange: &Exchange) -> Option<Value> {
        match serde_json::from_slice::<Value>(&exchange.stdout) {
            Ok(answer) if answer.is_object() => Some(answer),
            Ok(_) => self.broken(Rule::Output, Some(exchange), "printed JSON that is no object"),
            Err(_) if exchange.stdout.trim_ascii().is_empty() => {
                self.broken(Rule::Output, Some(exchange), "printed nothing where an answer is due")
            }
            Err(error) => self.broken(
                Rule::Output,
                Some(exchange),
                &format!("printed something else than JSON: {error}"),
            ),
        }
    }

    /// Gives an order. Nothing or an object is printed beside its exit code.
    pub(super) async fn give(&mut self, order: &Value) -> Option<Exchange> {
        self.seen = None;
        let exchange = self.ask(order).await?;
        if !exchange.stdout.trim_ascii().is_empty() {
            self.object(&exchange);
        }
        Some(exchange)
    }

    /// Gives an order that there is no reason to refuse.
    pub(super) async fn take(&mut self, rule: Rule, order: &Value) -> Option<Exchange> {
        let exchange = self.give(order).await?;
        match exchange.code {
            Some(code) if TAKEN.contains(&code) => Some(exchange),
            code => {
                self.broken(rule, Some(&exchange), &format!("answered {}; due is 0, 10 or 11", meaning(code)))
            }
        }
    }

    /// Gives an order that must be refused with this code and change nothing.
    pub(super) async fn refuse(&mut self, rule: Rule, order: &Value, code: i32) -> Option<()> {
        let before = self.placement().await?;
        let exchange = self.give(order).await?;
        if exchange.code != Some(code) {
            let message = format!("answered {}; due is {}", meaning(exchange.code), meaning(Some(code)));
            return self.broken(rule, Some(&exchange), &message);
        }
        let after = self.placement().await?;
        if after != before {
            let message = format!(
                "refused it, and yet changed what it serves: {}; before {}",
                described(&after),
                described(&before)
            );
            return self.broken(rule, Some(&exchange), &message);
        }
        Some(())
    }

    /// Gives an order and waits until it is so; answers how it was taken.
    pub(super) async fn carry_out(
        &mut self,
        rule: Rule,
        order: &Value,
        wanted: &str,
        holds: impl Fn(&[ObservedArm]) -> bool,
    ) -> Option<Exchange> {
        let was_so = holds(&self.known().await?);
        let exchange = self.take(rule, order).await?;
        if exchange.code == Some(10) && !was_so {
            let message = format!("answered 10, it was so before, though it was not: {wanted}");
            self.broken::<()>(Rule::ExitCodes, Some(&exchange), &message);
        }
        self.until(rule, &exchange, wanted, holds).await?;
        Some(exchange)
    }

    /// Looks until it is so.
    pub(super) async fn until(
        &mut self,
        rule: Rule,
        exchange: &Exchange,
        wanted: &str,
        holds: impl Fn(&[ObservedArm]) -> bool,
    ) -> Option<()> {
        let since = self.clock.now();
        for look in 1_u32.. {
            let arms = self.look().await?;
            if holds(&arms) {
                if look > 1 && exchange.code != Some(11) {
                    let message =
                        format!("answered {}, though only later it was so: {wanted}", meaning(exchange.code));
                    self.broken::<()>(Rule::ExitCodes, Some(exchange), &message);
                }
                return Some(());
            }
            if self.clock.now().since(since) >= self.plan.patience {
                let serves = described(&placement(&arms));
                let message = format!(
                    "within {} it did not come to this: {wanted}; it serves {serves}",
                    self.plan.patience
                );
                return self.broken(rule, Some(exchange), &message);
            }
            self.clock.sleep(PAUSE).await;
            if look.is_multiple_of(LOOKS) {
                self.take(rule, &exchange.sent).await?;
            }
        }
        None
    }

    /// Gives an order that was carried out once more.
    pub(super) async fn repeat(&mut self, exchange: &Exchange) -> Option<()> {
        let before = self.placement().await?;
        let again = self.give(&exchange.sent).await?;
        match again.code {
            Some(14) => {
                let message = "answered 14 to the fence that it had accepted just before";
                return self.broken(Rule::EqualFence, Some(&again), message);
            }
            Some(code) if TAKEN.contains(&code) => {}
            code => {
                let message = format!("answered {} to the same order again", meaning(code));
                return self.broken(Rule::Repeatable, Some(&again), &message);
            }
        }
        let after = self.placement().await?;
        if after != before {
            let message = format!("{} became {}", described(&before), described(&after));
            return self.broken(Rule::Repeatable, Some(&again), &message);
        }
        Some(())
    }

    /// What the program serves.
    pub(super) async fn look(&mut self) -> Option<Vec<ObservedArm>> {
        let exchange = self.ask(&self.question("observe")).await?;
        if exchange.code != Some(0) {
            let message = format!("answered {}; due is 0", meaning(exchange.code));
            return self.broken(Rule::Observe, Some(&exchange), &message);
        }
        let arms = self.arms(&exchange)?;
        for arm in &arms {
            self.own_counters(arm, &exchange);
            self.own_endpoint(arm, &exchange);
        }
        self.seen = Some(arms.clone());
        Some(arms)
    }

    /// What the program serves; it was not asked to change that since it was seen.
    pub(super) async fn known(&mut self) -> Option<Vec<ObservedArm>> {
        match self.seen.clone() {
            Some(seen) => Some(seen),
            None => self.look().await,
        }
    }

    /// The arms in an answer to `observe`.
    pub(super) fn arms(&mut self, exchange: &Exchange) -> Option<Vec<ObservedArm>> {
        let answer = self.object(exchange)?;
        let arms = match serde_json::from_value::<Observed>(answer) {
            Ok(observed) => observed.arms,
            Err(error) => return self.broken(Rule::Observe, Some(exchange), &error.to_string()),
        };
        let versions: BTreeSet<&Version> = arms.iter().map(|arm| &arm.version).collect();
        if versions.len() < arms.len() {
            return self.broken(Rule::Observe, Some(exchange), "shows a version twice");
        }
        Some(arms)
    }

    pub(super) async fn placement(&mut self) -> Option<Placement> {
        self.known().await.map(|arms| placement(&arms))
    }

    fn own_counters(&mut self, arm: &ObservedArm, exchange: &Exchange) {
        if self.able.counters && arm.counters.is_none() {
            let message = format!("{} has no `counters`", arm.version);
            self.broken::<()>(Rule::Counters, Some(exchange), &message);
        }
    }

    fn own_endpoint(&mut self, arm: &ObservedArm, exchange: &Exchange) {
        if !self.able.endpoints || !arm.ready {
            return;
        }
        let is_address = |text: &String| text.starts_with("http://") || text.starts_with("https://");
        if !arm.endpoint.as_ref().is_some_and(is_address) {
            let message = format!("{} has no `endpoint` that is an http or https address", arm.version);
            self.broken::<()>(Rule::Endpoints, Some(exchange), &message);
        }
    }
}

/// A question with one more member.
pub(super) fn with(mut question: Value, name: &str, value: Value) -> Value {
    if let Some(members) = question.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    question
}

fn placement(arms: &[ObservedArm]) -> Placement {
    arms.iter().map(|arm| (arm.version.clone(), (arm.digest.clone(), arm.weight.get()))).collect()
}

/// Who has which share, in words.
pub(super) fn described(placement: &Placement) -> String {
    let shares = placement.iter().map(|(version, (_, weight))| format!("{version} with {weight} %"));
    let shares: Vec<String> = shares.collect();
    if shares.is_empty() { "nothing".to_owned() } else { shares.join(", ") }
}

/// An exit code in words.
pub(super) fn meaning(code: Option<i32>) -> String {
    let words = match code {
        None => return "nothing".to_owned(),
        Some(0) => "done now",
        Some(10) => "it was so before",
        Some(11) => "under way",
        Some(12) => "conflict",
        Some(13) => "it can't be done here",
        Some(14) => "a newer fence was seen",
        Some(15) => "not loaded",
        Some(_) => "it failed",
    };
    format!("{} ({words})", code.unwrap_or_default())
}
