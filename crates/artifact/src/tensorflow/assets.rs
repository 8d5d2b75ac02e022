//! Files of a SavedModel that its graph reads.

use super::parser::Parser;
use crate::{
    findings::Findings,
    protobuf::{Messages as _, Wire},
    rules,
    stream::Stop,
    tree::{self, Tree},
};

impl Parser<'_, '_> {
    pub(super) fn asset(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.asset_tensor(length)?,
                (2, Wire::Bytes(length)) => {
                    let name = parser.text(length)?;
                    parser.assets.push(name);
                }
                _ => parser.unknown("AssetFileDef", number),
            }
            Ok(())
        })
    }

    /// The constant that the loader replaces by the place of the asset.
    fn asset_tensor(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            if let (1, Wire::Bytes(length)) = (number, value) {
                let tensor = parser.text(length)?;
                parser.asset_nodes.insert(tensor.split(':').next().unwrap_or_default().to_owned());
            }
            Ok(())
        })
    }
}

/// Every asset must lie in the folder of its own beside the model.
pub(super) fn check(assets: &[String], tree: &dyn Tree, model: &str, findings: &mut Findings) {
    for asset in assets {
        match tree::beside(model, &format!("assets/{asset}")) {
            Ok(path) if tree.facts(&path).is_ok() => {}
            Ok(_) => {
                findings.about(&rules::TF_ASSET, None, asset, "the model reads this file, and it is missing");
            }
            Err(refusal) => {
                let message = format!("the model reads this file, and it is no place inside: {refusal}");
                findings.about(&rules::TF_ASSET_PATH, None, asset, message);
            }
        }
    }
}
