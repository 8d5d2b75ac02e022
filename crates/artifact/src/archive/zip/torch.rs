//! PyTorch's zip layout: one folder with a pickle, the storages that it refers to, and notes on both.
//!
//! TorchScript puts code and constants beside them (torch 1.4 to 2.15, `serialization.cpp` and `serialization.py`).

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::{entry::Entry, kind::Kind};
use crate::{
    analyse::{Found, Role},
    archive::names::extension,
    findings::Findings,
    format::Format,
    pickle::Dialect,
    rules,
};

/// Notes that PyTorch writes beside the pickle.
const NOTES: &[&str] = &[
    "version",
    "byteorder",
    ".format_version",
    ".storage_alignment",
    ".data/serialization_id",
    ".data/version",
];

/// The folder of a PyTorch archive, with its slash; `None` where it is no such archive.
pub(super) fn root<'n>(names: &[&'n str]) -> Option<&'n str> {
    let root = names.iter().find_map(|name| name.strip_suffix("data.pkl").filter(|root| is_folder(root)))?;
    let beside = |name: &str| names.iter().any(|other| other.strip_prefix(root) == Some(name));
    let storages =
        names.iter().any(|name| name.strip_prefix(root).is_some_and(|rest| rest.starts_with("data/")));
    (beside("version") || beside(".format_version") || beside("byteorder") || storages).then_some(root)
}

/// The same where nothing but the first member is known, because the archive has no directory.
pub(super) fn root_by_first(name: &str) -> Option<&str> {
    name.strip_suffix("data.pkl").filter(|root| !root.is_empty() && is_folder(root))
}

fn is_folder(root: &str) -> bool {
    root.is_empty() || root.find('/') == Some(root.len() - 1)
}

/// The folder of an archive that `torch.export` wrote, with its slash: a program in JSON, and raw weights or a PyTorch
/// archive beside it (torch 2.2 to 2.15).
pub(super) fn export_root<'n>(names: &[&'n str]) -> Option<&'n str> {
    let marks = ["archive_format", "serialized_exported_program.json"];
    names
        .iter()
        .find_map(|name| marks.iter().find_map(|mark| name.strip_suffix(mark)))
        .filter(|root| is_folder(root))
}

/// What to expect of a member of an archive that `torch.export` wrote.
pub(super) fn export_role(root: &str, name: &str) -> Role {
    let Some(inner) = name.strip_prefix(root) else { return Role::Any };
    let raw = inner.strip_prefix("data/weights/").or_else(|| inner.strip_prefix("data/constants/"));
    match raw {
        // `weight_0`, `tensor_0`: whatever has an extension is judged as what it is.
        Some(raw) if !raw.contains(['/', '.']) => Role::Numbers,
        _ if NOTES.contains(&inner) || matches!(inner, "archive_format" | "archive_version") => Role::Note,
        _ => Role::Any,
    }
}

/// Whether a name is one that PyTorch gives a storage: it numbers them.
fn is_storage(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// What an archive with this root is.
pub(super) fn format(root: &str, names: &[&str]) -> Format {
    let has = |part: &str| {
        names.iter().any(|name| name.strip_prefix(root).is_some_and(|inner| inner.starts_with(part)))
    };
    if has("constants.pkl") && has("code/") { Format::TorchScript } else { Format::Torch }
}

/// What to expect of a member of an archive with this root.
pub(super) fn role(root: &str, format: Format, name: &str) -> Role {
    let Some(inner) = name.strip_prefix(root) else { return Role::Any };
    let script = format == Format::TorchScript;
    let dialect = if script { Dialect::Script } else { Dialect::Torch };
    match inner.split_once('/') {
        _ if NOTES.contains(&inner) => Role::Note,
        None if inner == "bytecode.pkl" => Role::Pickle(Dialect::Bytecode),
        None if extension(inner) == "pkl" => Role::Pickle(dialect),
        Some(("code", _)) if extension(inner) == "py" => Role::Script,
        Some(("code", _)) if extension(inner) == "debug_pkl" => Role::Pickle(dialect),
        Some(("data" | "constants" | "traced_inputs" | "bytecode", key)) if is_storage(key) => Role::Numbers,
        _ => Role::Any,
    }
}

/// Holds the storages that pickles refer to against the members that must hold them.
pub(super) fn check_storages(
    kind: &Kind,
    root: &str,
    entries: &[Entry],
    pickles: &[(String, Found)],
    findings: &mut Findings,
) {
    let sizes: HashMap<&str, u64> = entries.iter().map(|entry| (entry.name.as_str(), entry.size)).collect();
    for (name, member) in pickles {
        let Some(stem) = name.strip_suffix(".pkl").filter(|_| !member.storages.is_empty()) else { continue };
        // The inputs that a program was traced with are written without their data.
        if stem.strip_prefix(root) == Some("traced_inputs") {
            continue;
        }
        for storage in &member.storages {
            let place = format!("{stem}/{}", storage.key);
            let needed = storage.size();
            match (sizes.get(place.as_str()), needed) {
                (None, Some(0)) => {}
                (None, _) => {
                    let message = "the model needs this storage, and it is not in the archive";
                    findings.about(&rules::STORAGE_MISSING, None, &place, message);
                }
                (Some(size), Some(needed)) if *size != needed => {
                    let message = format!("the model says {needed} bytes, the storage has {size}");
                    findings.about(&rules::STORAGE_SIZE, None, &place, message);
                }
                _ => {}
            }
        }
    }
    let is_code = |entry: &&Entry| {
        entry
            .name
            .strip_prefix(root)
            .is_some_and(|inner| inner.starts_with("code/") && extension(inner) == "py")
    };
    if kind.format == Format::Torch
        && let Some(code) = entries.iter().find(is_code)
    {
        let message =
            "code in an archive that is no TorchScript; it was searched as if it were, and not judged";
        findings.about(&rules::NOT_ANALYSED, None, &code.name, message);
    }
    let has_pickle = pickles.iter().any(|(name, _)| name.strip_prefix(root) == Some("data.pkl"));
    if !has_pickle {
        let format = kind.format;
        findings.whole(&rules::TORCH_LAYOUT, format!("the {format} archive has no pickle in its data.pkl"));
    }
}
