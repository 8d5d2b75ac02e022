//! Web pages of explanations, of what is watched and of drift: each whole in itself, without scripts and without requests to anywhere, readable in light
//! and dark, on a phone and on paper. Every foreign text is cleaned and escaped before it gets here.

mod chart;
mod escape;
mod frame;
mod legend;
mod metric;
mod monitor;
mod page;
mod scale;
mod story;
mod style;
mod table;
mod thin;
mod traffic;

pub use monitor::{Place, drift, index, monitor};
pub use page::explanation;
