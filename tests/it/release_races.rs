//! Twenty clones that release at once: every digest is one version, numbers follow one another, nobody keeps a tag that the
//! origin does not have. That they race is no chance: they wait for one another at the moment that counts.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};

use tagship_testkit::{Repository, fixtures};

use crate::{
    hosted::Hosted,
    meeting::Meeting,
    workbench::{CONFIG, Workbench, tagship},
};

/// So many run at once.
const RUNS: usize = 20;
const VARIANTS: [&str; 4] = ["v1", "v2", "v3", "v4"];

/// A clone with a variant of the model committed, validated and gated: one step away from its release.
fn ready(origin: &Repository, variant: &str) -> Repository {
    let clone = Repository::clone_of(origin);
    for (from, to) in [
        ("model.onnx", "models/churn/model.onnx"),
        ("golden.json", "models/churn/golden.json"),
        ("metrics.json", "reports/metrics.json"),
        ("predictions.csv", "reports/predictions.csv"),
        ("reports/junit.xml", "reports/junit.xml"),
    ] {
        clone.write(to, fixtures::bytes(&format!("models/churn/{variant}/{from}")));
    }
    if !clone.git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        clone.commit(&format!("Train {variant}"));
    }
    for verb in ["validate", "gate"] {
        tagship(clone.path(), &[verb]).run().assert_code(0);
    }
    clone
}

/// Every version with the digest and the commit that its tag names.
fn versions(origin: &Repository) -> BTreeMap<String, (String, String)> {
    let format = "--format=%(refname:strip=2)%09%(contents:trailers:key=Tagship-Digest,valueonly,separator=)%09%(*objectname)";
    let listed = origin.git(&["tag", "--list", "churn@*", "--sort=version:refname", format]);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        (cells[0].to_owned(), (cells[1].to_owned(), cells[2].to_owned()))
    };
    listed.lines().map(row).collect()
}

/// A repository whose clones share a store.
fn sharing() -> Workbench {
    let bench = Workbench::new();
    let store = bench.origin.path().join("store").display().to_string();
    let config = CONFIG.replace(
        "    environments:",
        &format!("    release: {{ store: {{ file: {{ path: {store:?} }} }} }}\n    environments:"),
    );
    bench.clone.write("tagship.yml", config);
    bench.push("Share a store");
    bench
}

