//! One tree of LightGBM's text format, and whether its lists lead where they say (`tree.cpp` of microsoft/LightGBM).

use super::tree;

/// One tree while it is read.
pub(super) struct Block {
    pub(super) start: u64,
    pub(super) fields: Vec<(String, Vec<f64>)>,
}

/// Lists with one entry per split.
const PER_SPLIT: &[&str] = &["split_feature", "threshold", "decision_type", "left_child", "right_child"];

impl Block {
    pub(super) fn new(start: u64) -> Self {
        Self { start, fields: Vec::new() }
    }

    pub(super) fn field(&self, key: &str) -> Option<&[f64]> {
        self.fields.iter().find(|(own, _)| own == key).map(|(_, values)| values.as_slice())
    }

    fn list(&self, key: &str) -> &[f64] {
        self.field(key).unwrap_or(&[])
    }

    /// The first number of a field, where it is a count.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the count is bounded before it is converted"
    )]
    fn count(&self, key: &str) -> Option<u64> {
        let number = *self.list(key).first()?;
        let is_count = number >= 0.0 && number <= tree::MAX_NODES as f64 && number.fract() == 0.0;
        is_count.then_some(number as u64)
    }

    pub(super) fn is_finite(&self) -> bool {
        self.list("leaf_value").iter().all(|value| value.is_finite())
    }

    /// Checks the lists against each other. `last` is the last feature of the model.
    pub(super) fn check(&self, last: u64) -> Result<(), String> {
        let leaves = self.count("num_leaves").filter(|leaves| *leaves > 0);
        let Some(leaves) = leaves else {
            return Err("it does not say how many leaves it has".to_owned());
        };
        self.check_length("leaf_value", leaves)?;
        for key in PER_SPLIT {
            self.check_length(key, leaves - 1)?;
        }
        self.check_features("split_feature", last)?;
        self.check_links(leaves)?;
        if leaves > 1 {
            self.check_categories()?;
        }
        if self.list("is_linear").first().is_some_and(|linear| *linear != 0.0) {
            self.check_linear(leaves, last)?;
        }
        Ok(())
    }

    fn check_length(&self, key: &str, wanted: u64) -> Result<(), String> {
        let length = self.list(key).len() as u64;
        if length == wanted { Ok(()) } else { Err(format!("`{key}` has {length} entries, not {wanted}")) }
    }

    #[expect(clippy::cast_precision_loss, reason = "more features than 2^53 do not matter")]
    fn check_features(&self, key: &str, last: u64) -> Result<(), String> {
        match self.list(key).iter().find(|feature| !(**feature >= 0.0 && **feature <= last as f64)) {
            Some(feature) => Err(format!("`{key}` names the feature {feature}, which does not exist")),
            None => Ok(()),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "links that are none saturate and lead nowhere")]
    fn check_links(&self, leaves: u64) -> Result<(), String> {
        // Inner nodes come first; leaves, written as the complement, behind them.
        let inner = leaves.cast_signed() - 1;
        let links = self.list("left_child").iter().chain(self.list("right_child"));
        let children = links.map(|link| {
            let link = *link as i64;
            let node =
                if link < 0 { inner.checked_add(!link) } else { Some(link).filter(|link| *link < inner) };
            node.and_then(|node| u64::try_from(node).ok()).unwrap_or(u64::MAX)
        });
        tree::check(children, leaves * 2 - 1)
    }

    /// The threshold of a split by categories is the number of a set; each set is a piece of the list of bits.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts are bounded")]
    fn check_categories(&self) -> Result<(), String> {
        let sets = match self.field("num_cat") {
            None => 0,
            Some(_) => self.count("num_cat").ok_or("`num_cat` is no count")?,
        };
        if sets > 0 {
            self.check_length("cat_boundaries", sets + 1)?;
            let ends = self.list("cat_boundaries");
            let words = self.list("cat_threshold").len() as f64;
            let whole = ends.iter().all(|end| end.fract() == 0.0);
            if !whole || !ends.is_sorted() || ends.first() != Some(&0.0) || ends.last() != Some(&words) {
                return Err("`cat_boundaries` does not divide `cat_threshold`".to_owned());
            }
        }
        let splits = self.list("decision_type").iter().zip(self.list("threshold"));
        let mut asked = splits.filter(|(kind, _)| **kind as i64 & 1 == 1).map(|(_, set)| *set);
        match asked.find(|set| !(*set >= 0.0 && *set < sets as f64)) {
            Some(set) => Err(format!("a split asks for the set of categories {set} of {sets}")),
            None => Ok(()),
        }
    }

    /// Leaves that are linear functions: how many features each has, which, and by what they are multiplied.
    fn check_linear(&self, leaves: u64, last: u64) -> Result<(), String> {
        self.check_length("leaf_const", leaves)?;
        self.check_length("num_features", leaves)?;
        let features = self.list("leaf_features").len() as u64;
        let counts = self.list("num_features");
        let whole = counts.iter().all(|count| *count >= 0.0 && count.fract() == 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let sum = counts.iter().sum::<f64>() as u64;
        if !whole || sum != features {
            return Err("`num_features` does not divide `leaf_features`".to_owned());
        }
        self.check_length("leaf_coeff", features)?;
        self.check_features("leaf_features", last)
    }
}
