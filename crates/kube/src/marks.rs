//! How an object says which version it is of: two annotations.

use serde_json::Value;
use tagship_domain::{Digest, Version};

pub(crate) const VERSION: &str = "tagship/version";
pub(crate) const DIGEST: &str = "tagship/digest";

/// The version that a pod template says it is, and its digest; nothing where one of them is missing, or is none.
pub(crate) fn marked(template: &Value) -> Option<(Version, Digest)> {
    let mark = |key: &str| template["metadata"]["annotations"][key].as_str();
    let version = mark(VERSION)?;
    // People leave the letter out that Tagship's own marks have.
    let version = version.strip_prefix('v').unwrap_or(version);
    Some((format!("v{version}").parse().ok()?, mark(DIGEST)?.parse().ok()?))
}
