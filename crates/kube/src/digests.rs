//! Versions that are loaded, by their bytes.

use tagship_domain::{Digest, Version};
use tagship_ports::{PortError, Problem};

/// Refuses a version that is loaded with other bytes, and bytes that another version has.
pub(crate) fn refuse_other_bytes<'a>(
    operation: &str,
    loaded: impl IntoIterator<Item = (&'a Version, &'a Digest)>,
    version: &Version,
    digest: &Digest,
) -> Result<(), PortError> {
    let other = loaded.into_iter().find(|(other, there)| (*other == version) != (*there == digest));
    let Some((other, there)) = other else { return Ok(()) };
    let message = format!("{other} is loaded with {there}, not {version} with {digest}");
    Err(PortError::new(Problem::Conflict, operation, message))
}
