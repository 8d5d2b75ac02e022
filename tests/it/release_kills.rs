//! `kill -9` of a release on a host at every request: before it arrives, and after it was served. The next run ends where an
//! undisturbed one ends: one published release with the right bytes, no draft, one tag.
#![cfg(unix)]

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
};

use serde_json::Value;
use tagship_testkit::{Cli, Output, github::Fault};

use crate::{
    hosted::Hosted,
    workbench::{Workbench, tagship},
};

/// A model that waits for its release on a host.
struct Ready {
    hosted: Hosted,
    runs: usize,
}

/// Files of a release by name and content.
type Assets = Vec<(String, u64)>;

/// What others see of a release: the release with its files by name and content, and the references.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    releases: Vec<(String, bool, Assets)>,
    references: Vec<String>,
}

impl Ready {
    fn new(immutable: bool) -> Self {
        let hosted = Hosted::of(Workbench::new());
        hosted.github.world(|world| world.immutable_releases = immutable);
        for verb in ["validate", "gate"] {
            hosted.bench.run(&[verb]).assert_code(0);
        }
        Self { hosted, runs: 0 }
    }

    /// A run of `release`, ready to start.
    fn release(&mut self) -> Cli {
        self.verb(&["release"])
    }

    /// A run of a verb, ready to start. The job's documents lie where the steps of a job leave them.
    fn verb(&mut self, words: &[&str]) -> Cli {
        self.runs += 1;
        let clone = self.hosted.bench.clone.path();
        let directory = clone.join(format!(".tagship/run-{}", self.runs));
        let temp = directory.join("temp/tagship");
        fs::create_dir_all(&temp).unwrap();
        fs::write(directory.join("event.json"), "{}").unwrap();
        for document in fs::read_dir(clone.join(".tagship/job")).unwrap() {
            let from: PathBuf = document.unwrap().path();
            fs::copy(&from, temp.join(from.file_name().unwrap())).unwrap();
        }
        let cli = tagship(clone, words);
        self.hosted.surround(cli, self.runs, "workflow_dispatch", &directory)
    }

    /// Fetches the release, which reads every byte of it against its digest.
    fn pull(&self) -> Output {
        let clone = self.hosted.bench.clone.path();
        let pulled = tagship(clone, &["pull", "churn@v0.1.0", "--output", ".tagship/pulled"]);
        let directory = clone.join(".tagship/run-1");
        self.hosted.surround(pulled, self.runs, "workflow_dispatch", &directory).run()
    }

    fn seen(&self) -> Seen {
        let files = |release: &Value, bytes: &dyn Fn(u64) -> Vec<u8>| {
            let mut files: Assets = release["assets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|asset| {
                    let bytes = bytes(asset["id"].as_u64().unwrap());
                    (asset["name"].as_str().unwrap().to_owned(), print_of(&bytes))
                })
                .collect();
            files.sort();
            files
        };
        let releases = self.hosted.github.world(|world| {
            let seen = |release: &Value| {
                let tag = release["tag_name"].as_str().unwrap().to_owned();
                (tag, release["draft"] == true, files(release, &|id| world.asset_bytes[&id].clone()))
            };
            world.releases.iter().map(seen).collect()
        });
        Seen { releases, references: self.hosted.bench.published() }
    }

    /// Every name and content that does not depend on when and by which run it was released.
    fn settled(mut seen: Seen) -> Seen {
        let by_the_run = ["tagship.manifest", "bytes-"];
        for (_, _, files) in &mut seen.releases {
            for (name, print) in files.iter_mut() {
                if let Some(plain) = by_the_run.iter().find(|plain| name.starts_with(**plain)) {
                    (*name, *print) = ((*plain).to_owned(), 0);
                }
            }
        }
        seen
    }
}

/// Tells contents apart.
fn print_of(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn a_release_survives_a_kill_at_every_request() {
    let mut calm = Ready::new(false);
    calm.release().run().assert_code(0);
    let requests = calm.hosted.github.requests();
    let expected = Ready::settled(calm.seen());
    let [(tag, draft, files)] = expected.releases.as_slice() else { panic!("{expected:?}") };
    assert_eq!((tag.as_str(), *draft), ("churn@v0.1.0", false));
    assert!(files.len() > 5, "model, cases, predictions, documents, manifest: {files:?}");
    for (at, request) in requests.iter().enumerate() {
        // What was served before a run died can't be taken back where releases are immutable.
        for (fault, immutable) in [(Fault::KillBefore, false), (Fault::KillAfter, true)] {
            let point = format!("{fault:?} {at}: {request}");
            let mut ready = Ready::new(immutable);
            ready.hosted.github.kill_at(at, fault);
            let running = ready.release().start();
            ready.hosted.github.point_at(running.id());
            assert_eq!(running.wait().code, -1, "{point} was reached");
            ready.release().run().assert_code(0);
            assert_eq!(Ready::settled(ready.seen()), expected, "{point}");
            ready.pull().assert_code(0);
        }
    }
}

#[test]
fn the_draft_of_a_release_that_was_given_up_is_removed_once_nothing_needs_it() {
    let mut ready = Ready::new(false);
    ready.release().run().assert_code(0);
    ready.hosted.bench.put("v2");
    ready.hosted.bench.push("Bring another model");
    for verb in ["validate", "gate"] {
        ready.hosted.bench.run(&[verb]).assert_code(0);
    }
    ready.hosted.github.fail_always("POST", "name=tagship.manifest", Fault::Forbidden("contents=write"));
    ready.release().run().assert_code(2);
    ready.hosted.github.recover();
    let drafts = |ready: &Ready| ready.seen().releases.iter().filter(|(_, draft, _)| *draft).count();
    let published = |ready: &Ready| ready.seen().releases.into_iter().find(|(_, draft, _)| !draft);
    let before = published(&ready);
    assert_eq!((drafts(&ready), before.is_some()), (1, true));

    let young = ready.verb(&["registry", "gc"]).run();
    assert!(young.assert_code(0).stdout.contains("nothing"), "{}", young.stdout);
    let leased = ready.verb(&["registry", "gc", "--grace", "0s"]).run();
    assert!(leased.assert_code(0).stdout.contains("1 more stay"), "{}", leased.stdout);
    assert_eq!(drafts(&ready), 1);

    // As hours later: nobody needs the bytes any more.
    for repository in [&ready.hosted.bench.origin, &ready.hosted.bench.clone] {
        repository.git(&["update-ref", "-d", "refs/tagship/leases"]);
    }
    let listed = ready.verb(&["registry", "gc", "--grace", "0s", "--dry-run"]).run();
    assert!(listed.assert_code(0).stdout.contains("1 unfinished uploads"), "{}", listed.stdout);
    assert_eq!(drafts(&ready), 1);
    ready.verb(&["registry", "gc", "--grace", "0s"]).run().assert_code(0);
    assert_eq!((drafts(&ready), published(&ready)), (0, before));
    ready.pull().assert_code(0);
    // What was taken away is made again by whoever releases these bytes.
    ready.release().run().assert_code(0);
    assert_eq!((drafts(&ready), ready.seen().releases.len()), (0, 2));
}
