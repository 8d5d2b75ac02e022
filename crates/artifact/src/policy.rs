//! What a team accepts as a model artifact, beyond what the analysis says.

use std::collections::BTreeSet;

use tagship_domain::{
    Timestamp,
    addition::Addition,
    bundle::Bundle,
    suppression::Suppression,
    validation::{ArtifactReport, Finding, Severity, Status, Verdict},
};

use crate::{
    findings::judge,
    format::Format,
    pickle::{self, Trust, Unaddable},
    rules::{self, Rule},
};

/// Rules of the policy itself; they are lifted where they are set.
const POLICY: &str = "POL";

/// Limits that the configuration sets on top of the analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationPolicy {
    /// Formats that may be deployed; any other is rejected. `None` leaves the decision to the analysis:
    /// ONNX and safetensors pass when sound, a pickle passes only if every global in it is on the exact
    /// allow-list, and what cannot be analysed is incomplete.
    pub formats: Option<Vec<Format>>,
    /// Largest size of all files together, in bytes.
    pub max_size: Option<u64>,
    /// The least severity that rejects.
    pub fail_on: Severity,
    /// Findings that do not count.
    pub suppressions: Vec<Suppression>,
    /// Libraries whose listed objects may be in a model; what belongs to any other is rejected.
    pub bundles: BTreeSet<Bundle>,
    /// Globals that may be named beyond those that are listed.
    pub additions: Vec<Addition>,
    /// When the artifact is judged, for suppressions and additions that end.
    pub now: Timestamp,
}

/// Why a rule's findings always count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsuppressible {
    /// There is no such rule.
    #[error("there is no such rule; `tagship validate --explain` tells what a rule means")]
    Unknown,
    /// Whatever it hits was not judged at all.
    #[error("what it hits is damaged or was not read, so that nobody can have looked at the rest")]
    Error,
    /// It would hide attacks that nobody has seen yet.
    #[error("a hit is an attack unless somebody looked at it; say what it is about with `about`")]
    Blanket,
    /// The policy's own rules.
    #[error("it is lifted where it is set: `formats`, `max-size`, `bundles` and `allow`")]
    Policy,
}

impl Default for ValidationPolicy {
    fn default() -> Self {
        Self {
            formats: None,
            max_size: None,
            fail_on: Severity::High,
            suppressions: Vec::new(),
            bundles: Bundle::ALL.into(),
            additions: Vec::new(),
            now: Timestamp::LATEST,
        }
    }
}

impl ValidationPolicy {
    /// Whether a file of this format may be deployed.
    pub fn allows(&self, format: Format) -> bool {
        self.formats.as_ref().is_none_or(|formats| formats.contains(&format))
    }

    /// Whether findings can be suppressed that way.
    ///
    /// # Errors
    /// Where they count nevertheless.
    pub fn check(suppression: &Suppression) -> Result<(), Unsuppressible> {
        let rule = rules::find(&suppression.rule).ok_or(Unsuppressible::Unknown)?;
        match (rule.status, rule.severity) {
            _ if rule.id.starts_with(POLICY) => Err(Unsuppressible::Policy),
            (Status::Error, _) => Err(Unsuppressible::Error),
            (_, Severity::Critical) if suppression.about.is_none() => Err(Unsuppressible::Blanket),
            (Status::Complete | Status::Incomplete, _) => Ok(()),
        }
    }

    /// Whether a global can be added.
    ///
    /// # Errors
    /// Where it is not let through nevertheless.
    pub fn check_addition(addition: &Addition) -> Result<(), Unaddable> {
        pickle::check_addition(addition)
    }

