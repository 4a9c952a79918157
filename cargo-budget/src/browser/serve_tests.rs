//! Tests with requests to the server as a browser, or somebody with bad intentions, sends them.

use std::fs;

use super::*;

/// A folder `site` with a few files, and a secret beside it.
fn site() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("perf-budget-serve.").tempdir().unwrap();
    let site = dir.path().join("site");
    fs::create_dir_all(site.join("sub")).unwrap();
    fs::write(dir.path().join("secret"), "secret").unwrap();
    fs::write(site.join("index.html"), "<p>home").unwrap();
    fs::write(site.join("sub/index.html"), "<p>sub").unwrap();
    fs::write(site.join("a b.wasm"), b"\0asm").unwrap();
    fs::write(site.join("large.bin"), vec![7; 3 << 20]).unwrap();
    fs::create_dir(site.join("empty")).unwrap();
    std::os::unix::fs::symlink("../secret", site.join("out")).unwrap();
    std::os::unix::fs::symlink("..", site.join("up")).unwrap();
    std::os::unix::fs::symlink("sub/index.html", site.join("inside.html")).unwrap();
    dir
}

fn serve(dir: &tempfile::TempDir) -> Server {
    let more = [("pkg/app.wasm".to_owned(), dir.path().join("secret"))];
    Server::start(Folder::new(&dir.path().join("site"), &more, true).unwrap()).unwrap()
}

/// Sends bytes and returns all that comes back until the connection ends.
fn ask(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // A server with too many connections ends this one.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn get(server: &Server, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nConnection: close\r\n\r\n");
    String::from_utf8_lossy(&ask(server, request.as_bytes())).into_owned()
}

#[test]
fn files_have_their_types_and_lengths() {
    let dir = site();
    let server = serve(&dir);
    let home = get(&server, "/");
    assert!(home.starts_with("HTTP/1.1 200 OK\r\n") && home.ends_with("\r\n\r\n<p>home"), "{home}");
    assert!(home.contains("Content-Length: 7\r\n") && home.contains("require-corp"), "{home}");
    assert!(
        get(&server, "/sub").ends_with("<p>sub") && get(&server, "/sub/?q").ends_with("<p>sub")
    );
    assert!(get(&server, "/inside.html").ends_with("<p>sub"));
    assert!(get(&server, "/a%20b.wasm").contains("Content-Type: application/wasm\r\n"));
    let placed = get(&server, "/pkg/app.wasm");
    assert!(placed.contains("application/wasm") && placed.ends_with("secret"), "{placed}");
    assert!(!home.to_lowercase().contains("date:"));
    let large = ask(&server, b"GET /large.bin HTTP/1.0\r\n\r\n");
    let body = &large[large.len().saturating_sub(3 << 20)..];
    assert!(body.len() == 3 << 20 && body.iter().all(|byte| *byte == 7));
    let head = ask(&server, b"HEAD /large.bin HTTP/1.0\r\n\r\n");
    assert!(head.len() < 300 && String::from_utf8_lossy(&head).contains("Content-Length: 3145728"));
}

#[test]
fn nothing_outside_of_the_folder_is_served() {
    let dir = site();
    let server = serve(&dir);
    for target in [
        "/../secret",
        "/%2e%2e/secret",
        "/sub/../../secret",
        "/..%2fsecret",
        "/out",
        "/up/secret",
        "/up/site/../secret",
        "/secret%00",
        "/index.html%00",
        "/empty",
        "/missing",
        "/%5c..%5csecret",
    ] {
        let answer = get(&server, target);
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{target}: {answer}");
        assert!(!answer.contains("secret"), "{target}: {answer}");
    }
    // The link `up` leads out of the folder to the directory above.
    assert!(get(&server, "/up").starts_with("HTTP/1.1 404"));
}

#[test]
fn bytes_that_are_no_request_end_only_their_own_connection() {
    let dir = site();
    let server = serve(&dir);
    let long = [&b"GET /"[..], "a".repeat(HEAD + 5000).as_bytes(), b" HTTP/1.1\r\n\r\n"].concat();
    for bytes in [&b"\xff\xfe\r\n\r\n"[..], b"GET\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", &long] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // The server may refuse the request before it has read all of it.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 40"), "{answer:?}");
    }
    assert!(get(&server, "/").ends_with("<p>home"));
}

#[test]
fn a_connection_takes_several_requests_even_at_once() {
    let dir = site();
    let server = serve(&dir);
    let two = b"GET / HTTP/1.1\r\n\r\nGET /sub HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = String::from_utf8(ask(&server, two)).unwrap();
    assert!(answer.contains("<p>homeHTTP/1.1 200 OK") && answer.ends_with("<p>sub"), "{answer}");
}

#[test]
fn many_silent_connections_do_not_stop_the_others_for_ever() {
    let dir = site();
    let server = serve(&dir);
    let silent: Vec<TcpStream> =
        (0..CONNECTIONS + 8).filter_map(|_| TcpStream::connect(server.address).ok()).collect();
    drop(silent);
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while !get(&server, "/").ends_with("<p>home") {
        assert!(std::time::Instant::now() < until, "the server takes no connection any more");
    }
}

#[test]
fn a_missing_folder_or_file_is_named() {
    let dir = site();
    let missing = Folder::new(&dir.path().join("none"), &[], false).unwrap_err().to_string();
    assert!(missing.contains("none`"), "{missing}");
    let failure = |name: &str, file: &str| {
        Folder::new(dir.path(), &[(name.to_owned(), dir.path().join(file))], false)
            .unwrap_err()
            .to_string()
    };
    assert!(failure("a.wasm", "none").contains("none`: there is no such file"));
    assert!(failure("../a.wasm", "secret").contains("cannot be the path"));
    assert!(failure("", "secret").contains("cannot be the path"));
}
