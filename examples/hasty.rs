//! The program `tagship` by a clock that leaps over waits, so that tests need not wait as long as a host or a plan asks for,
//! and that may be wrong by hours. Nothing else differs; it is not shipped.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tagship_adapters::SystemClock;
use tagship_domain::{Duration, Timestamp};
use tagship_ports::Clock;
use tagship_runner::{
    Failure,
    args::{Cli, Read as _},
};

/// How many times as long as it really slept a wait lasts by this clock.
const HASTE: u64 = 1000;
/// The variable that says by how many seconds the clock is ahead, or behind where it is negative.
const AHEAD: &str = "HASTY_AHEAD";

/// The variable that says when the clock is set while the program runs, as `READINGS:SECONDS`: after so many readings it is
/// so far ahead, or behind where that is negative. Empty where it is not.
const SETTING: &str = "HASTY_SETTING";

/// The machine's clock, off by a constant, and by the waits that were cut short.
struct HastyClock {
    /// Milliseconds.
    ahead: i64,
    /// Milliseconds that were waited for and did not pass.
    leapt: AtomicU64,
    /// After how many readings it is set, and by how many milliseconds.
    setting: (u64, i64),
    readings: AtomicU64,
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        let leapt = i64::try_from(self.leapt.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let (after, by) = self.setting;
        let set = if self.readings.fetch_add(1, Ordering::Relaxed) < after { 0 } else { by };
        let ahead = self.ahead.saturating_add(set);
        let now = SystemClock.now().as_millis().saturating_add(ahead).saturating_add(leapt);
        Timestamp::from_millis(now).unwrap_or(Timestamp::LATEST)
    }

    async fn sleep(&self, length: Duration) {
        let millis = u64::try_from(length.std().as_millis()).unwrap_or(u64::MAX);
        // A millisecond is the shortest that is slept.
        let slept = millis.div_ceil(HASTE);
        SystemClock.sleep(Duration::from_millis(slept)).await;
        self.leapt.fetch_add(millis.saturating_sub(slept), Ordering::Relaxed);
    }
}

impl HastyClock {
    #[allow(clippy::disallowed_methods, reason = "the settings of a program for tests")]
    fn from_environment() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name: &str, text: &str| {
            text.parse::<i64>().map_err(|error| format!("read {name}={text}: {error}"))
        };
        let ahead = number(AHEAD, variable(AHEAD).as_deref().unwrap_or("0"))?.saturating_mul(1000);
        let setting = variable(SETTING).unwrap_or_else(|| "0:0".to_owned());
        let (after, by) =
            setting.split_once(':').ok_or_else(|| format!("read {SETTING}={setting}: no colon"))?;
        let after = number(SETTING, after)?.unsigned_abs();
        let setting = (after, number(SETTING, by)?.saturating_mul(1000));
        Ok(Self { ahead, leapt: AtomicU64::new(0), setting, readings: AtomicU64::new(0) })
    }
}

fn main() -> ExitCode {
    match HastyClock::from_environment() {
        Ok(clock) => tagship::run_by(Cli::read(), Arc::new(clock)),
        Err(error) => tagship::run(Err(Failure::usage(error))),
    }
}
