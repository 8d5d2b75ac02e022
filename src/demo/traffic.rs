//! Live traffic: clients that ask the served model about one row at a time, and learn the truth a little later.
//!
//! They know no version. Who answers is the server's choice by weight, and the label of an answer goes back to the
//! server under the answer's id, as it does where outcomes arrive after predictions.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tagship_runner::Failure;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use super::{
    fixtures::MODEL,
    http::Connection,
    inference::{LiveRows, infer_path, tensor},
};

/// Requests per second that all clients send together, at most: a busy machine gets fewer, never a burst.
pub(super) const RATE: u32 = 250;
/// How many clients there are.
const CLIENTS: u32 = 8;
/// How long after its answer the truth about a row is known.
pub(super) const LABEL_DELAY: Duration = Duration::from_millis(300);
/// Where labels go.
const FEEDBACK: &str = "/feedback";

/// Clients at work. Dropping it stops them at once.
#[derive(Debug)]
pub(super) struct Traffic {
    shared: Arc<Shared>,
    clients: JoinSet<Result<(), String>>,
}

/// What all clients share.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    rows: Arc<LiveRows>,
    stopped: AtomicBool,
    served: Mutex<ServedBy>,
}

/// What every version answered to live traffic.
pub(super) type ServedBy = BTreeMap<String, Served>;

/// What a version answered to live traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Served {
    /// Requests that it answered.
    pub(super) answered: u64,
    /// Of these, with the true label.
    pub(super) right: u64,
}

impl fmt::Display for Served {
    #[allow(clippy::cast_precision_loss, reason = "the demo does not send 2^52 requests")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.right as f64 / self.answered as f64 * 100.0;
        write!(f, "answered {}, {share:.1} % of them right", self.answered)
    }
}

/// An answer whose truth is not known yet.
#[derive(Debug)]
struct Answered {
    due: Instant,
    id: String,
    truth: i64,
}

impl Traffic {
    /// Begins to ask a server about live rows.
    pub(super) fn start(server: SocketAddr, rows: &Arc<LiveRows>) -> Self {
        let (stopped, served) = (AtomicBool::new(false), Mutex::default());
        let shared = Arc::new(Shared { server, rows: Arc::clone(rows), stopped, served });
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(client(Arc::clone(&shared), number));
        }
        Self { shared, clients }
    }

    /// How many requests a version has answered so far.
    pub(super) fn answered(&self, version: &str) -> u64 {
        let served = self.shared.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.get(version).map_or(0, |served| served.answered)
    }

    /// Stops asking, waits for the last labels, and tells what every version answered.
    ///
    /// # Errors
    /// When any request was not answered, or any label not taken.
    pub(super) async fn stop(mut self) -> Result<ServedBy, Failure> {
        self.shared.stopped.store(true, Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            let ended = ended.unwrap_or_else(|crash| Err(crash.to_string()));
            ended.map_err(|why| Failure::incomplete(format!("live traffic: {why}")))?;
        }
        let served = self.shared.served.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(served.clone())
    }
}

/// One client: it asks on one connection and brings labels on another, so that neither waits for the other.
async fn client(shared: Arc<Shared>, number: u32) -> Result<(), String> {
    let (answered, due) = unbounded_channel();
    tokio::try_join!(ask(&shared, number, answered), bring_labels(&shared, due)).map(drop)
}

