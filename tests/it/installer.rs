//! `actions/_run/run.sh` finds the program of an action, and runs nothing that it has not verified.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tagship_testkit::{Cli, Output};
use tempfile::TempDir;

const VERSION: &str = "9.9.9";
const ARCHIVE: &str = "tagship-9.9.9-x86_64-unknown-linux-gnu.tar.gz";

/// An action's ref with a release, a mirror that has it, and a runner's machine.
struct Release {
    directory: TempDir,
    mirror: Mirror,
}

impl Release {
    /// One whose programs print which they are.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        for folder in ["ref/actions/_run", "mirror/v9.9.9", "programs", "cache"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("actions/_run/run.sh");
        fs::copy(source, at("ref/actions/_run/run.sh")).unwrap();
        for name in ["tagship", "tagship-gate"] {
            program(&at("programs").join(name), name);
        }
        let archive = at("mirror/v9.9.9").join(ARCHIVE);
        must(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(at("programs")).arg("."));
        fs::write(at("ref/actions/_run/version"), format!("{VERSION}\n")).unwrap();
        let release = Self { mirror: Mirror::of(at("mirror")), directory };
        release.publish(&digest(&archive), ARCHIVE);
        release
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Writes which digest the ref expects.
    fn publish(&self, digest: &str, archive: &str) {
        fs::write(self.at("ref/actions/_run/checksums.txt"), format!("{digest}  {archive}\n")).unwrap();
    }

    /// A step of the gate on a Linux machine.
    fn gate(&self) -> Cli {
        self.step("gate")
    }

    fn step(&self, verb: &str) -> Cli {
        Cli::new(self.at("ref/actions/_run/run.sh"))
            .arg(verb)
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("RUNNER_TOOL_CACHE", self.at("cache"))
            .env("GITHUB_OUTPUT", self.at("output"))
            .env("TAGSHIP_DOWNLOAD_BASE", &self.mirror.address)
    }

