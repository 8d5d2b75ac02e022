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
const HASTE: u64 = 100;
/// The variable that says by how many seconds the clock is ahead, or behind where it is negative.
const AHEAD: &str = "HASTY_AHEAD";

/// The machine's clock, off by a constant, and by the waits that were cut short.
struct HastyClock {
    /// Milliseconds.
    ahead: i64,
    /// Milliseconds that were waited for and did not pass.
    leapt: AtomicU64,
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        let leapt = i64::try_from(self.leapt.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let now = SystemClock.now().as_millis().saturating_add(self.ahead).saturating_add(leapt);
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

#[allow(clippy::disallowed_methods, reason = "the one setting of a program for tests")]
fn main() -> ExitCode {
    let ahead = std::env::var(AHEAD).unwrap_or_else(|_| "0".to_owned());
    match ahead.parse::<i64>() {
        Ok(ahead) => {
            let clock = HastyClock { ahead: ahead.saturating_mul(1000), leapt: AtomicU64::new(0) };
            tagship::run_by(Cli::read(), Arc::new(clock))
        }
        Err(error) => tagship::run(Err(Failure::usage(format!("read {AHEAD}={ahead}: {error}")))),
    }
}
