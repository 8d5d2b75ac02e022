//! Stages of the pipeline: in the log of a host each is folded away under its name, with what it says meanwhile and what
//! it ends with.

use tagship_runner::screen::Group;

use crate::workspace::Workspace;

/// A stage that runs. Dropped without an end, as on a failure, its lines are folded all the same.
pub(crate) struct Stage<'a> {
    workspace: &'a Workspace,
    _group: Group,
}

impl<'a> Stage<'a> {
    /// Begins a stage, e.g. `gate churn`.
    pub(crate) fn begin(workspace: &'a Workspace, name: &str) -> Self {
        Self { workspace, _group: workspace.screen.group(name) }
    }

    /// Ends it with its report. Answers what is left to say where all of it is said: nothing on a host, whose log has
    /// the report in the stage's own place.
    pub(crate) fn end(self, report: String) -> String {
        if !self.workspace.context.hosted {
            return report;
        }
        self.workspace.screen.say(report.trim_end());
        String::new()
    }
}
