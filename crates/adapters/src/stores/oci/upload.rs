//! Sending a file as a blob. Where the line breaks off, it is gone on from what has arrived, as far as the registry tells
//! (distribution specification, "Pushing a blob in chunks").

use std::{
    io::SeekFrom,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use reqwest::{Body, Method, Response, StatusCode, Url, header};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, Take},
};

use super::{
    OciStore,
    parts::changed_since,
    registry::{Ask, Sent, TRIES, pause, refused},
};
use crate::{disk::local, stores::ranges::Told};

/// Bytes of a file that are read at a time: each time is a way to another thread and back.
const CHUNK: usize = 1 << 20;

/// A file that becomes a blob, or a part of one that does.
pub(super) struct Upload<'a> {
    pub(super) store: &'a OciStore,
    pub(super) digest: &'a Digest,
    pub(super) file: &'a Path,
    /// Where in the file the blob begins.
    pub(super) from: u64,
    /// Bytes of the blob.
    pub(super) size: u64,
    pub(super) told: Arc<Mutex<Told>>,
}

impl Upload<'_> {
    /// Sends the bytes. The registry keeps it only if its bytes have the digest.
    pub(super) async fn send(&self) -> Result<(), PortError> {
        let about = format!("write {} to {}", self.digest, self.store.place);
        let mut session = self.store.session(&about).await?;
        let mut sent = self.whole(&about, &session).await;
        for tries in 1..TRIES {
            if !sent.as_ref().is_err_and(|error| error.problem == Problem::Unreachable) {
                break;
            }
            pause(tries).await;
            sent = match self.arrived(&about, &session).await {
                Some((url, from)) => self.rest(&about, url, from).await,
                None => {
                    session = self.store.session(&about).await?;
                    self.whole(&about, &session).await
                }
            };
        }
        sent.map_err(|error| match error.problem {
            Problem::Invalid => error.hint(changed_since(self.file)),
            _ => error,
        })
    }

    async fn whole(&self, about: &str, session: &Url) -> Result<(), PortError> {
        let sent = Sent { method: Method::PUT, url: self.named(session), from: 0, size: self.size };
        let answered = self.store.registry.send_body(about, sent, self.body(0).await?).await?;
        created(about, answered).await
    }

    /// Where to go on, and how many bytes the registry has; nothing where it tells none.
    async fn arrived(&self, about: &str, session: &Url) -> Option<(Url, u64)> {
        let ask =
            Ask { about, method: Method::GET, url: session.clone(), headers: vec![], body: None, size: 0 };
        let answered = self.store.registry.send(&ask).await.ok()?;
        let range = answered.headers().get(header::RANGE)?.to_str().ok()?;
        let last: u64 = range.trim_start_matches("bytes=").strip_prefix("0-")?.parse().ok()?;
        // `0-0` is said of one byte, and of none.
        let has_some = answered.status() == StatusCode::NO_CONTENT && last > 0 && last < self.size;
        let url = self.store.registry.ours(about, &answered).unwrap_or_else(|_none| session.clone());
        has_some.then_some((url, last + 1))
    }

    async fn rest(&self, about: &str, mut url: Url, from: u64) -> Result<(), PortError> {
        let registry = &self.store.registry;
        if from < self.size {
            let sent = Sent { method: Method::PATCH, url, from, size: self.size };
            let answered = registry.send_body(about, sent, self.body(from).await?).await?;
            if answered.status() != StatusCode::ACCEPTED && answered.status() != StatusCode::NO_CONTENT {
                return Err(refused(about, answered).await);
            }
            url = registry.ours(about, &answered)?;
        }
        let url = self.named(&url);
        let headers = vec![(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
        let ask = Ask { about, method: Method::PUT, url, headers, body: Some(vec![]), size: self.size };
        created(about, registry.send(&ask).await?).await
    }

    /// The address at which an upload ends as the blob.
    fn named(&self, session: &Url) -> Url {
        let mut url = session.clone();
        url.query_pairs_mut().append_pair("digest", &self.digest.to_string());
        url
    }

    /// The bytes of the blob from there on.
    async fn body(&self, from: u64) -> Result<Body, PortError> {
        let failed = |error: std::io::Error| local("read", self.file, &error);
        let mut file = File::open(self.file).await.map_err(failed)?;
        file.seek(SeekFrom::Start(self.from + from)).await.map_err(failed)?;
        let file = file.take(self.size - from);
        let told = self.told.clone();
        let next = async move |(mut file, mut at, told): (Take<File>, u64, Arc<Mutex<Told>>)| {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = file.read_buf(&mut chunk).await?;
            at += read as u64;
            told.lock().unwrap_or_else(PoisonError::into_inner).at(at);
            Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), (file, at, told))))
        };
        Ok(Body::wrap_stream(futures_util::stream::try_unfold((file, from, told), next)))
    }
}

