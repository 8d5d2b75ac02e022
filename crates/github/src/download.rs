//! Reading the bytes of an asset: streamed, bounded, hashed on the way. The host answers with the bytes or with the
//! signed address of a storage elsewhere, which is asked without the token and named in no error.

use std::{
    fmt::Display,
    io::{self, SeekFrom},
    path::PathBuf,
};

use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, Limited};
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
    time,
};

use crate::{
    answer::Answer,
    call::Call,
    client::{Client, Tries},
    error::CallError,
    retry::Outcome,
    transport::{SLOWEST, Transport, lost, request},
};

/// Longest error of the host that is read, in bytes.
const LONGEST_ERROR: usize = 1 << 20;

/// Where the bytes go.
#[derive(Debug)]
enum To {
    Nowhere,
    Memory(Vec<u8>),
    /// With its name for messages.
    File(File, PathBuf),
}

/// What takes the bytes of a download; each attempt begins anew, behind what is kept.
#[derive(Debug)]
pub(crate) struct Sink {
    to: To,
    hasher: Sha256,
    received: u64,
    kept: Kept,
}

/// What is not received again: parts before the one that comes.
#[derive(Debug, Default)]
struct Kept {
    hasher: Sha256,
    length: u64,
}

impl Sink {
    fn new(to: To) -> Self {
        Self { to, hasher: Sha256::new(), received: 0, kept: Kept::default() }
    }

    /// Only the digest is wanted.
    pub(crate) fn nowhere() -> Self {
        Self::new(To::Nowhere)
    }

    pub(crate) fn memory() -> Self {
        Self::new(To::Memory(Vec::new()))
    }

    /// Writes into an open file, which `name` becomes later.
    pub(crate) fn file(file: File, name: PathBuf) -> Self {
        Self::new(To::File(file, name))
    }

    /// The digest of what came.
    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(self.hasher.clone().finalize().into())
    }

    /// What came into memory.
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self.to {
            To::Memory(bytes) => bytes,
            To::Nowhere | To::File(..) => Vec::new(),
        }
    }

    /// Waits until all of it is on disk.
    pub(crate) async fn finish(&mut self) -> Result<(), PortError> {
        match &mut self.to {
            To::File(file, name) => {
                let done = async {
                    file.flush().await?;
                    file.sync_all().await
                };
                done.await.map_err(|error| unwritten(name, &error))
            }
            To::Nowhere | To::Memory(_) => Ok(()),
        }
    }

    /// Keeps what came: what comes next goes behind it.
    pub(crate) fn keep(&mut self) {
        self.kept.length += self.received;
        self.kept.hasher = self.hasher.clone();
        self.received = 0;
    }

    /// Keeps nothing of what came.
    pub(crate) fn begin_anew(&mut self) {
        self.kept = Kept::default();
    }

    async fn restart(&mut self) -> Result<(), PortError> {
        (self.hasher, self.received) = (self.kept.hasher.clone(), 0);
        let length = self.kept.length;
        match &mut self.to {
            To::Nowhere => Ok(()),
            To::Memory(bytes) => {
                bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                Ok(())
            }
            To::File(file, name) => {
                let empty = async {
                    file.flush().await?;
                    file.set_len(length).await?;
                    file.seek(SeekFrom::Start(length)).await
                };
                empty.await.map(|_start| ()).map_err(|error| unwritten(name, &error))
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
        match &mut self.to {
            To::Nowhere => Ok(()),
            To::Memory(there) => {
                there.extend_from_slice(bytes);
                Ok(())
            }
            To::File(file, name) => file.write_all(bytes).await.map_err(|error| unwritten(name, &error)),
        }
    }
}

/// A file of this machine that cannot be written.
pub(crate) fn unwritten(path: &std::path::Path, error: &io::Error) -> PortError {
    let failed = PortError::new(Problem::Local, format!("write {}", path.display()), error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            failed.hint("free some space and run again")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            failed.hint("make it writable for this user")
        }
        _ => failed,
    }
}

impl Client {
    /// Reads bytes of at most `size` into the sink, again from the start where that may help. Whether they are the
    /// right ones is for the caller to see: what came whole is not asked for again.
    pub(crate) async fn download(&self, call: &Call, size: u64, sink: &mut Sink) -> Result<(), CallError> {
        let address = self.address(call);
        let mut tries = Tries::default();
        let end = loop {
            let outcome = self.transport()?.download(call, &address, size, sink).await?;
            self.meter.sent(false, tries.attempt);
            if let Some(end) = self.again(call.effect, outcome, &mut tries).await {
                break end;
            }
        };
        self.settle(call, end).await?;
        Ok(sink.finish().await?)
    }
}

