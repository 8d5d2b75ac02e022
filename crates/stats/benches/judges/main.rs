//! What the judges do on simulated rollouts, next to the rules of other tools on the same looks, and whether the
//! goals are met. `cargo bench -p tagship-stats --bench judges -- [ROLLOUTS]`; 2,000 rollouts a cell by default.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints a table")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "simulated counts are small"
)]

mod detection;
mod goals;
mod other_kinds;
mod promotion;
mod rules;
mod safety;
mod speed;
mod traffic;

use goals::Goals;

fn main() {
    let rollouts = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(2_000);
    println!("{rollouts} simulated rollouts a cell, alpha 0.05, seeds fixed\n");
    let mut goals = Goals::default();
    detection::run(rollouts, &mut goals);
    promotion::run(rollouts, &mut goals);
    other_kinds::run(rollouts, &mut goals);
    speed::run(&mut goals);
    safety::run(rollouts, &mut goals);
    goals.print();
}
