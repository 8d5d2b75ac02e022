//! What every clock must do.

use tagship_domain::Duration;

use crate::Clock;

/// Time does not run backwards, and a sleep takes at least its length.
pub async fn clock(clock: &dyn Clock) {
    let length = Duration::from_millis(20);
    let before = clock.now();
    assert!(clock.now() >= before, "time ran backwards");
    clock.sleep(length).await;
    let slept = clock.now().since(before);
    assert!(slept >= length, "a sleep of {length} took {slept}");
}
