//! The same over a connection: answers, a watch, and what goes wrong.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
};

use serde_json::{Value, json};

use super::{ROUTES, apply, route, version, with_route};
use crate::cluster::{FakeCluster, Fault};

/// Sends a request and answers the connection.
fn send(cluster: &FakeCluster, method: &str, target: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(cluster.url().trim_start_matches("http://")).unwrap();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nauthorization: Bearer tokenOfTheTest\r\nconnection: close\r\n\
         content-type: application/apply-patch+yaml\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    BufReader::new(stream)
}

fn answer(cluster: &FakeCluster, method: &str, target: &str, body: &str) -> String {
    let mut text = String::new();
    let _ = send(cluster, method, target, body).read_to_string(&mut text);
    text
}

#[test]
fn yaml_is_applied_and_requests_are_counted() {
    let cluster = with_route();
    let target = format!("{ROUTES}/churn?fieldManager=tagship");
    let yaml = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec:\n  hostnames: [churn.example.org]\n  parentRefs: [{ name: public }]\n";
    let text = answer(&cluster, "PATCH", &target, yaml);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(cluster.requests(), [format!("PATCH {target}")]);
    cluster.forget_requests();
    assert!(cluster.requests().is_empty());
}

#[test]
fn strangers_are_refused() {
    let cluster = FakeCluster::start();
    let mut stream = TcpStream::connect(cluster.url().trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET /api HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 401"), "{text}");
}

/// The next event of a watch: what, and the resource version.
fn event(lines: &mut BufReader<TcpStream>) -> (String, String) {
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the watch goes on");
        if line.starts_with('{') {
            let event: Value = serde_json::from_str(&line).unwrap();
            return (event["type"].as_str().unwrap().to_owned(), version(&event["object"]).to_owned());
        }
    }
}

#[test]
fn a_watch_sees_every_later_write_once() {
    let cluster = with_route();
    let begin = cluster.version();
    let mut other = route([100, 0]);
    other["metadata"]["name"] = json!("other");
    let target = format!("{ROUTES}?watch=true&resourceVersion={begin}&fieldSelector=metadata.name%3Dchurn");
    let mut watch = send(&cluster, "GET", &target, "");
    let mut expected = Vec::new();
    for weights in [[90, 10], [90, 10], [50, 50]] {
        let before = cluster.version();
        let (_, after) = apply(&cluster, "tagship", &route(weights));
        if cluster.version() > before {
            expected.push(("MODIFIED".to_owned(), version(&after).to_owned()));
        }
    }
    assert_eq!(cluster.act("POST", ROUTES, super::PLAIN, &other).0, 201);
    assert_eq!(cluster.act("DELETE", &format!("{ROUTES}/churn"), super::PLAIN, &Value::Null).0, 200);
    expected.push(("DELETED".to_owned(), cluster.version().to_string()));
    assert_eq!(expected.len(), 3, "a repeated apply is no write");
    let seen: Vec<(String, String)> = (0..3).map(|_| event(&mut watch)).collect();
    assert_eq!(seen, expected);

    let mut from_the_start = send(&cluster, "GET", &format!("{ROUTES}?watch=1"), "");
    assert_eq!(event(&mut from_the_start).0, "ADDED", "what is there");
}

#[test]
fn faults_strike_once_or_always() {
    let cluster = with_route();
    let target = format!("{ROUTES}/churn");
    let get = || answer(&cluster, "GET", &target, "");
    cluster.fail_next("GET", "httproutes", Fault::Status(500));
    assert!(get().starts_with("HTTP/1.1 500"));
    assert!(get().starts_with("HTTP/1.1 200"));
    cluster.fail_always("*", "churn", Fault::TooMany(3));
    for _ in 0..2 {
        let text = get();
        assert!(text.starts_with("HTTP/1.1 429") && text.contains("retry-after: 3"), "{text}");
    }
    cluster.recover();
    cluster.fail_next("GET", "churn", Fault::CutBefore);
    assert_eq!(get(), "");
    assert!(get().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_write_may_happen_without_an_answer() {
    let cluster = with_route();
    cluster.fail_next("PATCH", "churn", Fault::CutAfter);
    let before = cluster.version();
    let target = format!("{ROUTES}/churn?fieldManager=tagship");
    assert_eq!(answer(&cluster, "PATCH", &target, &route([0, 100]).to_string()), "");
    assert_eq!(cluster.version(), before + 1);
}

#[test]
fn a_slow_answer_comes_when_the_clock_has_gone_on() {
    let cluster = with_route();
    cluster.fail_next("GET", "churn", Fault::Slow(30));
    let target = format!("{ROUTES}/churn");
    let mut waiting = send(&cluster, "GET", &target, "");
    waiting.get_ref().set_nonblocking(true).unwrap();
    while cluster.requests().is_empty() {
        thread::yield_now();
    }
    cluster.advance(29);
    let early = waiting.fill_buf().map(<[u8]>::len);
    assert!(early.is_err(), "nothing came: {early:?}");
    waiting.get_ref().set_nonblocking(false).unwrap();
    cluster.advance(1);
    let mut text = String::new();
    waiting.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}
