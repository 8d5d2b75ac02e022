//! The ports on real repositories: alone, with a remote, racing, shallow, broken.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tagship_domain::{CommitId, Redacted, Timestamp};
use tagship_ports::{
    Problem, Repo, StateStore,
    conformance::{self, RepoFixture},
    repo::NewTag,
    state_store::{AppendError, NewEntry},
};
use tempfile::TempDir;

use crate::GitRepo;

/// Runs git apart from the settings of whoever runs the tests.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(variable);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for person in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{person}_NAME"), "Ann")
            .env(format!("GIT_{person}_EMAIL"), "ann@example.org");
        command.env(format!("GIT_{person}_DATE"), "2026-01-02T03:04:05+02:00");
    }
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with two commits: an empty one, and one with `models/churn.bin`.
fn filled(directory: &Path) -> RepoFixture {
    git(directory, &["init", "--quiet", "--initial-branch=main"]);
    git(directory, &["commit", "--quiet", "--allow-empty", "--message", "first"]);
    fs::create_dir(directory.join("models")).unwrap();
    fs::write(directory.join("models/churn.bin"), b"weights\0").unwrap();
    git(directory, &["add", "models"]);
    git(directory, &["commit", "--quiet", "--message", "second"]);
    let id = |revision: &str| git(directory, &["rev-parse", revision]).parse::<CommitId>().unwrap();
    RepoFixture {
        first: id("HEAD~"),
        head: id("HEAD"),
        branch: "main".to_owned(),
        path: "models/churn.bin".to_owned(),
        content: b"weights\0".to_vec(),
    }
}

/// A bare origin and two clones of it.
struct Shared {
    directory: TempDir,
    fixture: RepoFixture,
}

impl Shared {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("one")).unwrap();
        let fixture = filled(&path.join("one"));
        git(path, &["clone", "--quiet", "--bare", "one", "origin"]);
        git(&path.join("one"), &["remote", "add", "origin", "../origin"]);
        git(path, &["clone", "--quiet", "origin", "other"]);
        Self { directory, fixture }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, name: &str) -> GitRepo {
        GitRepo::discover(&self.path(name)).unwrap()
    }

    fn git(&self, name: &str, arguments: &[&str]) -> String {
        git(&self.path(name), arguments)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + seconds).unwrap()
}

fn new_tag(name: &str, commit: &CommitId, message: &str) -> NewTag {
    NewTag { name: name.to_owned(), commit: commit.clone(), message: message.to_owned(), at: at(0) }
}

fn entry(text: &str) -> NewEntry {
    let files = [("state.json".to_owned(), text.as_bytes().to_vec())].into();
    NewEntry { message: text.to_owned(), files, at: at(0) }
}

#[tokio::test]
async fn a_repository_alone_keeps_the_promises_of_the_ports() {
    let directory = TempDir::new().unwrap();
    let fixture = filled(directory.path());
    let repo = GitRepo::discover(&directory.path().join("models")).unwrap();
    conformance::repo(&repo, &fixture).await;
    conformance::state_store(&repo).await;
    let other = GitRepo::discover(directory.path()).unwrap();
    conformance::racing_tags(&repo, &other, &fixture.head).await;
    conformance::racing_appends(&repo, &other).await;
    conformance::shortened_journals(&repo, &other).await;
    assert_eq!((repo.remote(), repo.default_branch().as_deref()), (None, Some("main")));
}

#[tokio::test]
async fn clones_of_one_remote_keep_the_promises_of_the_ports() {
    let shared = Shared::new();
    let (one, other) = (shared.open("one"), shared.open("other"));
    conformance::repo(&one, &shared.fixture).await;
    conformance::state_store(&one).await;
    conformance::racing_tags(&one, &other, &shared.fixture.head).await;
    conformance::racing_appends(&one, &other).await;
    conformance::shortened_journals(&one, &other).await;
    assert_eq!(
        shared.git("origin", &["tag", "--list"]),
        "churn#production#1\nchurn#production#2\nchurn@v1.0.0"
    );
    assert_eq!(other.default_branch().as_deref(), Some("main"));
}

