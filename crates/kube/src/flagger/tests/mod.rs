//! Target `flagger` on a played cluster.

mod journeys;
mod orders;
mod rights;
mod stage;
mod truth;
