//! A progress bar for work that takes long, on a terminal only. Short work shows none.

use std::{fmt, io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work below this many bytes is done before anyone could read a bar.
const WORTH_SHOWING: u64 = 64 << 20;

/// How far a long read has come.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar over `total` bytes on standard error; invisible for little work and where no terminal shows it.
    pub fn bytes(what: &str, total: u64) -> Self {
        if total < WORTH_SHOWING || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template("{msg} {bar:24} {bytes}/{total_bytes} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// So many more bytes are done.
    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("done", &self.0.position()).finish_non_exhaustive()
    }
}
