//! The target on the played API: the port's suite, what it writes and what it does not, and everything that may go wrong.

mod faults;
mod findings;
mod idle;
mod journeys;
mod logins;
mod owners;
mod rights;
mod settings;
mod stage;
mod traffic;
