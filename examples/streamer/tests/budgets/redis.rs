//! Redis Streams by the protocol's own words (RESP): XADD and XREAD on one connection.
//!
//! A client of our own, as it is 60 lines, and no layer of a library's is then in the comparison.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use perf_budget::Failed;

use crate::server::{Program, Server, unexpected};

const PROGRAM: Program = Program {
    names: &["redis-server", "valkey-server"],
    package: "redis-server",
    arguments: |port, directory| {
        let directory = directory.to_string_lossy();
        let words = ["--port", port, "--bind", "127.0.0.1", "--dir", &directory];
        words.into_iter().chain(["--save", "", "--appendonly", "no"]).map(str::to_owned).collect()
    },
};

/// A server with one stream, and a client of it.
pub(crate) struct Redis {
    _server: Server,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    /// The last message that was read.
    read: Vec<u8>,
}

impl Redis {
    pub(crate) fn start() -> Result<Redis, Failed> {
        let (server, stream) = Server::start(&PROGRAM)?;
        let (stream, read) = (BufReader::new(stream), b"0".to_vec());
        Ok(Redis { _server: server, stream, request: Vec::new(), read })
    }

    /// Adds messages in one write (a pipeline), and waits until each is acknowledged.
    pub(crate) fn add(&mut self, payloads: &[&[u8]]) -> io::Result<()> {
        for payload in payloads {
            // As our own topic: what is old is dropped.
            let words = [b"XADD", &b"log"[..], b"MAXLEN", b"~", b"100000", b"*", b"m", payload];
            put(&mut self.request, &words);
        }
        self.send()?;
        for _ in payloads {
            self.value(&mut Vec::new())?;
        }
        Ok(())
    }

    /// Reads on; gives the payload of the next message.
    pub(crate) fn next(&mut self) -> io::Result<Vec<u8>> {
        let words = [b"XREAD", &b"COUNT"[..], b"1", b"STREAMS", b"log", &self.read];
        put(&mut self.request, &words);
        self.send()?;
        // The stream's name, the message's id, its one field and the value of that.
        let mut texts = Vec::new();
        self.value(&mut texts)?;
        let [_, id, _, payload] =
            <[Vec<u8>; 4]>::try_from(texts).map_err(|texts| unexpected(&texts.concat()))?;
        self.read = id;
        Ok(payload)
    }

    fn send(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(&self.request)?;
        self.request.clear();
        Ok(())
    }

    /// Reads one value, and adds the texts in it to `texts`.
    fn value(&mut self, texts: &mut Vec<Vec<u8>>) -> io::Result<()> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let number = || std::str::from_utf8(line.get(1..)?).ok()?.trim_end().parse::<i64>().ok();
        match (line.first(), number()) {
            (Some(b'$'), Some(length @ 0..)) => {
                let mut text = vec![0; length as usize + 2];
                self.stream.read_exact(&mut text)?;
                text.truncate(length as usize);
                texts.push(text);
                Ok(())
            }
            (Some(b'*'), Some(count @ 0..)) => (0..count).try_for_each(|_| self.value(texts)),
            _ => Err(unexpected(&line)),
        }
    }
}

/// A command as an array of texts.
fn put(request: &mut Vec<u8>, words: &[&[u8]]) {
    request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
}
