//! Stands in where the client was not built in.

use std::{convert::Infallible, path::Path};

/// No connection: there is none.
#[derive(Debug)]
pub(super) struct Link(Infallible);

impl Link {
    pub(super) fn open(kubeconfig: &Path) -> Self {
        let place = kubeconfig.display();
        panic!("tests on the API server of {place} need the feature `real` of tagship-testkit");
    }

    pub(super) fn ask(
        &self,
        _method: &str,
        _target: &str,
        _headers: &[(&str, String)],
        _body: Vec<u8>,
    ) -> (u16, Vec<u8>) {
        match self.0 {}
    }
}
