//! `tagship.yml`: from text to settings that every action can use, with errors that point into the text.
//!
//! Knows no vendor: a target or a store is a kind with settings, and whoever implements the kind judges them.

pub mod gate;
pub mod path;
pub mod validate;
