//! The summary of a step: what the status comment would say, for whoever looks at the run.

use tagship_adapters::SystemClock;
use tagship_domain::report::{Section, StatusReport};
use tagship_ports::Clock as _;
use tagship_report::{mark::Tone, markdown, sentence};
use tagship_runner::{Context, commands::Annotation};

use crate::answer::Answer;

/// An answer with the summary of its step and what the page of the run points out.
pub(crate) fn show(answer: Answer, context: &Context, sections: Vec<Section>) -> Answer {
    Answer { annotations: annotations(&sections), summary: summary(context, sections), ..answer }
}

/// What somebody has to act on or to look at.
pub(crate) fn annotations(sections: &[Section]) -> Vec<Annotation> {
    let annotation = |section| {
        let headline = sentence::headline(section);
        match headline.tone {
            Tone::Bad | Tone::Unknown => Some(Annotation::error(headline.text)),
            Tone::Waiting => Some(Annotation::warning(headline.text)),
            Tone::Running | Tone::Good | Tone::Neutral => None,
        }
    };
    sections.iter().filter_map(annotation).collect()
}

/// Nothing where no commit or no place for it is known: nobody would read it.
fn summary(context: &Context, sections: Vec<Section>) -> Option<String> {
    context.summary_file.as_ref()?;
    let proposed = context.proposed.as_ref().map(|proposed| proposed.head.clone());
    let report = StatusReport {
        sha: proposed.or_else(|| context.sha.clone())?,
        pull_request: None,
        written: SystemClock.now(),
        by: context.by.clone(),
        note: None,
        commands: false,
        sections,
    };
    Some(markdown::summary(&report))
}