#[tokio::test]
async fn of_runs_at_the_same_time_exactly_one_wins() {
    let shared = Shared::new();
    let alone = TempDir::new().unwrap();
    let fixture = filled(alone.path());
    let local = || GitRepo::discover(alone.path()).unwrap();
    let pairs = [(shared.open("one"), shared.open("other"), &shared.fixture), (local(), local(), &fixture)];
    for (one, other, fixture) in &pairs {
        let (mine, yours) = (entry("mine"), entry("yours"));
        let (a, b) = tokio::join!(one.append("race", None, &mine), other.append("race", None, &yours));
        let lost = if a.is_ok() { b } else { a.and(b) };
        assert!(matches!(lost, Err(AppendError::Lost { .. })), "{lost:?}");
        let winner = one.tip("race").await.unwrap();
        assert_eq!(winner, other.tip("race").await.unwrap());

        let tag = |words| new_tag("m#prod#1", &fixture.head, words);
        let (mine, yours) = (tag("mine"), tag("yours"));
        let (a, b) = tokio::join!(one.create_tag(&mine), other.create_tag(&yours));
        assert_eq!([&a, &b].iter().filter(|made| made.is_ok()).count(), 1, "{a:?} {b:?}");
        assert_eq!(a.or(b), Ok(()));
        assert_eq!(one.read_tags().unwrap(), other.read_tags().unwrap(), "both see the winner's tag");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_in_one_clone_do_not_trip_over_each_other() {
    const RUNS: usize = 4;
    const ENTRIES: usize = 6;
    let shared = Shared::new();
    let mut runs = tokio::task::JoinSet::new();
    for run in 0..RUNS {
        let repo = shared.open("one");
        runs.spawn(async move {
            let mut written = 0;
            while written < ENTRIES {
                let tip = repo.tip("busy").await.unwrap().map(|entry| entry.id);
                match repo.append("busy", tip.as_ref(), &entry(&format!("{run}.{written}"))).await {
                    Ok(_) => written += 1,
                    Err(AppendError::Lost { .. }) => {}
                    Err(AppendError::Port(error)) => panic!("{error}"),
                }
            }
        });
    }
    runs.join_all().await;
    let written = shared.open("other").history("busy", 100).await.unwrap();
    assert_eq!(written.len(), RUNS * ENTRIES, "every entry is there once, in one line");
}

#[tokio::test]
async fn a_ref_that_a_neighbour_locks_is_a_lost_race() {
    let shared = Shared::new();
    let repo = shared.open("one");
    let mut tip = repo.append("held", None, &entry("first")).await.unwrap();
    for _ in 0..4 {
        tip = repo.append("held", Some(&tip), &entry("more")).await.unwrap();
    }
    let lock = shared.path("origin").join("refs/tagship/held.lock");
    fs::write(&lock, "").unwrap();
    let append = repo.append("held", Some(&tip), &entry("late")).await.map(Some);
    for held in [append, repo.shorten("held", &tip, 2).await] {
        assert!(matches!(held, Err(AppendError::Lost { .. })), "{held:?}");
    }
    fs::remove_file(&lock).unwrap();
    assert!(repo.append("held", Some(&tip), &entry("late")).await.is_ok(), "nothing is left of it");
}

#[tokio::test]
async fn a_token_reaches_its_server_in_a_header() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        head
    });
    let directory = TempDir::new().unwrap();
    filled(directory.path());
    git(directory.path(), &["remote", "add", "origin", &format!("{server}/acme/shop")]);
    let mut repo = GitRepo::discover(directory.path()).unwrap();
    repo.authenticate(&server, Some(&Redacted::new("ghs_x".to_owned())));
    let error = repo.fetch().await.unwrap_err();
    assert_eq!(error.problem, Problem::Denied, "{error}");
    let head = asked.join().unwrap();
    assert!(head.iter().any(|line| line == "Authorization: basic eC1hY2Nlc3MtdG9rZW46Z2hzX3g="), "{head:?}");
}

#[tokio::test]
async fn publishing_the_same_tag_twice_is_one_tag() {
    let shared = Shared::new();
    let (one, other) = (shared.open("one"), shared.open("other"));
    let tag = new_tag("m@v1.0.0", &shared.fixture.head, "same\n");
    one.create_tag(&tag).await.unwrap();
    one.create_tag(&tag).await.unwrap();
    // The ref was lost after the push, as when the run died in between.
    shared.git("one", &["update-ref", "-d", "refs/tags/m@v1.0.0"]);
    one.create_tag(&tag).await.unwrap();
    assert_eq!(shared.git("one", &["cat-file", "-t", "m@v1.0.0"]), "tag");
    other.fetch().await.unwrap();
    assert_eq!(other.resolve("m@v1.0.0").await.unwrap(), shared.fixture.head);
}

