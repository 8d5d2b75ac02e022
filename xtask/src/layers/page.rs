//! `docs/dependencies.md`: which crates may name a library. The page is the table that the check reads, so that it
//! cannot fall behind.

use std::{collections::BTreeMap, ops::RangeInclusive};

use anyhow::{Context, Result, bail, ensure};

use super::table::is_known;
use crate::workspace::Workspace;

const PATH: &str = "docs/dependencies.md";

/// A place where a library may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Everywhere,
    /// Tests, and development crates.
    Tests,
    /// One crate, by its full name.
    Crate(String),
    /// Every crate of these layers.
    Layers(RangeInclusive<u8>),
}

/// The page: one entry per library.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) libraries: BTreeMap<String, Vec<Place>>,
}

impl Page {
    /// # Errors
    /// When the page is missing or a row is not `| crate | confined to | why |`.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        Self::parse(&workspace.read(PATH)?)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let rows = text.lines().filter(|line| line.starts_with('|'));
        let mut libraries = BTreeMap::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, confined, why] = cells.as_slice() else {
                bail!("{PATH}: {row:?} is no row `| crate | confined to | why |`");
            };
            if *name == "crate" || name.starts_with('-') {
                continue;
            }
            ensure!(!why.is_empty(), "{PATH}: say why {name} is needed");
            let places = places(confined).with_context(|| format!("{PATH}: where {name} may be named"))?;
            libraries.insert((*name).to_owned(), places);
        }
        Ok(Self { libraries })
    }
}

/// Places as the page writes them; what stands in parentheses is for people.
fn places(cell: &str) -> Result<Vec<Place>> {
    let cell = cell.split('(').next().unwrap_or_default();
    cell.split(',').map(|text| place(text.trim())).collect()
}

fn place(text: &str) -> Result<Place> {
    if let Some(layers) = text.strip_prefix("layers ") {
        let (low, high) = layers.split_once(" to ").context("write `layers A to B`")?;
        return Ok(Place::Layers(low.parse()?..=high.parse()?));
    }
    Ok(match text {
        "everywhere" => Place::Everywhere,
        "tests" => Place::Tests,
        "root" => Place::Crate("tagship".to_owned()),
        "xtask" => Place::Crate("xtask".to_owned()),
        // Crates are written without `tagship-`, as everywhere in the documentation.
        name => {
            let name = format!("tagship-{name}");
            ensure!(is_known(&name), "{text:?} is no crate, layer range, `root`, `tests` or `everywhere`");
            Place::Crate(name)
        }
    })
}
