//! A released model, a played Kubernetes API and a kubeconfig that leads there.

use std::path::PathBuf;

use tagship_testkit::{
    Output,
    cluster::{FakeCluster, actors::Actor},
};

use crate::workbench::{CONFIG, Workbench};

/// Ticks within which every rollout here comes to rest.
pub(crate) const TICKS: usize = 60;

pub(crate) struct Stage {
    pub(crate) bench: Workbench,
    pub(crate) cluster: FakeCluster,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) actors: Vec<Box<dyn Actor>>,
}

impl Stage {
    /// Version v0.1.0 is released, with this target and the manifest that it names, and nothing serves.
    pub(crate) fn on(target: &str, manifest: &str, actors: Vec<Box<dyn Actor>>) -> Self {
        let bench = Workbench::new();
        let cluster = FakeCluster::start();
        let kubeconfig = bench.clone.write(".tagship/kubeconfig", cluster.kubeconfig());
        let local = CONFIG.lines().find(|line| line.contains("target:")).unwrap();
        let golden = CONFIG.lines().find(|line| line.contains("golden:")).unwrap();
        let config = CONFIG.replace(&format!("{golden}\n"), "").replace(
            local,
            &format!(
                "        target: {{ {target} }}\n        strategy: {{ canary: {{ steps: [ {{ set-weight: 25 }}, {{ pause: {{}} }} ] }} }}"
            ),
        );
        bench.clone.write("tagship.yml", config);
        bench.clone.write("deploy/churn.yaml", manifest);
        bench.push("Serve on a cluster");
        let stage = Self { bench, cluster, kubeconfig, actors };
        stage.release();
        stage
    }

    fn release(&self) {
        for verb in ["validate", "gate", "release"] {
            self.bench.run(&[verb]).assert_code(0);
        }
    }

    pub(crate) fn next(&self, variant: &str) {
        self.bench.put(variant);
        self.bench.push(variant);
        self.release();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.bench.cli(arguments).env("KUBECONFIG", &self.kubeconfig).run()
    }

    /// Ticks until the rollout ends or waits for a person; controllers act in between.
    pub(crate) fn lead(&mut self, first: &[&str]) -> Output {
        self.lead_through(first, |_| {})
    }

    /// The same, with something else that happens between ticks.
    pub(crate) fn lead_through(&mut self, first: &[&str], between: impl Fn(&FakeCluster)) -> Output {
        let mut done = self.run(first);
        for _ in 0..TICKS {
            if done.code != 6 {
                return done;
            }
            self.cluster.step(&mut self.actors);
            between(&self.cluster);
            done = self.run(&["rollout", "--once"]);
        }
        panic!("no end: {}{}", done.stdout, done.stderr);
    }
}