async fn ask(shared: &Shared, number: u32, answered: UnboundedSender<Answered>) -> Result<(), String> {
    let rows = &shared.rows;
    let mut connection = Connection::open(shared.server).await?;
    let mut pace = interval(Duration::from_secs(1) * CLIENTS / RATE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // Clients begin at different rows, so that the same row is not asked about eight times in a row.
    let first = rows.ids.len() * number as usize / CLIENTS as usize;
    for row in (0..rows.ids.len()).cycle().skip(first) {
        pace.tick().await;
        if shared.stopped.load(Relaxed) {
            break;
        }
        let text = connection.post(&infer_path(), &rows.request(row..row + 1).to_string()).await?;
        let truth = rows.labels[row];
        let id = shared.count(&text, truth).ok_or_else(|| format!("an answer without a label: {text}"))?;
        // The other half of this client ends after this one, or with an error that ends both.
        let _ = answered.send(Answered { due: Instant::now() + LABEL_DELAY, id, truth });
    }
    Ok(())
}

async fn bring_labels(shared: &Shared, mut answered: UnboundedReceiver<Answered>) -> Result<(), String> {
    let mut connection = Connection::open(shared.server).await?;
    while let Some(Answered { due, id, truth }) = answered.recv().await {
        sleep_until(due).await;
        let feedback = json!({ "model": MODEL, "id": id, "label": truth });
        connection.post(FEEDBACK, &feedback.to_string()).await?;
    }
    Ok(())
}

impl Shared {
    /// Counts an answer for the version that gave it; answers its id.
    fn count(&self, answer: &str, truth: i64) -> Option<String> {
        let answer: Value = serde_json::from_str(answer).ok()?;
        let (version, id) = (answer["model_version"].as_str()?, answer["id"].as_str()?);
        let [label] = tensor(&answer, "label", Value::as_i64)?[..] else { return None };
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let version = served.entry(version.to_owned()).or_default();
        version.answered += 1;
        version.right += u64::from(label == truth);
        Some(id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// A server that gives every prediction this status, and passes on what it gets as feedback.
    async fn server(status: &'static str) -> (SocketAddr, UnboundedReceiver<Value>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (labels, brought) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, status, labels.clone()));
            }
        });
        (address, brought)
    }

    async fn serve(mut stream: TcpStream, status: &'static str, labels: UnboundedSender<Value>) {
        let mut request = [0; 4096];
        let answer = r#"{"model_version":"v1.0.0","id":"7","outputs":[{"name":"label","data":[1]}]}"#;
        while let Ok(length @ 1..) = stream.read(&mut request).await {
            let (head, body) = str::from_utf8(&request[..length]).unwrap().split_once("\r\n\r\n").unwrap();
            let (status, answer) = if head.starts_with("POST /feedback ") {
                let _ = labels.send(serde_json::from_str(body).unwrap());
                ("200 OK", "{}")
            } else {
                (status, answer)
            };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn every_answer_gets_its_label_before_traffic_stops() {
        let (address, mut labels) = server("200 OK").await;
        let rows = Arc::new(LiveRows::read().unwrap());
        let traffic = Traffic::start(address, &rows);
        let first = labels.recv().await.unwrap();
        assert_eq!((&first["model"], &first["id"]), (&json!(MODEL), &json!("7")));
        assert!(traffic.answered("v1.0.0") > 0);
        let served = traffic.stop().await.unwrap()["v1.0.0"];
        let mut brought = vec![first];
        while let Ok(label) = labels.try_recv() {
            brought.push(label);
        }
        assert_eq!(brought.len() as u64, served.answered);
        let right = brought.iter().filter(|label| label["label"] == 1).count() as u64;
        assert_eq!(right, served.right, "what is right is what the truth says");
    }

    #[tokio::test]
    async fn a_request_that_fails_fails_the_traffic() {
        let (address, labels) = server("503 Service Unavailable").await;
        let rows = Arc::new(LiveRows::read().unwrap());
        let mut traffic = Traffic::start(address, &rows);
        let ended = traffic.clients.join_next().await.unwrap().unwrap();
        assert!(ended.unwrap_err().contains("status 503"));
        let failed = traffic.stop().await.unwrap_err();
        assert!(failed.message.contains("status 503"), "{}", failed.message);
        assert!(labels.is_empty(), "there is no truth about an answer that was not given");
    }

    #[test]
    fn what_was_served_is_told_in_words() {
        let served = Served { answered: 160, right: 120 };
        assert_eq!(served.to_string(), "answered 160, 75.0 % of them right");
    }
}
