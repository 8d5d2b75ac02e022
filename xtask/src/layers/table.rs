//! Which crate is in which layer, and the words and calls that pure layers are free of.

/// The crates that ship, with their layer. A crate may depend on crates of lower layers only.
pub(super) const LAYERS: &[(&str, u8)] = &[
    ("tagship-domain", 0),
    ("tagship-artifact", 1),
    ("tagship-config", 1),
    ("tagship-expr", 1),
    ("tagship-ports", 1),
    ("tagship-registry", 1),
    ("tagship-stats", 1),
    ("tagship-decide", 2),
    ("tagship-gate", 2),
    ("tagship-monitor", 2),
    ("tagship-release", 2),
    ("tagship-report", 2),
    ("tagship-rollout", 2),
    ("tagship-adapters", 3),
    ("tagship-export", 3),
    ("tagship-git", 3),
    ("tagship-github", 3),
    ("tagship-import", 3),
    ("tagship-kube", 3),
    ("tagship-runner", 3),
    ("tagship-serve", 3),
    ("tagship-wiring", 4),
    ("tagship", 5),
];

/// Crates for development: nothing that ships depends on them, and they may depend on anything.
pub(super) const DEVELOPMENT: &[&str] = &["tagship-testkit", "xtask"];

/// The layer of a crate that ships.
pub(super) fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(listed, _)| *listed == name).map(|(_, layer)| *layer)
}

/// Whether a crate ships or is for development.
pub(super) fn is_known(name: &str) -> bool {
    layer(name).is_some() || DEVELOPMENT.contains(&name)
}

/// The highest layer of pure logic.
pub(super) const PURE: u8 = 2;

/// Hosts, products and services that only adapters know.
pub(super) const VENDORS: &[&str] = &[
    "amazon",
    "argo",
    "aws",
    "azure",
    "bitbucket",
    "datadog",
    "docker",
    "gcp",
    "gcs",
    "gitea",
    "github",
    "gitlab",
    "huggingface",
    "istio",
    "jenkins",
    "kserve",
    "kubernetes",
    "mlflow",
    "mlserver",
    "octocrab",
    "pagerduty",
    "prometheus",
    "s3",
    "sagemaker",
    "seldon",
    "slack",
    "triton",
];

/// Ways to the outside that only adapters take.
pub(super) const OUTSIDE: &[&str] = &[
    "Command::new",
    "File::create",
    "File::open",
    "Instant::now",
    "SystemTime::now",
    "TcpListener",
    "TcpStream",
    "Timestamp::now",
    "env::var",
    "env::vars",
    "fs::create_dir_all",
    "fs::read",
    "fs::read_dir",
    "fs::read_to_string",
    "fs::symlink_metadata",
    "fs::write",
    "println!",
    "thread::sleep",
];

/// Places that break one of the two lists above for a reason: path prefix, word, reason.
pub(super) const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("crates/artifact/src/disk.rs", "File::open", "the one place where artifacts are opened"),
    ("crates/artifact/src/disk.rs", "fs::read_dir", "the one place where artifacts are opened"),
    ("crates/artifact/src/disk.rs", "fs::symlink_metadata", "the one place where artifacts are opened"),
    (
        "crates/artifact/src/format.rs",
        "github",
        "the first line of a Git LFS pointer names its specification",
    ),
    (
        "crates/artifact/src/mlmodel.rs",
        "mlflow",
        "the format is named after what writes it, and so are its loaders",
    ),
    ("crates/ports/src/conformance/", "", "suites for tests; ports that speak of paths need files"),
    ("crates/ports/src/fake/", "", "for tests; ports that speak of paths need files"),
];
