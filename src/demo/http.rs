//! A client of the model server as plain as one can be: JSON over one HTTP/1.1 connection that is kept open.
//!
//! It speaks only the part of RFC 9112 that `tagship serve` answers with: a status line, fields, and a body of a
//! stated length.

use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

/// The longest that an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Largest answer that is read, in bytes; the demo asks for nothing near it.
const LARGEST: usize = 4 << 20;
/// Most fields that an answer may have.
const MOST_FIELDS: usize = 64;

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    server: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    /// A sentence when it cannot be reached.
    pub(super) async fn open(server: SocketAddr) -> std::result::Result<Self, String> {
        let connected = timeout(LIMIT, TcpStream::connect(server)).await.unwrap_or_else(|_late| Err(late()));
        let stream = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = stream.map_err(|error| format!("connect to http://{server}: {error}"))?;
        Ok(Self { server, stream: BufReader::new(stream) })
    }

    /// Posts a JSON document; answers the body of a `200`.
    ///
    /// # Errors
    /// A sentence when there is another answer or none.
    pub(super) async fn post(&mut self, path: &str, body: &str) -> std::result::Result<String, String> {
        let exchanged = timeout(LIMIT, self.exchange(path, body)).await.unwrap_or_else(|_late| Err(late()));
        let failed = |why: &str| format!("POST http://{}{path}: {why}", self.server);
        match exchanged {
            Ok((200, body)) => Ok(body),
            Ok((status, body)) => Err(failed(&format!("status {status}: {}", body.trim_end()))),
            Err(error) => Err(failed(&error.to_string())),
        }
    }

    async fn exchange(&mut self, path: &str, body: &str) -> Result<(u16, String)> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.server,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| broken("the answer is no HTTP"))?;
        let length = self.length().await?.filter(|length| *length <= LARGEST);
        let mut body = vec![0; length.ok_or_else(|| broken("the answer has no usable length"))?];
        self.stream.read_exact(&mut body).await?;
        Ok((status, String::from_utf8(body).map_err(|_text| broken("the answer is no text"))?))
    }

    /// Reads the fields of an answer; the length of its body, where one is stated.
    async fn length(&mut self) -> Result<Option<usize>> {
        let mut length = None;
        for _ in 0..MOST_FIELDS {
            let field = self.line().await?;
            if field.is_empty() {
                return Ok(length);
            }
            if let Some((name, value)) = field.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        Err(broken("the answer has too many fields"))
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let most = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        (&mut self.stream).take(most).read_line(&mut line).await?;
        if !line.ends_with('\n') {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                "the connection was closed in the middle of an answer",
            ));
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

fn late() -> Error {
    Error::new(ErrorKind::TimedOut, format!("no answer within {} s", LIMIT.as_secs()))
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each request of one connection with the next of these texts, then hangs up.
    async fn server(answers: Vec<&'static str>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            for answer in answers {
                let length = stream.read(&mut request).await.unwrap();
                assert!(request[..length].ends_with(b"{}"), "the whole request was sent");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn one_connection_carries_many_exchanges() {
        let answers = [
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ];
        let mut connection = Connection::open(server(answers.to_vec()).await).await.unwrap();
        assert_eq!(connection.post("/a", "{}").await.unwrap(), "one");
        assert_eq!(connection.post("/a", "{}").await.unwrap(), "");
        let gone = connection.post("/a", "{}").await.unwrap_err();
        assert!(gone.contains("/a: "), "{gone}");
    }

    #[tokio::test]
    async fn anything_but_a_whole_200_is_an_error_that_says_what_came() {
        for (answer, told) in [
            ("HTTP/1.1 503 Gone\r\nContent-Length: 4\r\n\r\nbusy", "status 503: busy"),
            ("HTTP/1.1 200 OK\r\n\r\n", "no usable length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "eof"),
            ("HTTP/1.1 200 OK\r\nContent-Le", "closed in the middle"),
            ("nonsense\r\n\r\n", "no HTTP"),
        ] {
            let mut connection = Connection::open(server(vec![answer]).await).await.unwrap();
            let said = connection.post("/a", "{}").await.unwrap_err();
            assert!(said.contains(told), "{answer:?}: {said}");
        }
    }
}
