//! The rules that are compared, each as a machine that is shown looks.

use tagship_domain::{
    analysis::{Margin, Share},
    evidence::BoundaryEvidence,
};
use tagship_stats::{
    kayenta::{self, Class, Direction, Measure, Nan, Outliers, Settings},
    sequential::{
        Alternatives, REJECTS, Speed,
        boundary::{self, BoundaryTest},
    },
};

use crate::traffic::Look;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Open,
    Failed,
    Good,
}

#[derive(Clone, Copy)]
pub(crate) enum Rule {
    /// Ours.
    Boundary { test: BoundaryTest },
    /// A two-sided z test on totals, afresh at every look.
    EachLook,
    /// Success of at least 99 % in each look; five failed checks in all.
    Flagger,
    /// Failures of at most 1 % in each look; more failed looks than the limit.
    Argo { limit: u64 },
    /// Its judge on the looks' failure shares so far, at every fifth look.
    Kayenta,
}

/// A rule with what it remembers.
pub(crate) struct Machine {
    rule: Rule,
    evidence: BoundaryEvidence,
    stable: Share,
    candidate: Share,
    failed: u64,
    shares: [Vec<f64>; 2],
}

pub(crate) const fn boundary(speed: Speed) -> Rule {
    let test = BoundaryTest {
        speed,
        alternatives: Alternatives::Errors,
        tolerance: 1.0,
        margin: Margin::Ratio(1.5),
    };
    Rule::Boundary { test }
}

/// Kayenta's defaults, for a metric that must not rise.
const HIGHER: Settings = Settings {
    direction: Direction::Increase,
    nan: Nan::Remove,
    outliers: Outliers::Keep,
    must_have_data: false,
    critical: false,
    measure: Measure::MeanRatio,
    limits: None,
};

/// All rules with the names they are printed under.
pub(crate) const RULES: [(&str, Rule); 7] = [
    ("two-speed", boundary(Speed::TwoSpeed)),
    ("boundary-e", boundary(Speed::Tempered)),
    ("z 1.96 each look", Rule::EachLook),
    ("Kayenta, every 5 looks", Rule::Kayenta),
    ("Flagger >= 99 %, 5 checks", Rule::Flagger),
    ("Argo, failureLimit 0", Rule::Argo { limit: 0 }),
    ("Argo, failureLimit 3", Rule::Argo { limit: 3 }),
];

impl Machine {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            evidence: BoundaryEvidence::default(),
            stable: Share::default(),
            candidate: Share::default(),
            failed: 0,
            shares: [vec![], vec![]],
        }
    }

    pub(crate) fn look(&mut self, look: &Look) -> Verdict {
        match self.rule {
            Rule::Boundary { test } => {
                boundary::update(&mut self.evidence, &test, look.stable, look.candidate);
                let log = boundary::log_evidence(&self.evidence, test.speed);
                if log.rollback >= REJECTS.ln() {
                    Verdict::Failed
                } else if log.promotion >= REJECTS.ln() {
                    Verdict::Good
                } else {
                    Verdict::Open
                }
            }
            Rule::EachLook => {
                for (total, now) in [(&mut self.stable, look.stable), (&mut self.candidate, look.candidate)] {
                    total.n += now.n;
                    total.bad += now.bad;
                }
                failed_if(z(self.stable, self.candidate) > 1.96)
            }
            Rule::Flagger => {
                self.failed += u64::from(share(look.candidate) > 0.01);
                failed_if(self.failed >= 5)
            }
            Rule::Argo { limit } => {
                self.failed += u64::from(share(look.candidate) > 0.01);
                failed_if(self.failed > limit)
            }
            Rule::Kayenta => {
                self.shares[0].push(share(look.stable));
                self.shares[1].push(share(look.candidate));
                let due = self.shares[0].len().is_multiple_of(5);
                failed_if(
                    due && kayenta::judge(&HIGHER, &self.shares[0], &self.shares[1]).class == Class::High,
                )
            }
        }
    }
}

fn failed_if(bad: bool) -> Verdict {
    if bad { Verdict::Failed } else { Verdict::Open }
}

fn share(share: Share) -> f64 {
    share.bad as f64 / share.n.max(1) as f64
}

fn z(stable: Share, candidate: Share) -> f64 {
    let (n0, n1) = (stable.n as f64, candidate.n as f64);
    let pooled = (stable.bad + candidate.bad) as f64 / (n0 + n1);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n0 + 1.0 / n1)).sqrt();
    if deviation > 0.0 { (share(candidate) - share(stable)) / deviation } else { 0.0 }
}
