//! Watching what serves: from tables and metric sources, over the logic of monitoring, to documents.

pub(crate) mod drift;
pub(crate) mod exported;
pub(crate) mod known;
pub(crate) mod leaving;
pub(crate) mod quality;
pub(crate) mod shown;
pub(crate) mod slo;
pub(crate) mod streams;
pub(crate) mod telling;
