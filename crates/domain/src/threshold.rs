//! Conditions on values: what a source answers at each look is good, bad or neither by itself, without a test on counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Timestamp;

/// What the values of a metric must keep, look by look. Conditions are expressions over `result`, which is what the
/// source answered, and `stable`, which is what it answered about the stable version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// Holds where a look is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
    /// Holds where a look is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Looks after which the metric is decided; absent where it is measured to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Good looks in a row after which the metric is good; absent where none are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_success_limit: Option<u64>,
}

/// One value of a metric. A value that is missing or no number at that time is null.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// The number, or the document that conditions read.
    pub value: Value,
}

impl Threshold {
    /// Whether a condition reads what the source answers about stable.
    pub fn compares(&self) -> bool {
        [&self.success, &self.failure].into_iter().flatten().any(|condition| reads(condition, "stable"))
    }

    /// The fewest looks that can make it good.
    pub fn least_looks(&self) -> u64 {
        self.consecutive_success_limit.or(self.count).unwrap_or(1).max(1)
    }

    /// Its conditions in words.
    pub fn words(&self) -> String {
        match (&self.success, &self.failure) {
            (Some(success), None) => success.clone(),
            (None, Some(failure)) => format!("not: {failure}"),
            (Some(success), Some(failure)) => format!("{success}, and not: {failure}"),
            (None, None) => "any value".to_owned(),
        }
    }
}

/// Whether an expression names a root: outside of quotes, and not as a member of something else.
fn reads(expression: &str, root: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut quote, mut escaped, mut word_start) = (None, false, None);
    let mut before = ' ';
    for (at, c) in expression.char_indices().chain([(expression.len(), ' ')]) {
        if let Some(open) = quote {
            let closes = c == open && !escaped;
            escaped = c == '\\' && !escaped;
            quote = if closes { None } else { quote };
            continue;
        }
        if is_word(c) {
            word_start.get_or_insert((at, before));
        } else {
            if word_start.take().is_some_and(|(from, before)| before != '.' && &expression[from..at] == root)
            {
                return true;
            }
            if c == '"' || c == '\'' {
                quote = Some(c);
            }
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_stable_compares() {
        let compares = |success: &str| {
            Threshold { success: Some(success.to_owned()), ..Threshold::default() }.compares()
        };
        for condition in
            ["result <= stable", "stable*1.1 > result", "result < 2 || result<stable.p99", "-stable<1"]
        {
            assert!(compares(condition), "{condition}");
        }
        for condition in [
            "result < 2",
            "result.stable < 2",
            "result . stable < 2",
            "result.name == 'stable'",
            r#"result.name == "a \" stable ""#,
            "unstable < 2",
        ] {
            assert!(!compares(condition), "{condition}");
        }
    }
}
