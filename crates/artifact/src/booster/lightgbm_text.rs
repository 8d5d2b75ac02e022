//! LightGBM's text format: a header, one block per tree, and settings (`gbdt_model_text.cpp` and `tree.cpp` of
//! microsoft/LightGBM). The native loader trusts the counts and crashes where they lie.

use super::tree;
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// Bytes of one line: a tree of a million leaves stays below.
const MAX_LINE: usize = 64 << 20;

/// Reads lines and keeps what the header declares.
struct Scan<'s, 'a> {
    stream: &'s mut Stream<'a>,
    findings: &'s mut Findings,
    line: Vec<u8>,
    features: Option<u64>,
    /// Declared bytes of every tree.
    sizes: Option<Vec<u64>>,
}

/// One tree while it is read.
#[derive(Default)]
struct Block {
    start: u64,
    fields: Vec<(String, Vec<f64>)>,
}

impl Block {
    fn field(&self, key: &str) -> Option<&[f64]> {
        self.fields.iter().find(|(own, _)| own == key).map(|(_, values)| values.as_slice())
    }
}

/// Fields of a tree that are lists of numbers and are looked at.
const LISTS: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
];

/// Judges a file.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut scan = Scan { stream, findings, line: Vec::new(), features: None, sizes: None };
    scan.header()?;
    scan.trees()?;
    scan.rest()
}

impl Scan<'_, '_> {
    /// The next line, where it begins, and whether there was one. The last may lack its line feed.
    fn next(&mut self) -> Result<Option<u64>, Stop> {
        let start = self.stream.position();
        if self.stream.peek()?.is_none() {
            return Ok(None);
        }
        self.line.clear();
        match self.stream.line(MAX_LINE, &mut self.line) {
            Ok(length) if length > MAX_LINE as u64 => {
                self.findings.at(&rules::BOOSTER_LIMIT, start, "a line longer than is followed");
                return Err(Stop::Reported);
            }
            Ok(_) | Err(Stop::Truncated(_)) => {}
            Err(stop) => return Err(stop),
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(start))
    }

