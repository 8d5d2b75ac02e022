//! The symbols of every report and what they stand for.

use tagship_domain::{
    analysis::MetricPhase,
    gate::Outcome,
    incident::Standing,
    rollout::{Kind, Phase},
    validation::{Finding, Severity, Status, ValidationReport, Verdict},
};

/// How a state feels; renderers choose colours and call-outs by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Somebody must act.
    Bad,
    /// It could not be judged; never as good as good.
    Unknown,
    /// It waits for somebody or something.
    Waiting,
    /// It is under way.
    Running,
    /// All is well.
    Good,
    /// Nothing happened and nothing had to.
    Neutral,
}

/// A symbol that tells a state at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Good.
    Passed,
    /// Bad.
    Failed,
    /// Could not be judged.
    Unknown,
    /// Waits.
    Waiting,
    /// Under way.
    Running,
    /// Not reached, skipped or not applicable.
    Neutral,
    /// Went back to an earlier version.
    Back,
    /// A person is needed now.
    Alarm,
}

impl From<Standing> for Mark {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Bad => Self::Failed,
            Standing::NoData | Standing::Unknown => Self::Unknown,
            Standing::Good => Self::Passed,
        }
    }
}

/// What needs somebody comes first.
pub(crate) fn urgency(standing: Standing) -> u8 {
    match standing {
        Standing::Bad => 0,
        Standing::NoData => 1,
        Standing::Unknown => 2,
        Standing::Good => 3,
    }
}

/// The symbol of a finding: one that does not count raises no alarm.
pub(crate) fn of(finding: &Finding) -> Mark {
    if finding.suppressed.is_some() { Mark::Neutral } else { Mark::from(finding.severity) }
}

impl Mark {
    /// For Markdown.
    pub fn emoji(self) -> &'static str {
        match self {
            Self::Passed => "✅",
            Self::Failed => "❌",
            Self::Unknown => "⚠️",
            Self::Waiting => "⏳",
            Self::Running => "🔄",
            Self::Neutral => "⚪",
            Self::Back => "⏪",
            Self::Alarm => "🚨",
        }
    }

    /// For terminals: one column where Unicode can be shown, else two ASCII columns.
    pub fn glyph(self, unicode: bool) -> &'static str {
        let (pretty, plain) = match self {
            Self::Passed => ("✔", "ok"),
            Self::Failed => ("✖", "XX"),
            Self::Unknown => ("?", "??"),
            Self::Waiting => ("◷", ".."),
            Self::Running => ("●", ">>"),
            Self::Neutral => ("·", "--"),
            Self::Back => ("↩", "<<"),
            Self::Alarm => ("‼", "!!"),
        };
        if unicode { pretty } else { plain }
    }

    /// The tone that the symbol alone has.
    pub fn tone(self) -> Tone {
        match self {
            Self::Passed => Tone::Good,
            Self::Failed | Self::Alarm => Tone::Bad,
            Self::Unknown => Tone::Unknown,
            Self::Waiting => Tone::Waiting,
            Self::Running | Self::Back => Tone::Running,
            Self::Neutral => Tone::Neutral,
        }
    }
}

impl From<Outcome> for Mark {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotApplicable => Self::Neutral,
            Outcome::Successful => Self::Passed,
            Outcome::Inconclusive | Outcome::Error => Self::Unknown,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl From<MetricPhase> for Mark {
    fn from(phase: MetricPhase) -> Self {
        match phase {
            MetricPhase::Pending => Self::Neutral,
            MetricPhase::Running => Self::Running,
            MetricPhase::Successful => Self::Passed,
            MetricPhase::Failed => Self::Failed,
            MetricPhase::Error | MetricPhase::Inconclusive => Self::Unknown,
        }
    }
}

impl From<Severity> for Mark {
    fn from(severity: Severity) -> Self {
        match severity.verdict() {
            Verdict::Pass => Self::Neutral,
            Verdict::Warn => Self::Unknown,
            Verdict::Reject => Self::Failed,
        }
    }
}

impl From<&ValidationReport> for Mark {
    fn from(report: &ValidationReport) -> Self {
        Self::judged(report.status, report.verdict)
    }
}

impl Mark {
    /// The two axes of a validation as one symbol: a reject beats incomplete, incomplete beats pass.
    pub fn judged(status: Status, verdict: Verdict) -> Self {
        match (verdict, status) {
            (Verdict::Reject, _) => Self::Failed,
            (_, Status::Incomplete | Status::Error) => Self::Unknown,
            (Verdict::Pass | Verdict::Warn, Status::Complete) => Self::Passed,
        }
    }

    /// A phase of a rollout.
    pub fn of_phase(phase: Phase, kind: Kind) -> Self {
        match phase {
            Phase::Pending | Phase::Waiting | Phase::Paused => Self::Waiting,
            Phase::Validating | Phase::Progressing | Phase::Baking | Phase::Promoting | Phase::Finalising => {
                Self::Running
            }
            Phase::Succeeded if kind == Kind::Rollback => Self::Back,
            Phase::Succeeded => Self::Passed,
            Phase::Failed => Self::Failed,
            Phase::RollingBack | Phase::RolledBack => Self::Back,
            Phase::RollbackFailed => Self::Alarm,
            Phase::Superseded => Self::Neutral,
        }
    }
}
