//! What an archive is by the names in it, and so what to expect of each member.

use super::torch;
use crate::{analyse::Role, format::Format};

/// What an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: Format,
    /// The folder of a PyTorch archive, with its slash.
    pub(super) torch: Option<String>,
}

impl Kind {
    /// Tells the kind by all member names.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        let has = |name: &str| names.contains(&name);
        let arrays = !names.is_empty() && names.iter().all(|name| name.ends_with(".npy"));
        let torch = torch::root(&names);
        let format = if let Some(root) = torch {
            torch::format(root, &names)
        } else if has("schema.json") {
            Format::Skops
        } else if has("config.json") && (has("model.weights.h5") || has("metadata.json")) {
            Format::Keras
        } else if arrays {
            Format::Npz
        } else {
            Format::Zip
        };
        Self { format, torch: torch.map(str::to_owned) }
    }

    /// What to expect of a member.
    pub(super) fn role(&self, name: &str) -> Role {
        if self.format == Format::Skops && name.ends_with(".bin") {
            return Role::Numbers;
        }
        self.torch.as_deref().map_or(Role::Any, |root| torch::role(root, self.format, name))
    }
}
