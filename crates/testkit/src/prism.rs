//! Prism as a validating proxy between a client and the GitHub on this machine: it refuses requests and answers that
//! GitHub's published description does not allow, and remembers them.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::NamedTempFile;

/// How often the proxy is asked whether it is ready, ten times a second.
const READY: usize = 600;

/// The running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Prism {
    child: Child,
    log: NamedTempFile,
    port: u16,
}

impl Prism {
    /// Starts the program `prism` with a description, in front of the API at `upstream`, and waits until it listens.
    #[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
    pub fn start(program: &Path, description: &Path, upstream: &str) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.expect("a loopback port is free").port();
        let log = NamedTempFile::new().expect("a temporary file can be made");
        let output = || Stdio::from(log.reopen().expect("the log can be written"));
        let child = Command::new(program)
            .args(["proxy", "--errors", "-h", "127.0.0.1", "-p", &port.to_string()])
            .arg(description)
            .arg(upstream)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
            .expect("prism can be started");
        let mut proxy = Self { child, log, port };
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

    /// The address of the API behind it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
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

fn violations(log: &str) -> Vec<String> {
    let (mut found, mut request) = (Vec::new(), "");
    for line in log.lines() {
        if line.contains("[HTTP SERVER]") {
            request = line;
        }
        let bad = line.contains("Violation") || line.contains("Request terminated with error");
        // The one question to the GraphQL API is not part of the description.
        if bad && !line.contains("/graphql") {
            found.push(format!("{request}\n  {line}"));
        }
    }
    found
}
