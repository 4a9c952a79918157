//! The scanner as a service: one request at a time, on loopback, each of bounded size and time.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use shield::{Counts, Scanner};

use crate::print::print;

/// No prompt is longer.
const LONGEST: u64 = 1 << 20;
/// No client keeps the others waiting for longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers until it is ended; says on standard output where.
pub(crate) fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let scanner = Scanner::new();
    let mut counts = Counts::default();
    print(&format!("listening on {}\n", listener.local_addr()?))?;
    for stream in listener.incoming() {
        // A client that goes away in the middle is no reason to end.
        if let Err(error) = stream.and_then(|stream| answer(&stream, &scanner, &mut counts)) {
            writeln!(io::stderr(), "shield: {error}")?;
        }
    }
    Ok(())
}

fn answer(stream: &TcpStream, scanner: &Scanner, counts: &mut Counts) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(LONGEST));
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(u64::MAX);
        }
    }
    let (status, body) = match request.split_whitespace().take(2).collect::<Vec<_>>()[..] {
        ["GET", "/metrics"] => ("200 OK", metrics(counts)?),
        ["POST", "/scan"] if length > LONGEST / 2 => ("413 Content Too Large", String::new()),
        ["POST", "/scan"] => {
            let mut prompt = Vec::new();
            reader.take(length).read_to_end(&mut prompt)?;
            let verdict = scanner.scan(&String::from_utf8_lossy(&prompt));
            counts.add(verdict);
            ("200 OK", format!("{:?} {}\n", verdict.decision(), verdict.score).to_lowercase())
        }
        _ => ("404 Not Found", String::new()),
    };
    let head = format!("content-type: text/plain; version=0.0.4\r\ncontent-length: {}", body.len());
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nconnection: close\r\n\r\n{body}")
}

/// What Prometheus scrapes, its text format: the names that every client library uses for a process.
fn metrics(counts: &Counts) -> io::Result<String> {
    let Counts { allowed, reviewed, blocked, hits } = counts;
    // In pages of 4 KiB, the size on every system that this file is there on but large ones.
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 =
        statm.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(|| {
            io::Error::other(format!("failed to read resident pages from `{statm}`"))
        })?;
    Ok(format!(
        "# HELP process_resident_memory_bytes Resident memory size in bytes.\n\
         # TYPE process_resident_memory_bytes gauge\n\
         process_resident_memory_bytes {}\n\
         # HELP shield_prompts_total Prompts by what became of them.\n\
         # TYPE shield_prompts_total counter\n\
         shield_prompts_total{{decision=\"allow\"}} {allowed}\n\
         shield_prompts_total{{decision=\"review\"}} {reviewed}\n\
         shield_prompts_total{{decision=\"block\"}} {blocked}\n\
         # HELP shield_hits_total Phrases and shapes that were found.\n\
         # TYPE shield_hits_total counter\n\
         shield_hits_total {hits}\n",
        pages * 4096
    ))
}
