//! The goals, each with what was measured.

/// What was measured of every goal.
#[derive(Default)]
pub(crate) struct Goals(Vec<(String, f64, f64, bool)>);

impl Goals {
    /// A value that must be at most a limit.
    pub(crate) fn at_most(&mut self, what: impl Into<String>, measured: f64, limit: f64) {
        self.0.push((what.into(), measured, limit, measured <= limit));
    }

    /// A value that must be at least a limit.
    pub(crate) fn at_least(&mut self, what: impl Into<String>, measured: f64, limit: f64) {
        self.0.push((what.into(), measured, limit, measured >= limit));
    }

    pub(crate) fn print(&self) {
        println!("goals\n{:<72} {:>10} {:>10}", "goal", "measured", "limit");
        for (what, measured, limit, met) in &self.0 {
            println!("{what:<72} {measured:>10.2} {limit:>10.2}  {}", if *met { "met" } else { "MISSED" });
        }
        let missed = self.0.iter().filter(|(.., met)| !met).count();
        println!("\n{} of {} goals met", self.0.len() - missed, self.0.len());
    }
}
