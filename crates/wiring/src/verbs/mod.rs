//! One file per verb.

pub(crate) mod backtest;
pub(crate) mod chain;
pub(crate) mod command;
pub(crate) mod comment;
pub(crate) mod decide;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod gate;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod monitor;
pub(crate) mod plan;
pub(crate) mod pull;
pub(crate) mod registry;
pub(crate) mod release;
pub(crate) mod rollback;
pub(crate) mod rollout;
mod rollout_all;
pub(crate) mod run;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod validate;
pub(crate) mod verify;

use tagship_domain::Exit;

use crate::Answer;

/// `tagship schema`.
pub(crate) fn schema() -> Answer {
    let schema = format!("{:#}\n", tagship_config::config_schema());
    Answer::plain(Exit::Done, "printed", "done", schema.clone(), schema)
}
