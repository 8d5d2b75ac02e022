//! Asks a Prometheus every ready-made query, as an analysis does, and writes what was counted as JSON. A tool of tests; it is
//! not shipped.
//!
//! usage: `ready_queries ADDRESS NAMESPACE BACKEND`

use std::{error::Error, io::Write as _, path::Path, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, json};
use tagship_adapters::{
    SystemClock,
    metric_sources::{READY_QUERIES, open_own},
};
use tagship_config::AdapterSpec;
use tagship_domain::{Timestamp, Version, analysis::MetricKind};
use tagship_ports::{Backend, Backends, Clock as _, OwnSource, PortError};

struct One(Backend);

#[async_trait]
impl Backends for One {
    async fn backend(&self, _: &Version, _: Timestamp) -> Result<Backend, PortError> {
        Ok(self.0.clone())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, namespace, name] = words.as_slice() else { return Err("ADDRESS NAMESPACE BACKEND".into()) };
    let backends: Arc<dyn Backends> =
        Arc::new(One(Backend { namespace: namespace.clone(), name: name.clone() }));
    let (version, mut said) = ("v1.0.0".parse()?, Map::new());
    for set in READY_QUERIES {
        for kind in [MetricKind::ErrorRatio, MetricKind::Latency].into_iter().filter(|kind| set.fits(*kind)) {
            let settings =
                json!({ "url": url, "queries": set.name }).as_object().cloned().unwrap_or_default();
            let spec = AdapterSpec { settings, ..AdapterSpec::of_kind("prometheus") };
            let source = open_own(&spec, kind, Path::new("."), &|_| None, Some(Arc::clone(&backends)))?;
            let OwnSource::Tally(source) = source else { return Err("it counts nothing".into()) };
            let counted = source.tally(&version, SystemClock.now()).await;
            let counted = counted.map_or_else(
                |error| json!(error.to_string()),
                |tally| match kind {
                    MetricKind::Latency => json!(tally.all_durations()),
                    _ => json!([tally.all_bad(), tally.all()]),
                },
            );
            said.insert(format!("{} {}", set.name, kind.as_str()), counted);
        }
    }
    writeln!(std::io::stdout(), "{}", json!(said))?;
    Ok(())
}
