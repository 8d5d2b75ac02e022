//! How a verb ends: one document for people or programs, outputs for later steps, an exit code.

use serde_json::Value;
use tagship_domain::{Document, Exit, ModelName, schema};
use tagship_runner::{
    Context, Failure, Screen,
    args::{Common, Format, Unfinished},
    commands::Annotation,
    handover::Handover,
    outputs::{Outputs, RESULT_LIMIT},
};

/// How an answer leaves the process.
#[derive(Debug, Default)]
pub(crate) struct Manner {
    /// How it is printed.
    pub(crate) format: Format,
    /// States of a rollout that fail the step of a workflow.
    pub(crate) fail_on: Vec<Unfinished>,
}

impl Manner {
    /// What the common arguments ask for.
    pub(crate) fn of(common: &Common) -> Self {
        Self::printing(common.format)
    }

    /// Printed like this.
    pub(crate) fn printing(format: Format) -> Self {
        Self { format, fail_on: vec![] }
    }

    /// What a host takes for a failure. A rollout that waits or goes on is none, unless that was asked for; outputs
    /// tell how it stands.
    fn judge(&self, exit: Exit, hosted: bool) -> Exit {
        match Unfinished::of(exit) {
            Some(state) if hosted && !self.fail_on.contains(&state) => Exit::Done,
            _ => exit,
        }
    }
}

/// What a verb answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Output `decision`: what was decided, in one word.
    pub(crate) decision: String,
    /// Output `reason-code`: why, in one stable word.
    pub(crate) reason_code: String,
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: String,
    /// More outputs.
    pub(crate) outputs: Outputs,
    /// Markdown for the summary of the step.
    pub(crate) summary: Option<String>,
    /// What the page of the run points out.
    pub(crate) annotations: Vec<Annotation>,
}

impl Answer {
    /// An answer that is a document, which is also handed to later steps.
    ///
    /// # Errors
    /// When it cannot be handed over.
    pub(crate) fn document<T: Document>(
        handover: &Handover,
        model: Option<&ModelName>,
        document: &T,
        text: String,
        (decision, reason_code, exit): (String, String, Exit),
    ) -> Result<Self, Failure> {
        let json = schema::to_json(document).map_err(Failure::incomplete)?;
        let line = schema::to_json_line(document).map_err(Failure::incomplete)?;
        let path = handover.put(model, document)?.map(|path| path.display().to_string());
        let mut outputs = Outputs::default().with("result", fitting(line, path.as_deref()));
        if let Some(path) = path {
            outputs = outputs.with("result-file", path);
        }
        Ok(Self { exit, decision, reason_code, text, json, outputs, summary: None, annotations: vec![] })
    }

    /// An answer without a document for later steps.
    pub(crate) fn plain(exit: Exit, decision: &str, reason_code: &str, text: String, json: String) -> Self {
        let (decision, reason_code) = (decision.to_owned(), reason_code.to_owned());
        let outputs = Outputs::default().with("result", fitting(json.clone(), None));
        Self { exit, decision, reason_code, text, json, outputs, summary: None, annotations: vec![] }
    }
}

/// A document that fits into an output: the larger parts of a large one are left out, which it says, with the file that has all.
fn fitting(json: String, file: Option<&str>) -> String {
    if json.len() <= RESULT_LIMIT {
        return json;
    }
    let told = serde_json::json!({ "schema": "tagship/shortened/v1", "shortened": true, "whole": file });
    let Ok(Value::Object(mut document)) = serde_json::from_str(&json) else { return told.to_string() };
    let mut parts: Vec<(usize, String)> =
        document.iter().map(|(key, part)| (part.to_string().len() + key.len() + 4, key.clone())).collect();
    parts.sort_unstable();
    let mut room = RESULT_LIMIT / 2;
    let mut left_out = vec![];
    for (size, key) in parts {
        if size <= room {
            room -= size;
        } else {
            document.remove(&key);
            left_out.push(key);
        }
    }
    // It is no document of its schema any more: lists that are missing say nothing.
    document.insert("schema".to_owned(), Value::from("tagship/shortened/v1"));
    document.insert("shortened".to_owned(), Value::from(true));
    document.insert("whole".to_owned(), Value::from(file));
    document.insert("left_out".to_owned(), Value::from(left_out));
    let short = Value::Object(document).to_string();
    if short.len() <= RESULT_LIMIT { short } else { told.to_string() }
}

