//! An explanation as one web page: whole in itself, without scripts and without requests to anywhere, readable in light
//! and dark, on a phone and on paper. Every foreign text is cleaned and escaped before it gets here.

mod chart;
mod escape;
mod legend;
mod metric;
mod page;
mod scale;
mod story;
mod style;
mod thin;
mod traffic;

pub use page::explanation;
