//! Black-box tests over the programs. One binary: every file here is a module of it, which a test checks.

mod bad_input;
mod demo;
mod journey;
mod structure;
mod workbench;
