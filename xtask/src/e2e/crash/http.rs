//! As much of HTTP/1.1 as the campaign speaks: one message per connection.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// The longest wait for the other side.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request as it came, with all of its body.
pub(super) struct Message {
    /// First line and headers, with the empty line.
    pub(super) head: String,
    body: Vec<u8>,
}

impl Message {
    /// Reads one request; nothing where the other side closed the connection without one.
    pub(super) fn read(stream: &mut TcpStream) -> Result<Option<Self>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut bytes = vec![];
        let end = loop {
            if let Some(at) = find(&bytes, b"\r\n\r\n") {
                break at + 4;
            }
            if !more(stream, &mut bytes)? {
                return Ok(None);
            }
        };
        let body = bytes.split_off(end);
        let head = String::from_utf8(bytes).context("the head is text")?;
        let mut message = Self { head, body };
        while !message.is_whole()? {
            if !more(stream, &mut message.body)? {
                bail!("the request ended in its body");
            }
        }
        Ok(Some(message))
    }

    fn is_whole(&self) -> Result<bool> {
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Ok(self.body.ends_with(b"0\r\n\r\n"));
        }
        let length = self.header("content-length").unwrap_or("0");
        Ok(self.body.len() >= length.parse::<usize>().context("a length is a number")?)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Sends it on to another address and answers all that comes back; both sides close after it.
    pub(super) fn forward(&self, address: &str) -> Result<Vec<u8>> {
        let kept = self.head.trim_end().lines().filter(|line| {
            line.split_once(':').is_none_or(|(name, _)| !name.eq_ignore_ascii_case("connection"))
        });
        let head = kept.collect::<Vec<_>>().join("\r\n");
        let mut bytes = format!("{head}\r\nconnection: close\r\n\r\n").into_bytes();
        bytes.extend(&self.body);
        exchange(address, &bytes)
    }

    /// Method and path.
    pub(super) fn what(&self) -> String {
        let line = self.head.lines().next().unwrap_or_default();
        line.rsplit_once(' ').map_or(line, |(what, _)| what).to_owned()
    }
}

/// Asks an address and answers the body of a good answer.
pub(super) fn ask(address: &str, what: &str, token: &str, body: &str) -> Result<String> {
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(address, request.as_bytes()).with_context(|| format!("ask {address}: {what}"))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => bail!("{address} answered {what} with {answer:?}"),
    }
}

fn exchange(address: &str, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let read = stream.read(&mut buffer)?;
    bytes.extend(buffer.iter().take(read));
    Ok(read > 0)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
