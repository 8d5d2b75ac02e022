//! What people would have been told.

use std::sync::Mutex;

use async_trait::async_trait;
use tagship_domain::notice::Notice;

use super::{Faults, lock::held};
use crate::{Notifier, PortError};

/// Remembers what was sent.
#[derive(Debug, Default)]
pub struct FakeNotifier {
    /// What goes wrong in `notify`.
    pub faults: Faults,
    sent: Mutex<Vec<Notice>>,
}

impl FakeNotifier {
    /// Everything that was sent, oldest first.
    pub fn sent(&self) -> Vec<Notice> {
        held(&self.sent).clone()
    }
}

#[async_trait]
impl Notifier for FakeNotifier {
    async fn notify(&self, notice: &Notice) -> Result<(), PortError> {
        let send = || {
            held(&self.sent).push(notice.clone());
            Ok(())
        };
        self.faults.around("notify", send).await
    }
}