    /// Files and directories in the tool cache.
    fn cached(&self) -> Vec<PathBuf> {
        let mut found = vec![];
        let mut folders = vec![self.at("cache")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// A step that did not find its program says why, runs nothing, keeps nothing, and tells later steps.
    #[track_caller]
    fn refuses(&self, done: &Output, words: &[&str]) {
        done.assert_code(3);
        assert_eq!(done.stdout, "", "nothing ran");
        assert!(done.stderr.contains("::error title=tagship::"), "{}", done.stderr);
        for word in words {
            assert!(done.stderr.contains(word), "{word}: {}", done.stderr);
        }
        assert!(self.cached().is_empty(), "{:?}", self.cached());
        assert!(fs::read_to_string(self.at("output")).unwrap().contains("reason-code=no-program"));
    }
}

fn program(path: &Path, name: &str) {
    let script =
        "echo \"args: $*, BASH_ENV: ${BASH_ENV-unset}\"\n/usr/bin/env | grep '^BASH_FUNC_'\nexit 7\n";
    fs::write(path, format!("#!/bin/sh\necho {name}\n{script}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn must(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn digest(path: &Path) -> String {
    let digest = must(Command::new("sha256sum").arg(path));
    digest.split_whitespace().next().unwrap().to_owned()
}

/// A web server on this machine that has the files of a directory, and counts what it is asked for.
struct Mirror {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Mirror {
    fn of(directory: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = answer(stream, &directory);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let (status, body) = match fs::read(directory.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", vec![]),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

#[test]
fn a_verified_program_runs_and_is_downloaded_once() {
    let release = Release::new();
    for _ in 0..2 {
        let done = release.gate().run();
        done.assert_code(7);
        assert!(done.stdout.starts_with("tagship-gate\nargs: ,"), "{}", done.stdout);
        assert_eq!(release.mirror.asked(), 1);
    }
    // Another verb of the same job, which has no small program.
    let done = release.step("run").run();
    assert!(done.stdout.starts_with("tagship\nargs: run,"), "{}", done.stdout);
    // One that has verbs of its own, and hands a word on as it is.
    let done = release.step("monitor").args(["check", "a b"]).run();
    assert!(done.stdout.starts_with("tagship\nargs: monitor check a b,"), "{}", done.stdout);
    assert_eq!(release.mirror.asked(), 1);
}

#[test]
fn a_mirror_may_be_a_directory_and_an_unfinished_cache_is_replaced() {
    let release = Release::new();
    let base = format!("file://{}", release.at("mirror").display());
    release.gate().env("TAGSHIP_DOWNLOAD_BASE", &base).run().assert_code(7);
    let marker = release.cached().into_iter().find(|path| path.ends_with(".complete")).unwrap();
    fs::remove_file(&marker).unwrap();
    fs::write(marker.with_file_name("tagship-gate"), "half").unwrap();
    release.gate().env("TAGSHIP_DOWNLOAD_BASE", &base).run().assert_code(7);
    assert!(marker.is_file());
    let gone = release
        .gate()
        .env("TAGSHIP_DOWNLOAD_BASE", "file:///nowhere")
        .env("RUNNER_TOOL_CACHE", release.at("b"));
    assert!(gone.run().stderr.contains("does not exist"));
}

#[test]
fn other_bytes_than_expected_are_not_run_and_not_kept() {
    let release = Release::new();
    release.publish(&"0".repeat(64), ARCHIVE);
    release.refuses(&release.gate().run(), &["sha256", "was deleted"]);
}

#[test]
fn a_tool_cache_without_room_is_said_and_holds_nothing() {
    let release = Release::new();
    let path = std::env::var_os("PATH").unwrap_or_default().into_string().unwrap();
    // What a full disk does to each of these, whoever runs the tests.
    for tool in ["mktemp", "mkdir", "tar", "sha256sum"] {
        let broken = release.at(&format!("broken-{tool}"));
        fs::create_dir(&broken).unwrap();
        let script = "#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n";
        fs::write(broken.join(tool), script).unwrap();
        fs::set_permissions(broken.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
        let done = release.gate().env("PATH", format!("{}:{path}", broken.display())).run();
        release.refuses(&done, &["failed", "No space left"]);
    }
}

#[test]
fn a_release_that_is_not_there_names_the_ways_out() {
    let release = Release::new();
    fs::remove_file(release.at("mirror/v9.9.9").join(ARCHIVE)).unwrap();
    release.refuses(&release.gate().run(), &["404", "binary-dir", "build: source", "v9.9.9"]);
}

#[test]
fn without_a_digest_or_a_release_nothing_is_downloaded() {
    let release = Release::new();
    let on = |os: &str, arch: &str| release.gate().env("RUNNER_OS", os).env("RUNNER_ARCH", arch).run();
    release.refuses(&on("Linux", "ARM64"), &["aarch64-unknown-linux-gnu", "no digest", "binary-dir"]);
    release.refuses(&on("Plan9", "X64"), &["Plan9", "binary-dir"]);
    release.publish("not-a-digest", ARCHIVE);
    release.refuses(&on("Linux", "X64"), &["no digest"]);
    fs::remove_file(release.at("ref/actions/_run/checksums.txt")).unwrap();
    release.refuses(&on("Linux", "X64"), &["belongs to no release", "binary-dir", "build: source"]);
    release.refuses(&release.gate().env("TAGSHIP_BUILD", "sauce").run(), &["sauce", "source"]);
    assert_eq!(release.mirror.asked(), 0);
}

#[test]
fn programs_of_a_directory_need_no_network() {
    let release = Release::new();
    let with = |verb: &str, directory: PathBuf| release.step(verb).env("TAGSHIP_BINARY_DIR", directory).run();
    assert!(with("gate", release.at("programs")).stdout.starts_with("tagship-gate\n"));
    assert!(with("comment", release.at("programs")).stdout.starts_with("tagship\nargs: comment,"));
    release.refuses(&with("gate", release.at("mirror")), &["tagship-gate", "archive of a release"]);
    assert_eq!(release.mirror.asked(), 0);
}

#[test]
fn what_an_earlier_step_left_for_shells_does_not_run() {
    let release = Release::new();
    fs::write(release.at("evil"), "echo evil\n").unwrap();
    let done = release
        .gate()
        .env("TAGSHIP_BINARY_DIR", release.at("programs"))
        .env("BASH_ENV", release.at("evil"))
        .env("ENV", release.at("evil"))
        .env("CDPATH", "/")
        .env("BASH_FUNC_exec%%", "() { echo evil; }")
        .env("BASH_FUNC_unset%%", "() { echo evil; }")
        .run();
    done.assert_code(7);
    assert_eq!(done.stdout, "tagship-gate\nargs: , BASH_ENV: unset\n");
}

#[test]
fn the_script_is_executable_and_a_ref_with_a_release_is_of_this_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed =
        must(Command::new("git").current_dir(root).args(["ls-files", "--stage", "actions/_run/run.sh"]));
    assert!(listed.starts_with("100755 "), "{listed}");
    let (version, checksums) = (root.join("actions/_run/version"), root.join("actions/_run/checksums.txt"));
    assert_eq!(version.is_file(), checksums.is_file(), "both or none");
    if version.is_file() {
        assert_eq!(fs::read_to_string(version).unwrap().trim(), env!("CARGO_PKG_VERSION"));
        let archive = format!("tagship-{}-", env!("CARGO_PKG_VERSION"));
        let lines = fs::read_to_string(checksums).unwrap();
        assert!(lines.lines().all(|line| line.contains(&archive)), "{lines}");
    }
}
