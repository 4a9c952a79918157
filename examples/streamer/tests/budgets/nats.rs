//! NATS by its text protocol: PUB, and SUB on the same connection. It is a publisher's bus: what nobody
//! subscribes to is dropped, and nothing is kept.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use perf_budget::Failed;

use crate::server::{Program, Server, unexpected};

const PROGRAM: Program = Program {
    names: &["nats-server", "/usr/sbin/nats-server"],
    package: "nats-server",
    arguments: |port, _| ["--addr", "127.0.0.1", "--port", port].map(str::to_owned).to_vec(),
};

/// A server, and a client of it.
pub(crate) struct Nats {
    _server: Server,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: Vec<u8>,
}

impl Nats {
    /// `subscribed`: to the subject that it publishes on.
    pub(crate) fn start(subscribed: bool) -> Result<Nats, Failed> {
        let (server, stream) = Server::start(&PROGRAM)?;
        let stream = BufReader::new(stream);
        let mut nats = Nats { _server: server, stream, request: Vec::new(), line: Vec::new() };
        nats.line(b"INFO ")?;
        nats.request.extend_from_slice(b"CONNECT {\"verbose\":false}\r\n");
        if subscribed {
            nats.request.extend_from_slice(b"SUB log 1\r\n");
        }
        nats.pong()?;
        Ok(nats)
    }

    /// Publishes messages in one write, and waits until the server has them all.
    pub(crate) fn publish(&mut self, payloads: &[&[u8]]) -> io::Result<()> {
        self.put(payloads);
        self.pong()
    }

    /// Publishes a message, and waits until it has come back.
    pub(crate) fn round(&mut self, payload: &[u8]) -> io::Result<Vec<u8>> {
        self.put(&[payload]);
        self.send()?;
        self.line(b"MSG log 1 ")?;
        let mut message = vec![0; payload.len() + 2];
        self.stream.read_exact(&mut message)?;
        message.truncate(payload.len());
        Ok(message)
    }

    fn put(&mut self, payloads: &[&[u8]]) {
        for payload in payloads {
            self.request.extend_from_slice(format!("PUB log {}\r\n", payload.len()).as_bytes());
            self.request.extend_from_slice(payload);
            self.request.extend_from_slice(b"\r\n");
        }
    }

    /// Sends what is to be sent and a PING; its answer comes when all before it is done.
    fn pong(&mut self) -> io::Result<()> {
        self.request.extend_from_slice(b"PING\r\n");
        self.send()?;
        self.line(b"PONG")
    }

    fn send(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(&self.request)?;
        self.request.clear();
        Ok(())
    }

    /// Reads a line that begins so.
    fn line(&mut self, begins: &[u8]) -> io::Result<()> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        // The server asks too, whether the client is there.
        if self.line.starts_with(b"PING") {
            self.stream.get_mut().write_all(b"PONG\r\n")?;
            return self.line(begins);
        }
        if self.line.starts_with(begins) { Ok(()) } else { Err(unexpected(&self.line)) }
    }
}