/// What must be true of any race, whoever was faster.
fn assert_sound(origin: &Repository, clones: &[Repository], digests: usize) {
    let versions = versions(origin);
    let different: BTreeSet<&String> = versions.values().map(|(digest, _)| digest).collect();
    let commits: BTreeSet<&String> = versions.values().map(|(_, commit)| commit).collect();
    assert_eq!(
        (versions.len(), different.len()),
        (digests, digests),
        "one version per digest: {versions:#?}"
    );
    assert_eq!(commits.len(), digests, "two versions never share a commit: {versions:#?}");
    let expected: Vec<String> = (1..=digests).map(|number| format!("churn@v0.{number}.0")).collect();
    assert_eq!(
        versions.keys().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>(),
        "one after the other"
    );
    let there: BTreeSet<String> = origin
        .git(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"])
        .lines()
        .map(str::to_owned)
        .collect();
    for clone in clones {
        for here in clone.git(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"]).lines() {
            assert!(there.contains(here), "{} keeps {here}, which nobody else has", clone.path().display());
        }
    }
}

#[test]
fn twenty_clones_release_at_once_to_a_bare_remote() {
    let bench = sharing();
    let clones: Vec<Repository> =
        (0..RUNS).map(|at| ready(&bench.origin, VARIANTS[at % VARIANTS.len()])).collect();
    let meeting = Meeting::new();
    let running: Vec<_> =
        clones.iter().map(|clone| meeting.before(tagship(clone.path(), &["release"])).start()).collect();
    meeting.hold(RUNS, || assert_eq!(versions(&bench.origin).len(), 0, "none has tagged yet"));
    for run in running {
        run.wait().assert_code(0);
    }
    assert_sound(&bench.origin, &clones, VARIANTS.len());
    let doctor = tagship(clones[0].path(), &["registry", "doctor", "--repair", "--yes"]).run();
    doctor.assert_code(0);
    for version in versions(&bench.origin).keys() {
        tagship(clones[0].path(), &["pull", version]).run().assert_code(0);
    }
}

#[test]
fn twenty_runs_release_at_once_on_a_host() {
    let hosted = Hosted::of(Workbench::new());
    let origin = &hosted.bench.origin;
    let clones: Vec<Repository> = (0..RUNS).map(|at| ready(origin, VARIANTS[at % VARIANTS.len()])).collect();
    for (at, clone) in clones.iter().enumerate() {
        // A host tags what it has.
        clone.git(&["push", "--quiet", "origin", &format!("HEAD:refs/heads/train-{at}")]);
    }
    // Every run looks for the bytes first.
    hosted.github.arrange_meeting("GET", "/releases", RUNS);
    let running: Vec<_> = clones
        .iter()
        .enumerate()
        .map(|(at, clone)| {
            let directory = clone.path().join(".tagship/run");
            std::fs::create_dir_all(directory.join("temp")).unwrap();
            std::fs::write(directory.join("event.json"), "{}").unwrap();
            // Both verbs before it left their reports where a run outside of a workflow looks for them.
            let job = clone.path().join(".tagship/job");
            std::fs::rename(&job, directory.join("temp/tagship")).unwrap();
            hosted
                .surround(tagship(clone.path(), &["release"]), 1 + at, "workflow_dispatch", &directory)
                .start()
        })
        .collect();
    for run in running {
        run.wait().assert_code(0);
    }
    assert!(hosted.github.have_met(), "all of them ran at once");
    assert_sound(origin, &[], VARIANTS.len());
    let mut released: Vec<String> = hosted.github.world(|world| {
        let drafts: Vec<_> = world.releases.iter().filter(|release| release["draft"] == true).collect();
        assert!(drafts.is_empty(), "no draft is left: {drafts:#?}");
        world
            .releases
            .iter()
            .map(|release| release["tag_name"].as_str().unwrap_or_default().to_owned())
            .collect()
    });
    released.sort();
    assert_eq!(released, versions(origin).into_keys().collect::<Vec<_>>(), "every version is shown once");
}

/// A clone with the second model, whose configuration raises a part of its own.
fn raising(origin: &Repository, part: &str) -> Repository {
    let clone = ready(origin, "v2");
    let config = std::fs::read_to_string(clone.path().join("tagship.yml")).unwrap();
    clone.write("tagship.yml", config.replace("release: {", &format!("release: {{ bump: {part},")));
    clone
}

#[test]
fn one_digest_is_one_version_though_clones_are_stale_and_raise_different_parts() {
    let bench = sharing();
    tagship(ready(&bench.origin, "v1").path(), &["release"]).run().assert_code(0);
    let clones = ["minor", "patch", "major"].map(|part| raising(&bench.origin, part));
    // None of them sees what the one before it has made.
    for clone in &clones {
        tagship(clone.path(), &["release"]).run().assert_code(0);
    }
    let found = versions(&bench.origin);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["churn@v0.1.0", "churn@v0.2.0"], "{found:#?}");
}

#[test]
fn one_digest_is_one_version_though_runs_that_raise_different_parts_push_at_once() {
    let bench = sharing();
    tagship(ready(&bench.origin, "v1").path(), &["release"]).run().assert_code(0);
    let clones = ["minor", "patch", "major"].map(|part| raising(&bench.origin, part));
    let meeting = Meeting::new();
    let running = clones.each_ref().map(|clone| meeting.before(tagship(clone.path(), &["release"])).start());
    meeting.hold(clones.len(), || assert_eq!(versions(&bench.origin).len(), 1, "none has tagged yet"));
    for run in running {
        run.wait().assert_code(0);
    }
    let found = versions(&bench.origin);
    assert_eq!(found.len(), 2, "the second model is one version, whichever: {found:#?}");
}
