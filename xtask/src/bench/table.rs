//! The table that a bench ends with.

/// What one budget allows and what it took.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) work: &'static str,
    pub(super) measured: f64,
    pub(super) budget: f64,
    pub(super) unit: Unit,
}

/// In what a budget is stated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    /// Processor seconds, shown as milliseconds below a tenth.
    Cpu,
    /// Seconds on a clock, shown as milliseconds.
    Wall,
    /// Bytes, shown as MiB.
    Memory,
    /// Bytes, shown as MB.
    Size,
    /// Times what stands beside it.
    Times,
}

/// A row, or why there is none.
#[derive(Debug)]
pub(super) enum Line {
    Row(Row),
    Missing { work: &'static str, why: String },
}

impl Row {
    fn ratio(&self) -> f64 {
        self.measured / self.budget
    }

    fn show(&self) -> String {
        let (measured, budget) = (self.unit.show(self.measured), self.unit.show(self.budget));
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        format!("{:<58} {measured:>14} {budget:>14} {:>6.2} {verdict}", self.work, self.ratio())
    }

    fn is_met(&self) -> bool {
        self.measured <= self.budget
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Cpu if value < 0.1 => format!("{:.1} ms CPU", value * 1e3),
            Self::Cpu => format!("{value:.2} s CPU"),
            Self::Wall => format!("{:.1} ms", value * 1e3),
            Self::Memory => format!("{:.1} MiB", value / f64::from(1 << 20)),
            Self::Size => format!("{:.1} MB", value / 1e6),
            Self::Times => format!("{value:.2} x"),
        }
    }
}

/// The lines as text, with a last one that counts.
pub(super) fn render(lines: &[Line]) -> String {
    let head = format!("{:<58} {:>14} {:>14} {:>6}", "work", "measured", "budget", "ratio");
    let shown = lines.iter().map(|line| match line {
        Line::Row(row) => row.show(),
        Line::Missing { work, why } => format!("{work:<58} not measured: {why}"),
    });
    let rows: Vec<&Row> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Row(row) => Some(row),
            Line::Missing { .. } => None,
        })
        .collect();
    let met = rows.iter().filter(|row| row.is_met()).count();
    let count = format!("{met} of {} budgets met, {} not measured", rows.len(), lines.len() - rows.len());
    std::iter::once(head).chain(shown).chain([count]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_and_a_gap_are_told_apart_from_a_met_budget() {
        let row = |measured| Line::Row(Row { work: "w", measured, budget: 0.01, unit: Unit::Cpu });
        let missing = Line::Missing { work: "v", why: "there is no openssl".to_owned() };
        let text = render(&[row(0.005), row(0.02), missing]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("5.0 ms CPU") && lines[1].ends_with("0.50 met"), "{text}");
        assert!(lines[2].ends_with("2.00 MISSED"), "{text}");
        assert!(lines[3].ends_with("not measured: there is no openssl"), "{text}");
        assert_eq!(lines[4], "1 of 2 budgets met, 1 not measured");
    }
}