    /// Which globals files may name.
    pub(crate) fn trust(&self) -> Trust<'_> {
        Trust { bundles: &self.bundles, additions: &self.additions, now: self.now }
    }

    /// Applies suppressions and the severity that rejects to what was found. What is not listed, because there is too much
    /// of it, cannot be suppressed.
    pub(crate) fn apply(&self, report: &mut ArtifactReport) {
        for finding in &mut report.findings {
            self.suppress(finding);
        }
        let counts = |finding: &&Finding| finding.suppressed.is_none();
        let listed = report.findings.iter().all(|finding| finding.rule != rules::MORE.id);
        let known = || {
            report
                .findings
                .iter()
                .filter(counts)
                .filter_map(|finding| Some((rules::find(&finding.rule)?, finding)))
        };
        if listed {
            report.status = known().map(|(rule, _)| rule.status).max().unwrap_or(Status::Complete);
            report.verdict =
                known().map(|(rule, finding)| self.verdict(rule, finding)).max().unwrap_or(Verdict::Pass);
        } else {
            let found = known().map(|(rule, finding)| self.verdict(rule, finding)).max();
            report.verdict = report.verdict.max(found.unwrap_or(Verdict::Pass));
        }
        (report.status, report.verdict) = judge(report.status, report.verdict);
    }

    fn suppress(&self, finding: &mut Finding) {
        let fits = |one: &&Suppression| one.fits(finding) && Self::check(one).is_ok();
        let Some(suppression) = self.suppressions.iter().filter(fits).max_by_key(|one| one.holds(self.now))
        else {
            return;
        };
        match suppression.until.filter(|_| !suppression.holds(self.now)) {
            None => finding.suppressed = Some(suppression.reason.clone()),
            Some(day) => finding.message = format!("{} (its suppression ended on {day})", finding.message),
        }
    }

    fn verdict(&self, rule: &Rule, finding: &Finding) -> Verdict {
        match finding.severity.verdict() {
            verdict if rule.id.starts_with(POLICY) => verdict,
            _ if finding.severity >= self.fail_on => Verdict::Reject,
            verdict => verdict.min(Verdict::Warn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Findings;

    fn report(hits: &[(&'static Rule, &str)]) -> ArtifactReport {
        let mut findings = Findings::new();
        for (rule, about) in hits {
            findings.about(rule, None, about, "found");
        }
        let (status, verdict) = findings.outcome();
        ArtifactReport {
            path: "m".to_owned(),
            format: "pickle".to_owned(),
            size: 1,
            sha256: None,
            status,
            verdict,
            signature: None,
            facts: None,
            findings: findings.into_list(None),
            golden: None,
        }
    }

    fn judged(hits: &[(&'static Rule, &str)], policy: &ValidationPolicy) -> (Status, Verdict) {
        let mut report = report(hits);
        policy.apply(&mut report);
        (report.status, report.verdict)
    }

    fn without(rule: &Rule, about: Option<&str>, until: Option<&str>) -> ValidationPolicy {
        let suppression = Suppression {
            rule: rule.id.to_owned(),
            about: about.map(str::to_owned),
            reason: "reviewed".to_owned(),
            until: until.map(|day| day.parse().unwrap()),
        };
        let now = "2027-03-31T12:00:00Z".parse().unwrap();
        ValidationPolicy { suppressions: vec![suppression], now, ..ValidationPolicy::default() }
    }

    #[test]
    fn what_is_suppressed_does_not_count_and_stays_listed() {
        let hits = [(&rules::UNLISTED_GLOBAL, "churn.Encoder"), (&rules::NOT_ANALYSED, "x")];
        let both = judged(&hits, &ValidationPolicy::default());
        assert_eq!(both, (Status::Incomplete, Verdict::Reject));
        let policy = without(&rules::UNLISTED_GLOBAL, Some("churn.Encoder"), None);
        assert_eq!(judged(&hits, &policy), (Status::Incomplete, Verdict::Warn));
        let policy = without(&rules::NOT_ANALYSED, None, None);
        assert_eq!(
            judged(&hits[1..], &policy),
            (Status::Complete, Verdict::Pass),
            "looked at by a person instead"
        );
        let mut report = report(&hits[1..]);
        policy.apply(&mut report);
        assert_eq!(report.findings[0].suppressed.as_deref(), Some("reviewed"));
    }

    #[test]
    fn a_suppression_is_about_what_it_says_and_ends() {
        let hits = [(&rules::UNLISTED_GLOBAL, "other.Encoder")];
        let elsewhere = without(&rules::UNLISTED_GLOBAL, Some("churn.Encoder"), None);
        assert_eq!(judged(&hits, &elsewhere).1, Verdict::Reject);
        let today = without(&rules::UNLISTED_GLOBAL, None, Some("2027-03-31"));
        assert_eq!(judged(&hits, &today).1, Verdict::Pass);
        let ended = without(&rules::UNLISTED_GLOBAL, None, Some("2027-03-30"));
        let mut report = report(&hits);
        ended.apply(&mut report);
        assert_eq!(report.verdict, Verdict::Reject);
        assert!(report.findings[0].message.ends_with("ended on 2027-03-30)"), "{report:#?}");
    }

    #[test]
    fn damage_and_the_policy_itself_cannot_be_suppressed() {
        for (rule, why) in [
            (&rules::PICKLE_TRUNCATED, Unsuppressible::Error),
            (&rules::FORMAT_REFUSED, Unsuppressible::Policy),
        ] {
            let policy = without(rule, None, None);
            assert_eq!(ValidationPolicy::check(&policy.suppressions[0]), Err(why));
            assert_eq!(judged(&[(rule, "x")], &policy).1, Verdict::Reject);
        }
        let unknown = Rule { id: "PKL999", ..rules::MORE };
        let check = |rule, about| ValidationPolicy::check(&without(rule, about, None).suppressions[0]);
        assert_eq!(check(&unknown, None), Err(Unsuppressible::Unknown));
        assert_eq!(check(&rules::DANGEROUS_GLOBAL, None), Err(Unsuppressible::Blanket));
        assert_eq!(check(&rules::DANGEROUS_GLOBAL, Some("os.getpid")), Ok(()));
    }

    #[test]
    fn what_hits_the_same_thing_again_is_suppressed_with_it() {
        let hits = [(&rules::UNLISTED_GLOBAL, "churn.Encoder"); 3];
        let policy = without(&rules::UNLISTED_GLOBAL, Some("churn.Encoder"), None);
        assert_eq!(judged(&hits, &policy), (Status::Complete, Verdict::Pass));
    }

    #[test]
    fn what_is_not_listed_cannot_be_suppressed() {
        let names: Vec<String> = (0..300).map(|number| format!("m{number}.f")).collect();
        let hits: Vec<_> = names.iter().map(|name| (&rules::UNLISTED_GLOBAL, name.as_str())).collect();
        assert_eq!(judged(&hits, &without(&rules::UNLISTED_GLOBAL, None, None)).1, Verdict::Reject);
    }

    #[test]
    fn the_team_says_which_severity_rejects() {
        let on = |fail_on| ValidationPolicy { fail_on, ..ValidationPolicy::default() };
        let medium = [(&rules::ST_SCRIPT, "x")];
        assert_eq!(judged(&medium, &on(Severity::High)).1, Verdict::Warn);
        assert_eq!(judged(&medium, &on(Severity::Medium)).1, Verdict::Reject);
        let high = [(&rules::UNLISTED_GLOBAL, "x")];
        assert_eq!(judged(&high, &on(Severity::Critical)).1, Verdict::Warn);
        let refused = [(&rules::FORMAT_REFUSED, "x")];
        assert_eq!(
            judged(&refused, &on(Severity::Critical)).1,
            Verdict::Reject,
            "a limit of the policy is one"
        );
    }
}