async fn created(about: &str, answered: Response) -> Result<(), PortError> {
    if answered.status() == StatusCode::CREATED { Ok(()) } else { Err(refused(about, answered).await) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::{
        canned::{Request, Server},
        disk::digest_of,
        stores::{Moved, oci::tests::store},
    };

    const WEIGHTS: &[u8] = b"0123456789";

    fn at(state: &str) -> String {
        format!("location: /v2/churn/blobs/uploads/1?state={state}\r\n")
    }

    /// Sends [`WEIGHTS`] to a registry that gives these answers: how it ended, what it was asked, and how far it was told to be.
    async fn sent(answers: Vec<(u16, String)>) -> (Result<(), PortError>, Vec<Request>, u64) {
        let answers =
            answers.iter().map(|(status, headers)| (*status, headers.as_str(), String::new())).collect();
        let registry = Server::answering(answers).await;
        let told = Arc::new(AtomicU64::new(0));
        let count = told.clone();
        let moved: Moved = Arc::new(move |more| {
            count.fetch_add(more, Ordering::SeqCst);
        });
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("weights");
        std::fs::write(&file, WEIGHTS).unwrap();
        let upload = Upload {
            store: &store(&registry.url, false, &moved),
            digest: &digest_of(WEIGHTS),
            file: &file,
            from: 0,
            size: WEIGHTS.len() as u64,
            told: Arc::new(Mutex::new(Told::new(&moved))),
        };
        let ended = upload.send().await;
        (ended, registry.seen(), told.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn what_arrived_before_the_line_broke_is_not_sent_again() {
        let range = |last: u8| format!("range: 0-{last}\r\n{}", at("b"));
        let broken = || vec![(202, at("a")), (503, String::new())];
        let end = || [(202, at("c")), (201, String::new())];
        let (ended, asked, told) = sent([broken(), vec![(204, range(3))], end().to_vec()].concat()).await;
        ended.unwrap();
        let lines: Vec<&str> = asked.iter().map(|request| request.line.as_str()).collect();
        let digest = digest_of(WEIGHTS).to_string().replace(':', "%3A");
        assert_eq!(
            lines,
            [
                "POST /v2/churn/blobs/uploads/",
                &format!("PUT /v2/churn/blobs/uploads/1?state=a&digest={digest}"),
                "GET /v2/churn/blobs/uploads/1?state=a",
                "PATCH /v2/churn/blobs/uploads/1?state=b",
                &format!("PUT /v2/churn/blobs/uploads/1?state=c&digest={digest}"),
            ]
        );
        assert_eq!(
            (asked[3].body.as_slice(), asked[3].headers["content-range"].as_str()),
            (&b"456789"[..], "4-9")
        );
        assert_eq!(told, 10, "nothing is told twice");

        // All of it had arrived, and only the answer was lost.
        let (ended, asked, _) = sent([broken(), vec![(204, range(9)), (201, String::new())]].concat()).await;
        ended.unwrap();
        assert!(asked[3].line.starts_with("PUT") && asked[3].body.is_empty());
    }

    #[tokio::test]
    async fn a_registry_that_forgot_an_upload_or_has_nothing_of_it_gets_all() {
        for told in [
            (404, String::new()),
            (204, "range: 0-0\r\n".to_owned()),
            (204, String::new()),
            (204, "range: 0-99\r\n".to_owned()),
        ] {
            let begun =
                [(202, at("a")), (503, String::new()), told.clone(), (202, at("b")), (201, String::new())];
            let (ended, asked, _) = sent(begun.to_vec()).await;
            ended.unwrap();
            assert!(asked[4].line.starts_with("PUT") && asked[4].line.contains("state=b"), "{told:?}");
            assert_eq!(asked[4].body, WEIGHTS, "{told:?}");
        }
    }

    #[tokio::test]
    async fn other_bytes_are_not_sent_again_and_a_dead_registry_is_told() {
        let (ended, asked, _) = sent(vec![(202, at("a")), (400, String::new())]).await;
        let error = ended.unwrap_err();
        assert_eq!((error.problem, asked.len()), (Problem::Invalid, 2));
        assert!(error.to_string().contains("run again"), "{error}");
        let again = || [(404, String::new()), (202, at("a")), (503, String::new())];
        let answers = [&[(202, at("a")), (503, String::new())][..], &again(), &again()].concat();
        let (ended, asked, _) = sent(answers).await;
        assert_eq!((ended.unwrap_err().problem, asked.len()), (Problem::Unreachable, 8));
    }
}
