//! Figures of a period whose end was settled before it began.

/// A figure that holds at one look, at a horizon fixed beforehand.
///
/// **Not valid when looked at repeatedly.** Its error rate is that of a single look: whoever computes it again with every
/// new row and stops at the first good or bad answer is wrong far more often (at five looks for 5 %, one time in seven).
/// So it never decides a rollout that is still watched; the [sequential](crate::sequential) tests may be looked at at any
/// time. Scores that do not add up over rows (F1, AUC, RMSE) have such figures only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedHorizon<T>(T);

impl<T> FixedHorizon<T> {
    pub(crate) const fn new(figure: T) -> Self {
        Self(figure)
    }

    /// The figure, for whoever has reached the horizon and looks for the first time.
    pub fn at_the_horizon(self) -> T {
        self.0
    }
}
