//! The target on the played API and the played controller: the port's suite, the steps of the way back, and what is refused.

mod address;
mod conformance;
mod dying;
mod first;
mod journeys;
mod refusals;
mod rights;
mod settings;
mod stage;
mod standard;
mod traffic;
mod view;
