//! The index of a sharded model: which shard holds which tensor.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{findings::Findings, rules, tree};

/// Shards of one model; the largest published ones have some hundreds.
const MAX_SHARDS: usize = 10_000;

/// Compares an index with its shards. `index` is its path, `weight_map` its pairs of tensor and shard; `shards` holds
/// the tensors of every sound safetensors file by path, where they are known; `exists` tells which files are there.
pub(crate) fn check(
    index: &str,
    weight_map: &[(String, String)],
    shards: Option<&HashMap<&str, &[String]>>,
    exists: impl Fn(&str) -> bool,
    findings: &mut Findings,
) {
    // In the order of their names, so that the report is always the same.
    let mut named: BTreeMap<String, HashSet<&str>> = BTreeMap::new();
    for (tensor, shard) in weight_map {
        if named.len() > MAX_SHARDS {
            findings.whole(&rules::INDEX_SHARD, format!("the index names more than {MAX_SHARDS} shards"));
            return;
        }
        match tree::beside(index, shard) {
            Ok(path) => {
                if !named.entry(path).or_default().insert(tensor) {
                    findings.about(
                        &rules::INDEX_DISAGREES,
                        None,
                        tensor,
                        "the index names this tensor twice",
                    );
                }
            }
            Err(refusal) => {
                findings.about(
                    &rules::INDEX_SHARD,
                    None,
                    shard,
                    format!("this is no shard beside the index: {refusal}"),
                );
            }
        }
    }
    for (path, tensors) in &named {
        match shards.map(|shards| shards.get(path.as_str())) {
            Some(Some(held)) => {
                let held: HashSet<&str> = held.iter().map(String::as_str).collect();
                let differ: BTreeSet<&&str> = tensors.symmetric_difference(&held).collect();
                if let Some(first) = differ.first() {
                    let count = differ.len();
                    let message =
                        format!("index and shard {path} disagree on {count} tensors, {first:?} the first");
                    findings.about(&rules::INDEX_DISAGREES, None, path, message);
                }
            }
            None | Some(None) if exists(path) => {}
            _ => findings.about(
                &rules::INDEX_SHARD,
                None,
                path,
                "the index names this shard, and it is missing",
            ),
        }
    }
}
