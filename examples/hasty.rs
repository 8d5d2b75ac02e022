//! The program `tagship` by a clock that runs a hundred times as fast, so that tests need not wait as long as a host asks
//! for. Nothing else differs; it is not shipped.

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use tagship_adapters::SystemClock;
use tagship_domain::{Duration, Timestamp};
use tagship_ports::Clock;
use tagship_runner::args::{Cli, Read as _, Verb};

/// How many seconds pass in one.
const HASTE: u32 = 100;

/// A clock that has run this fast since the program began.
struct HastyClock {
    began: Timestamp,
}

#[async_trait]
impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().since(self.began).std() * HASTE;
        self.began.after(Duration::from_millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)))
    }

    async fn sleep(&self, length: Duration) {
        // A millisecond is the shortest that is slept.
        let millis = length.std().as_millis().div_ceil(u128::from(HASTE));
        SystemClock.sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))).await;
    }
}

fn main() -> ExitCode {
    let cli = Cli::read();
    match cli.map(|cli| cli.verb) {
        Ok(Verb::Run(args)) => {
            tagship_wiring::pipeline(Ok(args), Arc::new(HastyClock { began: SystemClock.now() }))
        }
        Ok(verb) => tagship::run(Ok(Cli { verb })),
        Err(failure) => tagship::run(Err(failure)),
    }
}
