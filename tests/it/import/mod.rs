//! `tagship import`: specifications of other systems become configurations whose verdicts are those of the other system,
//! or a note says why not.

mod argo;
mod cli;
mod flagger;
mod looks;
mod sources;
mod specs;
mod walk;
