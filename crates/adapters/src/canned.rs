//! A server of HTTP/1.1 on the loopback address that gives one written answer per request and remembers what it was
//! asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What was asked.
#[derive(Clone)]
pub(crate) struct Request {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) authorization: String,
    /// All headers, by name in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Gives these answers (status and body), one per request, in order.
    pub(crate) async fn with(answers: Vec<(u16, String)>) -> Self {
        let answers = answers.into_iter();
        Self::start(answers.map(|(status, body)| response(status, "", &body)).collect()).await
    }

    /// Gives these answers (status, type of content, body), one per request, in order.
    pub(crate) async fn typed(answers: Vec<(u16, &str, String)>) -> Self {
        let answers = answers.into_iter();
        let typed =
            |kind: &str| if kind.is_empty() { String::new() } else { format!("content-type: {kind}\r\n") };
        Self::start(answers.map(|(status, kind, body)| response(status, &typed(kind), &body)).collect()).await
    }

    /// Gives these answers (status, headers with their ends of line, body), one per request, in order.
    pub(crate) async fn answering(answers: Vec<(u16, &str, String)>) -> Self {
        let answers = answers.into_iter();
        Self::start(answers.map(|(status, headers, body)| response(status, headers, &body)).collect()).await
    }

    /// Sends the first request somewhere else.
    pub(crate) async fn redirecting(to: &str) -> Self {
        Self::start([response(307, &format!("location: {to}\r\n"), "{}")].into()).await
    }

    async fn start(mut answers: VecDeque<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Some(answer) = answers.pop_front() {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                record.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
            std::future::pending::<()>().await;
        });
        Self { url, seen, task }
    }

    /// Everything that was asked so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Stops listening.
    pub(crate) async fn close(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// What is asked on a connection.
pub(crate) async fn read(stream: &mut TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let (mut line, mut authorization, mut length) = (String::new(), String::new(), 0);
    let mut headers = BTreeMap::new();
    reader.read_line(&mut line).await.unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).await.unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.clone_into(&mut authorization),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let line = line.rsplit_once(' ').unwrap().0.to_owned();
    Request { line, authorization, headers, body }
}