impl Transport {
    async fn download(
        &self,
        call: &Call,
        address: &str,
        size: u64,
        sink: &mut Sink,
    ) -> Result<Outcome, PortError> {
        let limit = self.timeout + std::time::Duration::from_secs(size / SLOWEST);
        match time::timeout(limit, self.receive(call, address, size, sink)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Ok(unread(format!("the bytes did not come within {} s", limit.as_secs_f64()))),
        }
    }

    async fn receive(
        &self,
        call: &Call,
        address: &str,
        size: u64,
        sink: &mut Sink,
    ) -> Result<Outcome, PortError> {
        sink.restart().await?;
        let (mut request, _) = request(call, address, None).await?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/octet-stream"));
        let response = match self.octocrab.execute(request).await {
            Ok(response) => response,
            Err(error) => return Ok(lost(&error)),
        };
        let (parts, body) = response.into_parts();
        match parts.status.as_u16() {
            200 => pour(body, size, sink, |error: octocrab::Error| error.to_string()).await,
            302 => match storage(&parts.headers, address) {
                Ok(url) => self.receive_from(url, size, sink).await,
                Err(why) => Err(PortError::new(Problem::Invalid, &call.about, why)),
            },
            status => Ok(match Limited::new(body, LONGEST_ERROR).collect().await {
                Ok(body) => Outcome::Answered(Answer {
                    status,
                    headers: parts.headers,
                    body: body.to_bytes().as_ref().into(),
                    next: None,
                }),
                Err(error) => unread(error.to_string()),
            }),
        }
    }

    /// Reads from a storage. Whatever it refuses may be a link that has run out, so that a new one is worth a try.
    async fn receive_from(&self, url: Url, size: u64, sink: &mut Sink) -> Result<Outcome, PortError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let say = |error: reqwest::Error| format!("the storage at {host}: {}", error.without_url());
        match self.plain.get(url).send().await {
            Ok(response) if response.status() == 200 => {
                let response: http::Response<reqwest::Body> = response.into();
                pour(response.into_body(), size, sink, say).await
            }
            Ok(response) => {
                Ok(unread(format!("the storage at {host} answered {}", response.status().as_u16())))
            }
            Err(error) => Ok(unread(say(error))),
        }
    }
}

/// Where the host sends us. Never from an encrypted connection to a plain one.
fn storage(headers: &HeaderMap, address: &str) -> Result<Url, String> {
    let ours = Url::parse(address).map_err(|error| error.to_string())?;
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let url = location.and_then(|location| ours.join(location).ok());
    match url {
        Some(url) if url.scheme() == "https" || url.scheme() == ours.scheme() => Ok(url),
        Some(url) => Err(format!("the host sends us to a {} address for the bytes", url.scheme())),
        None => Err("the host sends us on without an address".to_owned()),
    }
}

/// Pours a body into the sink; one byte more than the size is enough to know that it is not the right one.
async fn pour<B>(
    body: B,
    size: u64,
    sink: &mut Sink,
    say: impl Fn(B::Error) -> String,
) -> Result<Outcome, PortError>
where
    B: BodyExt,
    B::Data: AsRef<[u8]>,
    B::Error: Display,
{
    let mut body = Box::pin(body);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    sink.write(data.as_ref()).await?;
                }
            }
            Err(error) => return Ok(unread(say(error))),
        }
        if sink.received > size {
            break;
        }
    }
    let (headers, body) = (HeaderMap::new(), [].as_slice().into());
    Ok(Outcome::Answered(Answer { status: 200, headers, body, next: None }))
}

fn unread(message: String) -> Outcome {
    Outcome::Lost { sent: true, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_over_no_weaker_connection() {
        let sent_to = |location: &'static str| {
            let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(location))]);
            storage(&headers, "https://api.example.org/repos/a/b").map(|url| url.to_string())
        };
        assert_eq!(sent_to("https://blob.example.net/x?sig=1").unwrap(), "https://blob.example.net/x?sig=1");
        assert_eq!(sent_to("/storage/x").unwrap(), "https://api.example.org/storage/x");
        assert!(sent_to("http://blob.example.net/x").is_err());
        assert!(sent_to("file:///etc/passwd").is_err());
        assert!(storage(&HeaderMap::new(), "https://api.example.org").is_err());
    }
}