    fn bad(&mut self, at: u64, what: &str, message: impl Into<String>) {
        self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), what, message);
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.line).unwrap_or("")
    }

    /// Lines up to the first empty one.
    fn header(&mut self) -> Result<(), Stop> {
        let mut version = false;
        while let Some(at) = self.next()? {
            if self.line.is_empty() {
                break;
            }
            let text = self.text().to_owned();
            match text.split_once('=') {
                Some(("version", value)) => {
                    version = true;
                    self.findings.facts.state("LightGBM model", value);
                    if !matches!(value, "v2" | "v3" | "v4") {
                        self.findings.about(
                            &rules::BOOSTER_NEWER,
                            Some(at),
                            value,
                            "this version is not known here",
                        );
                    }
                }
                Some(("max_feature_idx", value)) => self.features = value.parse().ok(),
                Some(("tree_sizes", value)) => {
                    self.sizes = value.split_ascii_whitespace().map(|size| size.parse().ok()).collect();
                }
                _ => {}
            }
        }
        if !version || self.features.is_none() || self.sizes.is_none() {
            let at = self.stream.position();
            self.bad(
                at,
                "header",
                "the version, the number of features or the sizes of the trees are missing",
            );
            return Err(Stop::Reported);
        }
        Ok(())
    }

    fn trees(&mut self) -> Result<(), Stop> {
        let mut tree: Option<Block> = None;
        let mut count = 0usize;
        while let Some(at) = self.next()? {
            let is_tree = self.line.starts_with(b"Tree=");
            let ends = self.line == b"end of trees";
            if (is_tree || ends)
                && let Some(tree) = tree.take()
            {
                self.tree_end(&tree, count, at);
                count += 1;
            }
            if ends {
                let declared = self.sizes.as_ref().map_or(0, Vec::len);
                if declared != count {
                    self.bad(at, "tree_sizes", format!("{declared} trees are declared, {count} are there"));
                }
                return Ok(());
            }
            if is_tree {
                let number = self.text().strip_prefix("Tree=").and_then(|number| number.parse().ok());
                if number != Some(count) {
                    self.bad(at, "Tree", format!("tree {count} has another number"));
                }
                tree = Some(Block { start: at, fields: Vec::new() });
            } else if let Some(tree) = &mut tree {
                self.field(tree, at);
            }
        }
        Err(Stop::Truncated(self.stream.position()))
    }

    fn field(&mut self, tree: &mut Block, at: u64) {
        let Some((key, value)) = std::str::from_utf8(&self.line).ok().and_then(|line| line.split_once('='))
        else {
            if !self.line.is_empty() {
                self.bad(at, "Tree", "a line of a tree that is no setting");
            }
            return;
        };
        if !LISTS.contains(&key) {
            return;
        }
        let values: Option<Vec<f64>> =
            value.split_ascii_whitespace().map(|number| number.parse().ok()).collect();
        let key = key.to_owned();
        match values {
            Some(values) if tree.field(&key).is_none() => tree.fields.push((key, values)),
            Some(_) => self.bad(at, &key, "a tree has this field twice"),
            None => self.bad(at, &key, "a value that is no number"),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are bounded before they are converted, and links that are none saturate"
    )]
    fn tree_end(&mut self, block: &Block, number: usize, end: u64) {
        let at = block.start;
        let name = format!("tree {number}");
        let declared = self.sizes.as_ref().and_then(|sizes| sizes.get(number)).copied();
        if declared != Some(end - at) {
            let declared = declared.unwrap_or(0);
            self.bad(at, &name, format!("it has {} bytes, {declared} are declared", end - at));
        }
        let leaves = block.field("num_leaves").and_then(|values| values.first()).copied().unwrap_or(0.0);
        if leaves < 1.0 || leaves > tree::MAX_NODES as f64 || leaves.fract() != 0.0 {
            return self.bad(at, &name, format!("{leaves} leaves are declared"));
        }
        let leaves = leaves as u64;
        let values = block.field("leaf_value").unwrap_or(&[]);
        if values.len() as u64 != leaves {
            return self.bad(at, &name, format!("{} values for {leaves} leaves", values.len()));
        }
        if values.iter().any(|value| !value.is_finite()) {
            self.findings.about(&rules::NON_FINITE, Some(at), "leaf_value", "a value is NaN or infinite");
        }
        for key in ["split_feature", "threshold", "decision_type", "left_child", "right_child"] {
            let length = block.field(key).map_or(0, <[f64]>::len) as u64;
            if length != leaves - 1 {
                return self.bad(at, &name, format!("`{key}` has {length} entries for {leaves} leaves"));
            }
        }
        let features = self.features.unwrap_or(0) as f64;
        if block.field("split_feature").is_some_and(|used| used.iter().any(|f| *f < 0.0 || *f > features)) {
            self.bad(at, &name, "a split uses a feature that does not exist");
        }
        // Inner nodes come first; leaves, written as the complement, behind them.
        let inner = leaves.cast_signed() - 1;
        let links = ["left_child", "right_child"].into_iter().filter_map(|key| block.field(key)).flatten();
        let children = links.map(|link| {
            let link = *link as i64;
            let node =
                if link < 0 { inner.checked_add(!link) } else { Some(link).filter(|link| *link < inner) };
            node.and_then(|node| u64::try_from(node).ok()).unwrap_or(u64::MAX)
        });
        if let Err(message) = tree::check(children, leaves * 2 - 1) {
            self.bad(at, &name, message);
        }
    }

    /// Importances and settings, which end with a marker in every version. Behind it Python adds one line of JSON.
    fn rest(&mut self) -> Result<(), Stop> {
        let (mut parameters, mut ended) = (false, false);
        while let Some(at) = self.next()? {
            let text = std::str::from_utf8(&self.line);
            let sound = match text {
                Err(_) => false,
                Ok(text) if ended => text.is_empty() || is_categories(text),
                Ok(_) => true,
            };
            if !sound {
                self.bad(at, "parameters", "a line that does not belong here");
            }
            parameters |= self.line == b"parameters:";
            ended |= self.line == b"end of parameters";
        }
        if !parameters || !ended {
            return Err(Stop::Truncated(self.stream.position()));
        }
        Ok(())
    }
}

/// The categories of a data frame's columns.
fn is_categories(line: &str) -> bool {
    let json = line.strip_prefix("pandas_categorical:");
    json.is_some_and(|json| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok())
}
