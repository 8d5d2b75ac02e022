//! What was found out about each rule. The first thing that breaks a rule is kept: later ones often follow from it.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{
    gate::Outcome,
    hook::{HookAnswer, HookRule},
};

use super::{
    dialogue::Exchange,
    rules::{RULES, Rule, Text},
};
use crate::targets::exec::hook::shown;

/// Shorter values are found by chance.
const SHORTEST_SECRET: usize = 6;

/// Findings by rule.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    findings: BTreeMap<Rule, Finding>,
    /// Why the check went no further, where something other than a rule ended it.
    pub(super) ended: Option<String>,
    secrets: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Finding {
    outcome: Outcome,
    message: String,
    seen: Option<(Value, HookAnswer)>,
}

impl Ledger {
    /// `secrets` are values by the names of their variables.
    pub(super) fn new(secrets: impl Iterator<Item = (String, String)>) -> Self {
        let secrets = secrets.filter(|(_, value)| value.len() >= SHORTEST_SECRET).collect();
        Self { secrets, ..Self::default() }
    }

    /// Whether there is something that must not be printed.
    pub(super) fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Whether a rule was found broken.
    pub(super) fn is_broken(&self, rule: Rule) -> bool {
        self.findings.get(&rule).is_some_and(|finding| finding.outcome == Outcome::Failed)
    }

    /// A rule was kept, unless something else is known.
    pub(super) fn kept(&mut self, rule: Rule) {
        self.note(rule, Outcome::Successful, "", None);
    }

    /// A rule asks nothing of this program.
    pub(super) fn not_applicable(&mut self, rule: Rule, why: &str) {
        self.note(rule, Outcome::NotApplicable, why, None);
    }

    /// A rule was broken.
    pub(super) fn broken(&mut self, rule: Rule, exchange: Option<&Exchange>, message: &str) {
        if self.is_broken(rule) {
            return;
        }
        self.findings.remove(&rule);
        let seen = exchange.map(|exchange| (exchange.sent.clone(), self.answer(exchange)));
        self.note(rule, Outcome::Failed, message, seen);
    }

    /// Names of variables whose values stand in what was printed.
    pub(super) fn told(&self, exchange: &Exchange) -> Option<String> {
        let printed = [&exchange.stdout, &exchange.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let is_told = |value: &str| printed.iter().any(|text| text.contains(value));
        self.secrets.iter().find(|(_, value)| is_told(value)).map(|(name, _)| name.clone())
    }

    /// Printed text as it may be shown.
    pub(super) fn shown(&self, printed: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(printed).into_owned();
        for value in self.secrets.values() {
            text = text.replace(value.as_str(), "***");
        }
        shown(text.as_bytes())
    }

    /// One entry per rule.
    pub(super) fn rules(mut self) -> Vec<HookRule> {
        let first_broken = RULES.iter().find(|text| self.is_broken(text.rule));
        let unreached = match (&self.ended, first_broken) {
            (Some(why), _) => why.clone(),
            (None, Some(text)) => format!("not reached, for `{}` is broken", text.name),
            (None, None) => "not reached".to_owned(),
        };
        RULES.iter().map(|text| self.rule(text, &unreached)).collect()
    }

    fn rule(&mut self, text: &Text, unreached: &str) -> HookRule {
        let unknown =
            || Finding { outcome: Outcome::Inconclusive, message: unreached.to_owned(), seen: None };
        let finding = self.findings.remove(&text.rule).unwrap_or_else(unknown);
        let advice = (finding.outcome == Outcome::Failed).then(|| text.advice.to_owned());
        let (sent, got) = finding.seen.unzip();
        HookRule {
            rule: text.name.to_owned(),
            promise: text.promise.to_owned(),
            outcome: finding.outcome,
            message: finding.message,
            sent,
            got,
            advice,
        }
    }

    fn note(&mut self, rule: Rule, outcome: Outcome, message: &str, seen: Option<(Value, HookAnswer)>) {
        let message = message.to_owned();
        self.findings.entry(rule).or_insert(Finding { outcome, message, seen });
    }

    fn answer(&self, exchange: &Exchange) -> HookAnswer {
        let (stdout, stderr) = (self.shown(&exchange.stdout), self.shown(&exchange.stderr));
        HookAnswer { exit_code: exchange.code, stdout, stderr }
    }
}