#[tokio::test]
async fn a_remote_that_forbids_is_no_lost_race() {
    let shared = Shared::new();
    let hook = shared.path("origin").join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    let mode = fs::metadata("/bin/sh").unwrap().permissions();
    fs::set_permissions(&hook, mode).unwrap();
    let one = shared.open("one");
    let refused = one.create_tag(&new_tag("m@v1.0.0", &shared.fixture.head, "x")).await.unwrap_err();
    assert_eq!(refused.problem, Problem::Denied, "{refused}");
    assert!(refused.message.contains("hook declined"), "{refused}");
    assert_eq!(shared.git("one", &["tag", "--list"]), "", "no local tag is left");
    let refused = one.append("a", None, &entry("x")).await.unwrap_err();
    assert!(refused.to_string().contains("hook declined"), "{refused}");
    assert_eq!(one.tip("a").await.unwrap(), None);
}

#[tokio::test]
async fn a_remote_that_is_away_is_said_so_and_changes_nothing() {
    let shared = Shared::new();
    fs::rename(shared.path("origin"), shared.path("gone")).unwrap();
    let one = shared.open("one");
    let error = one.create_tag(&new_tag("m@v1.0.0", &shared.fixture.head, "x")).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable, "{error}");
    assert_eq!(
        one.tags().await.unwrap_err().problem,
        Problem::Unreachable,
        "no tags here is no proof of none"
    );
    assert_eq!(shared.git("one", &["tag", "--list"]), "");
    assert!(one.append("a", None, &entry("x")).await.is_err());
}

#[tokio::test]
async fn a_registry_is_never_guessed_from_part_of_a_repository() {
    let shared = Shared::new();
    shared.open("one").create_tag(&new_tag("m@v1.0.0", &shared.fixture.first, "x")).await.unwrap();
    let url = format!("file://{}", shared.path("origin").display());
    for (name, options) in [("shallow", ["--depth", "1"]), ("tagless", ["--no-tags", "--single-branch"])] {
        git(shared.directory.path(), &["clone", "--quiet", options[0], options[1], &url, name]);
    }
    // With all of the history, tags alone are missing, and can be had.
    let tags = shared.open("tagless").tags().await.unwrap();
    assert_eq!(tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["m@v1.0.0"]);
    let error = shared.open("shallow").tags().await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid, "{error}");
    assert!(error.to_string().contains("fetch-depth: 0"), "{error}");
    let shallow = shared.open("shallow");
    let error = shallow.commit(&shared.fixture.first).await.unwrap_err();
    assert_eq!(error.problem, Problem::NotFound);
    assert!(error.to_string().contains("fetch-depth: 0"), "{error}");
}

#[tokio::test]
async fn a_fetch_never_moves_a_tag() {
    let shared = Shared::new();
    shared.open("one").create_tag(&new_tag("m@v1.0.0", &shared.fixture.first, "x")).await.unwrap();
    shared.git("other", &["tag", "--annotate", "--message", "mine", "m@v1.0.0"]);
    let error = shared.open("other").fetch().await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert_eq!(shared.open("other").resolve("m@v1.0.0").await.unwrap(), shared.fixture.head);
}

#[tokio::test]
async fn no_repository_and_no_commit_are_told_apart() {
    let directory = TempDir::new().unwrap();
    let error = GitRepo::discover(directory.path()).unwrap_err();
    assert_eq!(error.problem, Problem::NotFound);
    assert!(error.to_string().contains("not a git repository"), "{error}");
    git(directory.path(), &["init", "--quiet"]);
    let empty = GitRepo::discover(directory.path()).unwrap();
    for error in [empty.resolve("HEAD").await.unwrap_err(), empty.uncommitted("", 9).await.unwrap_err()] {
        assert_eq!(error.problem, Problem::NotFound);
        assert!(error.to_string().contains("no commit yet"), "{error}");
    }
    assert_eq!(empty.tags().await.unwrap(), []);
}

