//! A request for a file of the folder: its head, as bytes, becomes the path of a file below the folder, or a refusal.
//! Nothing here touches a file.

use std::path::{Component, Path, PathBuf};

/// The content of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The path below the folder; empty for the folder itself.
    pub(super) path: PathBuf,
    /// Whether the content is wanted, and not only the head of the answer.
    pub(super) is_get: bool,
    /// Whether the connection stays open afterwards.
    pub(super) keeps_open: bool,
}

/// The status of an answer without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// The request cannot be understood.
    Bad,
    /// There is no such file, or it is not below the folder.
    NotFound,
    /// The method is neither GET nor HEAD.
    Method,
}

impl Status {
    /// Returns the code and the words of the status line.
    pub(super) fn line(self) -> &'static str {
        match self {
            Status::Bad => "400 Bad Request",
            Status::NotFound => "404 Not Found",
            Status::Method => "405 Method Not Allowed",
        }
    }
}

/// Reads the head of a request.
pub(super) fn parse(head: &[u8]) -> Result<Request, Status> {
    let head = std::str::from_utf8(head).map_err(|_| Status::Bad)?;
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Status::Bad);
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Status::Bad);
    }
    let is_get = match method {
        "GET" => true,
        "HEAD" => false,
        _ => return Err(Status::Method),
    };
    let closes = |line: &str| {
        let header = line.split_once(':');
        header.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close")
        })
    };
    let keeps_open = version == "HTTP/1.1" && !lines.any(closes);
    Ok(Request { path: below(target)?, is_get, keeps_open })
}

/// Returns the path below the folder that the target of a request names. The path has only plain names, so no part of it
/// leads upward.
pub(super) fn below(target: &str) -> Result<PathBuf, Status> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix('/').ok_or(Status::Bad)?;
    let decoded = decoded(path).ok_or(Status::Bad)?;
    if decoded.contains(['\0', '\\']) {
        return Err(Status::NotFound);
    }
    let mut below = PathBuf::new();
    for part in decoded.split('/').filter(|part| !part.is_empty()) {
        let mut components = Path::new(part).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(name)), None) if name == part => below.push(name),
            _ => return Err(Status::NotFound),
        }
    }
    Ok(below)
}

/// Returns a text with each escape such as `%41` replaced by its byte; `None` if the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let (text, mut at) = (text.as_bytes(), 0);
    let mut bytes = Vec::with_capacity(text.len());
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            let (high, low) = (*text.get(at + 1)?, *text.get(at + 2)?);
            bytes.push((digit(high)? * 16 + digit(low)?) as u8);
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Returns the type of a file by its name. Browsers insist on the right type for scripts, style sheets and modules.
pub(super) fn content_type(path: &Path) -> &'static str {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "xml" => "application/xml",
        "txt" | "md" => "text/plain; charset=utf-8",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_path_of_plain_names() {
        let check = |target: &str, want: &str| assert_eq!(below(target), Ok(PathBuf::from(want)));
        check("/", "");
        check("/a/b.js?x=/../..#y", "a/b.js");
        check("//a//b", "a/b");
        check("/a%20b/%C3%A4.wasm", "a b/ä.wasm");
        check("/..a/b..", "..a/b..");
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for target in [
            "/..",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/a/%2E%2E/x",
            "/.",
            "/a/./b",
            "/%2e",
            "/..%2fx",
            "/a%2f..%2f..%2fx",
            "/\\..\\x",
            "/a%5c..%5cx",
            "/x%00.html",
            "/%2fetc/../passwd",
        ] {
            assert_eq!(below(target), Err(Status::NotFound), "{target}");
        }
        for target in ["", "x", "http://other/x", "*", "/%", "/%2", "/%zz", "/%ff", "/%+1"] {
            assert_eq!(below(target), Err(Status::Bad), "{target}");
        }
        // An absolute path is taken as one below the folder.
        assert_eq!(below("/%2fetc/passwd"), Ok("etc/passwd".into()));
    }

    #[test]
    fn a_head_is_read_or_refused() {
        let get = parse(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(get, Request { path: "a".into(), is_get: true, keeps_open: true });
        let closed = parse(b"HEAD / HTTP/1.1\r\nconnection: Close\r\n\r\n").unwrap();
        assert!(!closed.keeps_open && !closed.is_get);
        assert!(!parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().keeps_open);
        assert_eq!(parse(b"POST / HTTP/1.1\r\n\r\n"), Err(Status::Method));
        for bad in [&b""[..], b"\xff", b"GET", b"GET /", b"GET / x HTTP/1.1", b"GET / HTTP/2"] {
            assert_eq!(parse(bad), Err(Status::Bad), "{bad:?}");
        }
    }

    #[test]
    fn modules_and_scripts_have_the_types_that_browsers_insist_on() {
        let kind = |name: &str| content_type(Path::new(name));
        assert_eq!(kind("a.wasm"), "application/wasm");
        assert_eq!((kind("a.MJS"), kind("a.js")), (kind("x.js"), kind("x.mjs")));
        assert!(kind("a.html").starts_with("text/html") && kind("a.css").starts_with("text/css"));
        assert_eq!((kind("a"), kind(".wasm")), (kind("a.bin"), "application/octet-stream"));
    }
}
