//! What people elsewhere are told, and that nobody waits for them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use serde_json::Value;

use crate::workbench::Workbench;

const SECRET: &str = "hook-part-that-nobody-may-see";

/// A receiver of webhooks: its address, and the body of every request.
fn receiver(status: &'static str) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    let (send, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = send.send(answer(stream.unwrap(), status));
        }
    });
    (address, received)
}

fn answer(mut stream: TcpStream, status: &str) -> Value {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn bench(settings: &str) -> Workbench {
    let bench = Workbench::with_server();
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    bench.clone.write("tagship.yml", format!("{config}{settings}"));
    bench.push("Tell people");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench
}

#[test]
fn people_are_told_of_starts_pauses_and_ends_once_each() {
    let bench = bench(
        "        strategy: { blue-green: { preview: 1s, auto-promote: false } }
        notify: [ { webhook: { url-env: HOOK, on: [start, pause, promotion, rollback] } } ]
",
    );
    let (address, received) = receiver("204 No Content");
    let run = |arguments: &[&str]| bench.cli(arguments).env("HOOK", &address).run();
    let told = || {
        let of = |notice: Value| {
            assert_eq!(notice["schema"], "tagship/notice/v1");
            format!("{} {}", notice["kind"].as_str().unwrap(), notice["candidate"].as_str().unwrap())
        };
        received.try_iter().map(of).collect::<Vec<_>>()
    };
    run(&["rollout"]).assert_code(0);
    assert_eq!(told(), ["start v0.1.0", "promotion v0.1.0"]);
    bench.put("v2");
    bench.push("Bring v2");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    run(&["rollout"]).assert_code(4);
    assert_eq!(told(), ["start v0.2.0", "pause v0.2.0"]);
    run(&["rollout"]).assert_code(4);
    assert_eq!(told(), [""; 0], "a second look at the same pause is no news");
    run(&["rollout", "--abort"]).assert_code(1);
    assert_eq!(told(), ["rollback v0.2.0"]);
}

#[test]
fn what_cannot_be_told_is_a_warning_without_the_address() {
    let bench = bench(
        "        notify: [ { slack: { webhook-env: HOOK } }, { teams: { webhook-env: UNSET } } ]
",
    );
    let (address, received) = receiver("410 Gone");
    let done = bench.cli(&["rollout"]).env("HOOK", &address).run();
    done.assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    assert_eq!(received.try_iter().count(), 1);
    assert!(done.stderr.contains("warning: ") && done.stderr.contains("410 Gone"), "{}", done.stderr);
    assert!(done.stderr.contains("UNSET is not set"), "{}", done.stderr);
    assert!(!format!("{}{}", done.stdout, done.stderr).contains(SECRET), "{}", done.stderr);
}

#[test]
fn what_a_target_cannot_count_is_refused_where_it_is_configured() {
    let bench = bench(
        "        bake: 1s\n        analysis: { metrics: [ { name: errors, kind: error-ratio, bound: { max: 1% } } ] }\n",
    );
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let local = config.lines().find(|line| line.contains("target: { local")).unwrap();
    let hook = bench
        .clone
        .write("hook.sh", "#!/bin/sh\ncat > /dev/null\necho '{\"weights\": true, \"endpoints\": true}'\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(hook, mode).unwrap();
    let exec = "        target: { exec: { command: [\"./hook.sh\"] } }";
    bench.clone.write("tagship.yml", config.replace(local, exec));
    for verb in ["plan", "rollout"] {
        let refused = bench.run(&[verb]);
        refused.assert_code(2);
        assert!(refused.stderr.contains("does not count what the versions answer"), "{}", refused.stderr);
        assert!(refused.stderr.contains("give each metric a `source` of its own"), "{}", refused.stderr);
    }
    assert_eq!(bench.published().iter().filter(|name| name.contains("rollouts")).count(), 0);
    let wrong = config.replace("kind: error-ratio,", "kind: error-ratio, source: { promtheus: {} },");
    bench.clone.write("tagship.yml", wrong);
    let refused = bench.run(&["rollout"]);
    refused.assert_code(2);
    assert!(
        refused.stderr.contains("tagship.yml:")
            && refused.stderr.contains("known kinds for error-ratio are target, prometheus"),
        "{}",
        refused.stderr
    );
}
