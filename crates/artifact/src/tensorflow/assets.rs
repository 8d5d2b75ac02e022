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
                (1, Wire::Bytes(_)) => {}
                (2, Wire::Bytes(length)) => {
                    let name = parser.text(length)?;
                    parser.assets.push(name);
                }
                _ => parser.unknown("AssetFileDef", number),
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
