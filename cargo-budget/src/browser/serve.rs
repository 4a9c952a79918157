//! A server of one folder on the loopback interface, for as long as a page is opened.
//!
//! It sends files as they are, with their types and lengths, and nothing that differs from one run to the next. A date, for
//! example, could change the number of bytes that a page transfers.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::request::{self, Request, Status};
use crate::failure::Failure;

/// The longest head of a request.
const HEAD: usize = 16 << 10;
/// How many connections are served at the same time. A browser opens six to one server.
const CONNECTIONS: usize = 64;
/// How long a connection may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder that is served.
#[derive(Debug)]
pub(super) struct Folder {
    /// The folder, without links in its path.
    root: PathBuf,
    /// Files at other places, by their paths below the folder.
    files: Vec<(PathBuf, PathBuf)>,
    /// Whether the page is isolated from other origins, as threads of WebAssembly need it.
    is_isolated: bool,
}

impl Folder {
    /// Returns the folder with these further files. Fails if one of them is not there.
    pub(super) fn new(
        root: &Path,
        files: &[(String, PathBuf)],
        is_isolated: bool,
    ) -> Result<Folder, Failure> {
        let whole = root.canonicalize().map_err(|e| Failure::io("open", root, &e))?;
        let placed = files.iter().map(|(name, file)| {
            let path = request::below(&format!("/{name}")).ok();
            let Some(path) = path.filter(|path| path.components().next().is_some()) else {
                let text = format!("`{name}` cannot be the path of a file of the page");
                return Err(Failure::usage(text));
            };
            if !file.is_file() {
                let text = format!("failed to serve `{}`: there is no such file", file.display());
                return Err(Failure::unmeasured(text));
            }
            Ok((path, file.clone()))
        });
        Ok(Folder { root: whole, files: placed.collect::<Result<_, _>>()?, is_isolated })
    }

    /// Opens the file at a path. The path of a folder stands for its `index.html`. A file outside of the folder is not opened,
    /// even if a link leads to it.
    fn find(&self, path: &Path) -> Option<(File, PathBuf)> {
        if let Some((_, file)) = self.files.iter().find(|(name, _)| name == path) {
            return Some((File::open(file).ok()?, path.to_owned()));
        }
        let mut whole = self.root.join(path).canonicalize().ok()?;
        if whole.is_dir() {
            whole = whole.join("index.html").canonicalize().ok()?;
        }
        // Opening a pipe would block, and a device has no end.
        if !whole.starts_with(&self.root) || !whole.is_file() {
            return None;
        }
        Some((File::open(&whole).ok()?, whole))
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Server {
    /// Starts to serve a folder on a free port.
    pub(super) fn start(folder: Folder) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server =
            Server { address: listener.local_addr()?, is_over: Arc::new(AtomicBool::new(false)) };
        let (is_over, folder) = (Arc::clone(&server.is_over), Arc::new(folder));
        let open = Arc::new(AtomicUsize::new(0));
        std::thread::Builder::new().name("serve".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                    open.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                let (folder, open) = (Arc::clone(&folder), Arc::clone(&open));
                let serve = move || {
                    // If the browser closes the connection early, it has what it wanted, so the error does not matter.
                    let _ = connection(stream, &folder);
                    open.fetch_sub(1, Ordering::Relaxed);
                };
                let _ = std::thread::Builder::new().name("connection".to_owned()).spawn(serve);
            }
        })?;
        Ok(server)
    }

    /// Returns the address of the folder's `/`, without the slash.
    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The server's thread is waiting for a connection. This one wakes it, so that it can end.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

/// Answers the requests of one connection.
fn connection(mut stream: TcpStream, folder: &Folder) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    loop {
        let end = match end_of_head(&read) {
            Some(end) => end,
            None if read.len() > HEAD => return refuse(&mut stream, Status::Bad),
            None => {
                let mut piece = [0; 4096];
                match stream.read(&mut piece)? {
                    0 => return Ok(()),
                    n => read.extend(&piece[..n]),
                }
                continue;
            }
        };
        let request = match request::parse(&read[..end]) {
            Ok(request) => request,
            Err(status) => return refuse(&mut stream, status),
        };
        read.drain(..end);
        respond(&mut stream, folder, &request)?;
        if !request.keeps_open {
            return Ok(());
        }
    }
}

/// Returns the length of the head of a request, with its empty line; `None` if the head is not complete.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn respond(stream: &mut TcpStream, folder: &Folder, request: &Request) -> io::Result<()> {
    let connection = if request.keeps_open { "keep-alive" } else { "close" };
    let isolated = if folder.is_isolated {
        "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n"
    } else {
        ""
    };
    let (status, mut file, length, kind) = match folder.find(&request.path) {
        Some((file, path)) => {
            let length = file.metadata()?.len();
            ("200 OK", Some(file), length, request::content_type(&path))
        }
        None => (Status::NotFound.line(), None, 0, "text/plain"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{isolated}Connection: {connection}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    if let Some(file) = file.as_mut().filter(|_| request.is_get) {
        let sent = io::copy(&mut file.take(length), stream)?;
        if sent < length {
            // The file became shorter, so the rest of the answer cannot be sent.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Answers a request that is not understood, and ends the connection.
fn refuse(stream: &mut TcpStream, status: Status) -> io::Result<()> {
    let line = status.line();
    let head = format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
