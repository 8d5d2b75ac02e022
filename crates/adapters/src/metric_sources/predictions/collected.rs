//! Rows of both versions as they are collected for a score: side by side, or in pairs.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use tagship_domain::{
    Digest,
    scoring::{Labelled, LabelledRows},
};
use tagship_ports::Problem;

use super::rows::Row;
use crate::tables::{Wrong, wrong};

/// Most things that may wait for the other version's prediction.
const MOST_OPEN: usize = 1_000_000;

/// Rows so far. What is kept does not change when files grow at their ends: the first rows are.
pub(super) struct Collected {
    arms: [String; 2],
    rows: LabelledRows,
    /// By id, what was predicted so far; pairs only.
    known: HashMap<String, Known>,
    paired: bool,
    digest: Sha256,
}

struct Known {
    label: String,
    predictions: [Option<String>; 2],
}

impl Collected {
    /// Nothing yet; `arms` are stable and the candidate.
    pub(super) fn new(arms: [String; 2], paired: bool) -> Self {
        let rows = if paired {
            LabelledRows::Paired(vec![])
        } else {
            LabelledRows::Apart { stable: vec![], candidate: vec![] }
        };
        Self { arms, rows, known: HashMap::new(), paired, digest: Sha256::new() }
    }

    /// Adds a row; those of other versions are left out.
    pub(super) fn add(&mut self, row: &Row) -> Result<(), Wrong> {
        let Some(arm) = self.arms.iter().position(|arm| *arm == row.version) else { return Ok(()) };
        match (&row.id, self.paired) {
            (Some(id), true) => self.pair(arm, id, row),
            _ => {
                self.beside(arm, row);
                Ok(())
            }
        }
    }

    fn beside(&mut self, arm: usize, row: &Row) {
        let LabelledRows::Apart { stable, candidate } = &mut self.rows else { return };
        let side = if arm == 0 { stable } else { candidate };
        if side.len() < Labelled::MOST {
            side.push([row.label.clone(), row.prediction.clone()]);
            digest(&mut self.digest, &[&row.version, &row.label, &row.prediction]);
        }
    }

    fn pair(&mut self, arm: usize, id: &str, row: &Row) -> Result<(), Wrong> {
        let LabelledRows::Paired(pairs) = &mut self.rows else { return Ok(()) };
        let refuse = |message: String| Err(wrong(Problem::Invalid, message));
        if self.known.len() >= MOST_OPEN && !self.known.contains_key(id) {
            return refuse(format!("it has more than {MOST_OPEN} ids"));
        }
        let known = self
            .known
            .entry(id.to_owned())
            .or_insert_with(|| Known { label: row.label.clone(), predictions: [None, None] });
        if known.label != row.label {
            return refuse(format!("id {id:?} has the labels {:?} and {:?}", known.label, row.label));
        }
        if known.predictions[arm].replace(row.prediction.clone()).is_some() {
            return refuse(format!("id {id:?} was predicted twice by {}", row.version));
        }
        if let [Some(stable), Some(candidate)] = &known.predictions
            && pairs.len() < Labelled::MOST
        {
            digest(&mut self.digest, &[id, &row.label, stable, candidate]);
            pairs.push([row.label.clone(), stable.clone(), candidate.clone()]);
        }
        Ok(())
    }

    /// What was collected.
    pub(super) fn finish(self) -> Labelled {
        let digest = Digest::from_bytes(self.digest.finalize().into());
        Labelled { rows: self.rows, digest: Some(digest.hex().to_owned()) }
    }
}

/// Cells with their lengths, so that no two rows look alike.
fn digest(digest: &mut Sha256, cells: &[&str]) {
    for cell in cells {
        digest.update((cell.len() as u64).to_le_bytes());
        digest.update(cell.as_bytes());
    }
}
