//! What an archive is by the names in it, and so what to expect of each member.

use super::{directory::number, entry::HEADER_SIZE, torch};
use crate::{analyse::Role, archive::names::extension, format::Format};

/// What an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: Format,
    /// The folder of a PyTorch archive, with its slash.
    pub(super) torch: Option<String>,
    /// The folder of an archive that `torch.export` wrote, with its slash.
    export: Option<String>,
}

impl Kind {
    /// Tells the kind by all member names.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        let has = |name: &str| names.contains(&name);
        let arrays = !names.is_empty() && names.iter().all(|name| extension(name) == "npy");
        // TorchServe's archives hold a handler in Python, wherever their manifest says.
        let served = names.iter().any(|name| name.starts_with("MAR-INF/"));
        let torch = torch::root(&names).filter(|_| !served);
        let export = torch::export_root(&names).filter(|_| torch.is_none() && !served);
        let format = if let Some(root) = torch {
            torch::format(root, &names)
        } else if export.is_some() {
            Format::Torch
        } else if has("schema.json") {
            Format::Skops
        } else if has("config.json") && (has("model.weights.h5") || has("metadata.json")) {
            Format::Keras
        } else if arrays {
            Format::Npz
        } else {
            Format::Zip
        };
        Self { format, torch: torch.map(str::to_owned), export: export.map(str::to_owned) }
    }

    /// Tells the kind by the first member's header, where there is no directory.
    pub(super) fn by_head(head: &[u8]) -> Self {
        let length = usize::try_from(number(head, 26, 2)).unwrap_or(0);
        let name =
            head.get(HEADER_SIZE..HEADER_SIZE + length).and_then(|name| std::str::from_utf8(name).ok());
        let torch = name.and_then(torch::root_by_first).map(str::to_owned);
        let format = if torch.is_some() { Format::Torch } else { Format::Zip };
        Self { format, torch, export: None }
    }

    /// What to expect of a member.
    pub(super) fn role(&self, name: &str) -> Role {
        match (&self.torch, &self.export) {
            (Some(root), _) => torch::role(root, self.format, name),
            (None, Some(root)) => torch::export_role(root, name),
            // Bytes of the model, which the schema names.
            (None, None) if self.format == Format::Skops && name.rsplit('.').next() == Some("bin") => {
                Role::Numbers
            }
            (None, None) => Role::Any,
        }
    }
}