/// Prints an answer or a failure, writes the outputs, and answers the exit code. Outputs are written before anything
/// fails, so that later steps see them.
pub(crate) fn conclude(result: Result<Answer, Failure>, manner: &Manner, context: &Context) -> Exit {
    let screen = Screen::of(context, false);
    let (exit, outputs, failure) = match result {
        Ok(answer) => {
            match manner.format {
                Format::Json => screen.print_json(&answer.json),
                Format::Text => screen.print(&answer.text),
            }
            screen.annotate(&answer.annotations);
            let outputs =
                answer.outputs.with("decision", answer.decision).with("reason-code", answer.reason_code);
            let summary = answer.summary.map(|summary| append_summary(context, &summary));
            (answer.exit, outputs, summary.and_then(Result::err))
        }
        Err(failure) => {
            let result = serde_json::json!({ "error": failure.message, "help": failure.hint }).to_string();
            let outputs =
                Outputs::default().with("decision", "error").with("reason-code", failure.reason_code);
            let outputs = outputs.with("result", fitting(result, None));
            (failure.exit, outputs, Some(failure))
        }
    };
    let written = context.output_file.as_deref().map_or(Ok(()), |file| outputs.append_to(file));
    for failure in failure.iter().chain(written.as_ref().err()) {
        screen.fail(failure);
    }
    if let Some(started) = context.started.filter(|_| context.hosted) {
        screen.say(&format!("finished in {:.1} s", started.elapsed().as_secs_f64()));
    }
    // A state that was not asked about is green; an answer that could not be told never is.
    let told = failure.is_none() && written.is_ok();
    match exit {
        Exit::Done if !told => Exit::Incomplete,
        exit => manner.judge(exit, context.hosted && written.is_ok()),
    }
}

fn append_summary(context: &Context, markdown: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let Some(file) = &context.summary_file else { return Ok(()) };
    let failed = |error| Failure::incomplete(format!("write the summary to {}: {error}", file.display()));
    let mut sink = std::fs::OpenOptions::new().append(true).create(true).open(file).map_err(failed)?;
    sink.write_all(markdown.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unfinished_rollout_fails_the_step_of_a_workflow_only_where_that_was_asked_for() {
        let none = Manner::default();
        let paused = Manner { fail_on: vec![Unfinished::Paused], ..Manner::default() };
        for (exit, quiet, asked) in [
            (Exit::Paused, Exit::Done, Exit::Paused),
            (Exit::Running, Exit::Done, Exit::Done),
            (Exit::Negative, Exit::Negative, Exit::Negative),
            (Exit::RollbackFailed, Exit::RollbackFailed, Exit::RollbackFailed),
        ] {
            assert_eq!((none.judge(exit, true), paused.judge(exit, true)), (quiet, asked));
            assert_eq!(none.judge(exit, false), exit, "a terminal is told the truth");
        }
    }

    #[test]
    fn a_result_that_is_too_large_is_shortened_and_says_so() {
        let small = json!({ "schema": "tagship/x/v1", "good": false }).to_string();
        assert_eq!(fitting(small.clone(), None), small);
        let large = json!({
            "schema": "tagship/x/v1", "good": false, "columns": vec!["x".repeat(100); 1_000], "rows": [3, 4],
        });
        let short = fitting(large.to_string(), Some("/tmp/result.json"));
        assert!(short.len() <= RESULT_LIMIT);
        let read: Value = serde_json::from_str(&short).unwrap();
        assert_eq!(
            read,
            json!({
                "schema": "tagship/shortened/v1", "good": false, "rows": [3, 4],
                "shortened": true, "whole": "/tmp/result.json", "left_out": ["columns"],
            })
        );
        let list: Value = serde_json::from_str(&fitting(json!(vec![1; 100_000]).to_string(), None)).unwrap();
        assert_eq!(
            list,
            json!({ "schema": "tagship/shortened/v1", "shortened": true, "whole": null }),
            "no object has parts"
        );
    }
}
