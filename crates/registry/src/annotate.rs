//! Models that a commit describes without tags (`artifacts.yaml`): GTO lists them beside the registered ones.

use tagship_domain::{CommitId, annotation::Annotation};

use crate::{
    finding::{Finding, FindingKind},
    registry::Registry,
};

/// The name of a model, and what a file says about it or why that cannot be used.
pub type Entry = (String, Result<Annotation, String>);

impl Registry {
    /// Takes in what the commit that is checked out says about models. A model without tags is listed as unregistered
    /// from now on, one with tags gets the commit as a version without a number. An entry that cannot be used becomes a
    /// finding and changes nothing.
    ///
    /// For showing alone: nothing is to be planned from it. Other than to GTO, a commit never revives a model that was
    /// retired.
    pub fn annotate(&mut self, head: &CommitId, entries: &[Entry]) {
        for (name, entry) in entries {
            match entry {
                Ok(annotation) => {
                    self.check_type(name, annotation);
                    self.entry(name.clone()).discover(head);
                }
                Err(why) => self.note(Finding {
                    kind: FindingKind::BadAnnotation,
                    subject: format!("the description of {name}"),
                    detail: why.clone(),
                }),
            }
        }
    }

    /// Takes in that a file of descriptions cannot be read at all.
    pub fn annotations_unreadable(&mut self, file: &str, commit: &CommitId, why: &str) {
        let subject = format!("{file} at {}", commit.short());
        self.note(Finding { kind: FindingKind::BadAnnotations, subject, detail: why.to_owned() });
    }

    /// Takes in that one description at the commit of a version cannot be used.
    pub fn annotation_unusable(&mut self, name: &str, commit: &CommitId, why: &str) {
        let subject = format!("the description of {name} at {}", commit.short());
        self.note(Finding { kind: FindingKind::BadAnnotation, subject, detail: why.to_owned() });
    }

    fn check_type(&mut self, name: &str, annotation: &Annotation) {
        let (Some(allowed), Some(kind)) = (&self.options().types, &annotation.kind) else { return };
        if !allowed.contains(kind) {
            let detail = format!("{kind} is not one of {}", allowed.join(", "));
            let subject = format!("the description of {name}");
            self.note(Finding { kind: FindingKind::TypeNotAllowed, subject, detail });
        }
    }
}
