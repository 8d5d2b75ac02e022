//! A repository with the demo's configuration and real fixture models, and a model server beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tagship_testkit::{Cli, Output, Repository, Running, fixtures};

/// The configuration that every test starts from.
pub(crate) const CONFIG: &str = r#"version: 1
models:
  churn:
    artifact: models/churn/model.onnx
    reports:
      junit: ["reports/*.xml"]
      metrics: reports/metrics.json
      predictions: reports/predictions.csv
    validate:
      formats: [onnx]
      golden: { cases: models/churn/golden.json, tolerance: 1e-4 }
    gate:
      rules:
        - { name: accuracy floor, expr: metrics.accuracy >= 0.90 }
        - { name: no regression, expr: metrics.f1 >= stable.metrics.f1 - 0.01 }
      compare: { test: mcnemar, margin: 0.03 }
    environments:
      production:
        target: { local: { url: "http://INFERENCE", admin-url: "http://ADMIN", token-env: TOKEN } }
"#;

/// The program that people run.
pub(crate) const TAGSHIP: &str = env!("CARGO_BIN_EXE_tagship");

/// What the server and its clients share.
pub(crate) const TOKEN: &str = "a-token-of-the-black-box-tests";

/// A clone of a bare origin, ready to be worked in.
pub(crate) struct Workbench {
    pub(crate) origin: Repository,
    pub(crate) clone: Repository,
    servers: Vec<Running>,
    /// What runs the verbs.
    pub(crate) program: PathBuf,
    /// Addresses of the inference and the control interface.
    pub(crate) addresses: [String; 2],
}

impl Workbench {
    /// A repository with version v1 of the churn model committed and pushed, and no server.
    pub(crate) fn new() -> Self {
        let origin = Repository::bare();
        let clone = Repository::clone_of(&origin);
        clone.write(".gitignore", ".tagship/\n");
        clone
            .write("tagship.yml", CONFIG.replace("INFERENCE", "127.0.0.1:9").replace("ADMIN", "127.0.0.1:9"));
        let bench =
            Self { origin, clone, servers: vec![], program: TAGSHIP.into(), addresses: Default::default() };
        bench.put("v1");
        bench.push("Add v1");
        bench
    }

    /// The same with a running server.
    pub(crate) fn with_server() -> Self {
        let mut bench = Self::new();
        bench.addresses = bench.serve("serve");
        let [inference, admin] = &bench.addresses;
        let config = CONFIG.replace("INFERENCE", inference).replace("ADMIN", admin);
        bench.clone.write("tagship.yml", config);
        bench.push("Name the server");
        bench
    }

    /// Ends every server; what they remember stays.
    pub(crate) fn stop_servers(&mut self) {
        self.servers.clear();
    }

    /// Starts a server with a state of its own; answers the addresses of its inference and control interface.
    pub(crate) fn serve(&mut self, name: &str) -> [String; 2] {
        let own = self.clone.path().join(".tagship");
        let addresses = own.join(format!("{name}.json"));
        fs::create_dir_all(&own).unwrap();
        // What an earlier one wrote is not where this one listens.
        let _ = fs::remove_file(&addresses);
        let mut serve = Cli::new(env!("CARGO_BIN_EXE_tagship-serve")).env("TAGSHIP_SERVE_TOKEN", TOKEN);
        serve = serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        let state = own.join(name);
        self.servers.push(serve.arg("--state").arg(state).arg("--addresses-file").arg(&addresses).start());
        let bound: serde_json::Value = serde_json::from_str(&appears(&addresses)).unwrap();
        ["inference", "admin"].map(|plane| bound[plane].as_str().unwrap().to_owned())
    }

    /// Puts a variant of the fixture model with its reports into the working tree.
    pub(crate) fn put(&self, variant: &str) {
        let from = |name: &str| fixtures::bytes(&format!("models/churn/{variant}/{name}"));
        self.clone.write("models/churn/model.onnx", from("model.onnx"));
        self.clone.write("models/churn/golden.json", from("golden.json"));
        self.clone.write("reports/metrics.json", from("metrics.json"));
        self.clone.write("reports/predictions.csv", from("predictions.csv"));
        self.clone.write("reports/junit.xml", from("reports/junit.xml"));
    }

    /// Commits everything and pushes it.
    pub(crate) fn push(&self, message: &str) {
        self.clone.commit(message);
        self.clone.git(&["push", "--quiet", "origin", "HEAD:main"]);
    }

    /// Runs a verb in the clone.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.cli(arguments).run()
    }

    /// A verb, ready to run in the clone.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Cli {
        by(&self.program, self.clone.path(), arguments).env("TOKEN", TOKEN)
    }

    /// `tagship run` about a push of the checkout.
    pub(crate) fn run_push(&self) -> Output {
        self.run_push_with(|cli| cli)
    }

    /// The same, with something changed about the program before it starts.
    pub(crate) fn run_push_with(&self, change: impl FnOnce(Cli) -> Cli) -> Output {
        let head = self.clone.git(&["rev-parse", "HEAD"]);
        let payload = format!(
            r#"{{"ref":"refs/heads/main","after":"{head}","repository":{{"default_branch":"main"}}}}"#
        );
        let path = self.clone.write(".tagship/push.json", payload).display().to_string();
        change(self.cli(&["run", "--event-name", "push", "--event-path", &path])).run()
    }

    /// What the registry says production holds.
    pub(crate) fn production(&self) -> Option<String> {
        let shown = self.run(&["registry", "show", "--format", "json"]);
        let registry: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        registry["churn"]["stage"]["production"].as_str().map(str::to_owned)
    }

    /// Tags and journals of the origin, which is what other machines see.
    pub(crate) fn published(&self) -> Vec<String> {
        let refs = self.origin.references();
        refs.into_iter()
            .filter(|name| name.contains("refs/tags/") || name.contains("refs/tagship/"))
            // Who is about to refer to which bytes: nothing that anybody could take for a release.
            .filter(|name| !name.ends_with("refs/tagship/leases"))
            .collect()
    }
}

/// A verb, ready to run in a directory.
pub(crate) fn tagship(directory: &Path, arguments: &[&str]) -> Cli {
    by(TAGSHIP.as_ref(), directory, arguments)
}

fn by(program: &Path, directory: &Path, arguments: &[&str]) -> Cli {
    Cli::new(program).args(arguments).current_dir(directory)
}

/// The content of a file that another process is about to write.
#[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
pub(crate) fn appears(path: &Path) -> String {
    for _ in 0..600 {
        match fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return text,
            _ => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    }
    panic!("{} did not appear", path.display());
}
