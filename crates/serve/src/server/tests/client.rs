//! As much HTTP as the tests need, over one connection that is kept.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::TcpStream,
};

pub(super) struct Client {
    stream: BufStream<TcpStream>,
    pub(super) token: Option<String>,
    /// A header that every request carries.
    pub(super) header: Option<(&'static str, String)>,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufStream::new(stream), token: None, header: None }
    }

    /// Sends a request head and body without waiting for the answer.
    pub(super) async fn write(&mut self, method: &str, path: &str, body: &[u8]) {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let header = self.header.as_ref().map(|(name, value)| format!("{name}: {value}\r\n"));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\n{}{}content-length: {}\r\n\r\n",
            token.unwrap_or_default(),
            header.unwrap_or_default(),
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await.unwrap();
        self.stream.write_all(body).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads one answer; `None` where the server closed the connection instead.
    pub(super) async fn try_read(&mut self) -> Option<(u16, Vec<u8>)> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.unwrap();
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        Some((status, body))
    }

    pub(super) async fn read(&mut self) -> (u16, Vec<u8>) {
        self.try_read().await.expect("the server answers")
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.write(method, path, body).await;
        self.read().await
    }

    pub(super) async fn json(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.send(method, path, body.to_string().as_bytes()).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(super) async fn get(&mut self, path: &str) -> (u16, Value) {
        let (status, body) = self.send("GET", path, b"").await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub(super) async fn text(&mut self, path: &str) -> String {
        String::from_utf8(self.send("GET", path, b"").await.1).unwrap()
    }
}
