//! Prism as a validating proxy between a client and the GitHub on this machine: it refuses requests and answers that
//! GitHub's published description does not allow, and remembers them.
//!
//! A front before it has the addresses of a server of one's own, and leads past the proxy what that cannot carry: it takes
//! every body for text, so that the bytes of files would change, and the description has no GraphQL.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::NamedTempFile;

use crate::github::{
    FakeGitHub,
    http::{Reply, Request, Server},
};

/// How often the proxy is asked whether it is ready, ten times a second.
const READY: usize = 600;

/// The running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Prism {
    child: Child,
    log: NamedTempFile,
    front: Server,
}

impl Prism {
    /// Starts the program `prism` with a description before a host, and waits until it listens.
    #[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
    pub fn start(program: &Path, description: &Path, github: &FakeGitHub) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.expect("a loopback port is free").port();
        let log = NamedTempFile::new().expect("a temporary file can be made");
        let output = || Stdio::from(log.reopen().expect("the log can be written"));
        let child = Command::new(program)
            .args(["proxy", "--errors", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(description)
            .arg(github.api_url())
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
            .expect("prism can be started");
        let (proxy, host) = (format!("127.0.0.1:{port}"), github.server_url().replace("http://", ""));
        let front = Server::start(move |request| lead(request, &proxy, &host));
        let mut proxy = Self { child, log, front };
        for _ in 0..READY {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return proxy;
            }
            let ended = proxy.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "prism ended before it was ready:\n{}", proxy.said());
            thread::sleep(Duration::from_millis(100));
        }
        panic!("prism is not ready after a minute:\n{}", proxy.said());
    }

    /// `GITHUB_API_URL`, in the form of a server of one's own.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/v3", self.front.address)
    }

    /// `GITHUB_GRAPHQL_URL`.
    pub fn graphql_url(&self) -> String {
        format!("http://{}/api/graphql", self.front.address)
    }

    /// Lines about requests and answers that the description does not allow.
    pub fn violations(&self) -> Vec<String> {
        violations(&self.said())
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log.path()).unwrap_or_default()).into_owned()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Leads a request to the proxy, or past it.
fn lead(request: &Request, proxy: &str, host: &str) -> Reply {
    let is_file = request.header("accept") == Some("application/octet-stream");
    match request.target.strip_prefix("/api/v3") {
        Some(target) if !is_file => forward(request, proxy, target),
        _ => forward(request, host, &request.target),
    }
    .unwrap_or(Reply::Cut)
}

/// Sends a request on; in HTTP/1.0, whose answers end with the connection.
fn forward(request: &Request, address: &str, target: &str) -> Option<Reply> {
    use std::fmt::Write as _;
    let mut head = format!("{} {target} HTTP/1.0\r\n", request.method);
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "connection") {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
    stream.write_all(&request.body).ok()?;
    answer(&mut stream)
}

fn answer(stream: &mut TcpStream) -> Option<Reply> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let kept =
        headers.filter(|(name, _)| !["connection", "content-length", "keep-alive"].contains(&name.as_str()));
    Some(Reply::Answer { status, headers: kept.collect(), body: bytes.split_off(end + 4) })
}

fn violations(log: &str) -> Vec<String> {
    let (mut found, mut request) = (Vec::new(), "");
    for line in log.lines() {
        if line.contains("[HTTP SERVER]") {
            request = line;
        }
        // That its connection to the host was lost says nothing about what was asked: whoever asked tries again.
        let is_lost = line.contains("FetchError") && line.contains("socket hang up");
        if line.contains("Violation") || (line.contains("Request terminated with error") && !is_lost) {
            found.push(format!("{request}\n  {line}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_description_forbids_is_found_and_a_lost_connection_is_not() {
        let log = "[HTTP SERVER] get /repos/a/b ℹ  info      Request received\n\
                   [VALIDATOR] ✖  error     Violation: request.body must be object\n\
                   [HTTP SERVER] get /repos/a/c ✖  error     Request terminated with error: FetchError: socket hang up\n\
                   [HTTP SERVER] get /nowhere ✖  error     Request terminated with error: no path matched\n";
        let found = violations(log);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("/repos/a/b") && found[1].contains("/nowhere"), "{found:?}");
    }
}
