//! HTTP/1.1 on a loopback port with full control over the connection: an answer can be held back or the connection cut
//! at any point, which server libraries do not offer.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Largest body that is taken, in bytes.
const LARGEST: usize = 64 << 20;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, still encoded.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What happens to the connection.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Nothing comes, until the client gives up.
    Silence,
    /// The connection ends without an answer.
    Cut,
    /// The answer ends in its middle.
    Half {
        body: Vec<u8>,
    },
    /// An answer that comes in parts, as they are made, until there are no more.
    Parts(Parts),
}

/// Makes the next part of an answer; waits for it where it must.
pub(crate) struct Parts(pub(crate) Box<dyn FnMut() -> Option<Vec<u8>> + Send>);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// A server; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound port has an address");
        let (stopped, handler) = (Arc::new(AtomicBool::new(false)), Arc::new(handler));
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let handler = Arc::clone(&handler);
                // A client that goes away ends its connection, nothing else.
                thread::spawn(move || converse(&stream, handler.as_ref()));
            }
        });
        Self { address, stopped }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers requests on one connection until it ends.
fn converse(stream: &TcpStream, handler: &(impl Fn(&Request) -> Reply + ?Sized)) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    loop {
        let request = read(&mut reader)?;
        match handler(&request) {
            Reply::Answer { status, mut headers, body } => {
                let closes = request.header("connection") == Some("close");
                if closes {
                    // A client that is not told keeps the connection for its next request, and loses that.
                    headers.push(("connection".to_owned(), "close".to_owned()));
                }
                write(stream, status, &headers, &body, body.len())?;
                if closes {
                    return None;
                }
            }
            Reply::Half { body } => return write(stream, 200, &[], &body[..body.len() / 2], body.len()),
            Reply::Cut => return None,
            Reply::Parts(parts) => return write_parts(stream, parts),
            Reply::Silence => {
                let mut rest = Vec::new();
                let _ = reader.read_to_end(&mut rest);
                return None;
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Request { method, target, headers, body: Vec::new() };
    let length = request.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
    // The real host takes no chunked upload either.
    if length > LARGEST || request.header("transfer-encoding").is_some() {
        return None;
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Sends the parts in chunks. The connection is not used again.
fn write_parts(mut stream: &TcpStream, mut parts: Parts) -> Option<()> {
    let head = "HTTP/1.1 200 x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    while let Some(part) = (parts.0)() {
        let mut chunk = format!("{:x}\r\n", part.len()).into_bytes();
        chunk.extend(part);
        chunk.extend(b"\r\n");
        stream.write_all(&chunk).ok()?;
    }
    stream.write_all(b"0\r\n\r\n").ok()
}

fn write(
    mut stream: &TcpStream,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
    length: usize,
) -> Option<()> {
    use std::fmt::Write as _;
    let mut head = format!("HTTP/1.1 {status} x\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    // These two have no body by definition.
    if !matches!(status, 204 | 304) {
        let _ = write!(head, "content-length: {length}\r\n");
    }
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).ok()
}
