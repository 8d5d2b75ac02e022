//! skops archives: `schema.json` names a type for every part of a model, and the loader imports and builds it
//! (skops 0.16, `skops/io`). Older versions of the loader trusted more than they showed (CVE-2025-54412, -54413).

mod ids;
mod members;
mod models;
mod neighbours;
mod schema;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use members::Members;
pub(crate) use schema::scan as scan_schema;
