//! Zip archives, read the way every reader reads them at once: by the directory at the end, by the members' own headers,
//! and by every byte that belongs to neither.
//!
//! The directory is read before the forward pass; the pass then walks the members in the order in which they lie,
//! holds each header against its entry and judges each member's bytes. Where two readers could see different
//! things, that is a finding, and both versions are judged (layout of PKWARE's APPNOTE 6.3).

mod directory;
mod entry;
mod hidden;
mod kind;
mod member;
#[cfg(test)]
mod tests;
mod torch;
mod walk;

pub(crate) use directory::Directory;
pub(crate) use walk::scan;