#[tokio::test]
async fn every_kind_of_tag_is_reported_for_what_it_is() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let fixture = filled(path);
    git(path, &["tag", "light"]);
    git(path, &["tag", "--annotate", "--message", "inner", "inner", "HEAD"]);
    git(path, &["tag", "--annotate", "--message", "outer", "outer", "inner"]);
    git(path, &["tag", "--annotate", "--message", "blob", "blob", "HEAD:models/churn.bin"]);
    let headless = format!("object {}\ntype commit\ntag old\n\nno tagger\n", fixture.head);
    fs::write(path.join("old"), headless).unwrap();
    let old = git(path, &["hash-object", "-t", "tag", "-w", "--literally", "old"]);
    git(path, &["update-ref", "refs/tags/old", &old]);
    git(path, &["pack-refs", "--all"]);
    let tags = GitRepo::discover(path).unwrap().tags().await.unwrap();
    let seen: Vec<_> = tags
        .iter()
        .map(|tag| (tag.name.as_str(), tag.annotated, tag.target.is_some(), tag.tagger.is_some()))
        .collect();
    let expected = [
        ("blob", true, false, true),
        ("inner", true, true, true),
        ("light", false, true, false),
        ("old", true, true, false),
        ("outer", true, true, true),
    ];
    assert_eq!(seen, expected);
    let outer = &tags[4];
    assert_eq!((outer.target.as_ref(), outer.message.as_str()), (Some(&fixture.head), "outer\n"));
    let tagger = outer.tagger.as_ref().unwrap();
    assert_eq!((tagger.name.as_str(), tagger.iso_time().as_str()), ("Ann", "2026-01-02T03:04:05+02:00"));
}

#[tokio::test]
async fn changes_are_found_where_they_are() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let fixture = filled(path);
    let repo = GitRepo::discover(path).unwrap();
    fs::write(path.join("models/churn.bin"), b"other").unwrap();
    fs::write(path.join("new"), b"untracked").unwrap();
    assert_eq!(repo.uncommitted("", 9).await.unwrap(), ["models/churn.bin"]);
    assert_eq!(repo.uncommitted("models", 9).await.unwrap(), ["models/churn.bin"]);
    assert_eq!(repo.uncommitted("*", 9).await.unwrap(), [""; 0], "a path is no pattern");
    git(path, &["add", "--all"]);
    assert_eq!(repo.uncommitted("", 1).await.unwrap().len(), 1, "staged changes count, up to the limit");
    assert_eq!(repo.uncommitted("docs", 9).await.unwrap(), [""; 0]);

    git(path, &["mv", "models/churn.bin", "models/moved.bin"]);
    git(path, &["commit", "--quiet", "--message", "third"]);
    let third = repo.resolve("HEAD").await.unwrap();
    let moved = ["models/churn.bin", "models/moved.bin", "new"];
    assert_eq!(repo.changed_paths(Some(&fixture.head), &third).unwrap(), moved);
    assert_eq!(repo.changed_paths(None, &third).unwrap(), ["models/moved.bin", "new"]);
    assert_eq!(repo.file_at(&third, "./new").await.unwrap().as_deref(), Some(&b"untracked"[..]));
    assert_eq!(repo.file_at(&third, "models").await.unwrap(), None, "a directory is no file");
}

#[tokio::test]
async fn a_branch_is_found_under_its_remote_s_name() {
    let shared = Shared::new();
    shared.git("other", &["checkout", "--quiet", "--detach"]);
    shared.git("other", &["branch", "--quiet", "--delete", "--force", "main"]);
    assert_eq!(shared.open("other").resolve("main").await.unwrap(), shared.fixture.head);
}

#[tokio::test]
async fn a_journal_reads_as_a_story_in_git_log() {
    let shared = Shared::new();
    let one = shared.open("one");
    let first = one.append("rollouts/production/churn", None, &entry("v1.0.0 prepared")).await.unwrap();
    one.append("rollouts/production/churn", Some(&first), &entry("v1.0.0 serves")).await.unwrap();
    let log = shared.git("origin", &["log", "--format=%s", "refs/tagship/rollouts/production/churn"]);
    assert_eq!(log, "v1.0.0 serves\nv1.0.0 prepared");
    let seen = shared.git("origin", &["ls-tree", "--name-only", "refs/tagship/rollouts/production/churn"]);
    assert_eq!(seen, "state.json");
    let bad = one.append("rollouts//churn", None, &entry("x")).await.unwrap_err();
    assert!(bad.to_string().contains("empty"), "{bad}");
}
