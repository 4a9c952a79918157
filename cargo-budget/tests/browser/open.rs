//! Tests of `cargo budget open` on pages of every kind, with the Chromium that is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Done, Scratch, run, skipped};
use crate::schemas;

/// A module with seven pages of memory, which it does not export.
const MODULE: &str = "new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 7])";

/// Returns the folder of a test with these files, or `None` without a browser.
fn site(name: &str, files: &[(&str, &str)]) -> Option<Scratch> {
    if crate::browser().is_none() {
        skipped("there is no Chromium to open pages with");
        return None;
    }
    let scratch = Scratch::new(name);
    for (name, text) in files {
        let file = PathBuf::from(scratch.path(name));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    Some(scratch)
}

fn open(scratch: &Scratch, more: &[&str]) -> Done {
    let site = scratch.path("");
    run(&[&["open", site.as_str()], more].concat())
}

/// Returns the value of a line of the output.
#[track_caller]
fn value(out: &str, name: &str) -> f64 {
    let line = out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|line| line.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {out}"))
}

#[track_caller]
fn refused(done: &Done, words: &[&str]) {
    assert_eq!((done.code, done.out.as_str()), (3, ""), "{}", done.err);
    for word in words {
        assert!(done.err.contains(word), "`{word}` is missing in: {}", done.err);
    }
}

#[test]
fn a_page_with_a_module_is_measured() {
    let page = format!(
        "<!doctype html><link rel=icon href=data:,><script type=module>
         import {{ more }} from './more.js';
         globalThis.kept = await WebAssembly.instantiate({MODULE});
         const worker = new Worker('worker.js');
         worker.onmessage = () => {{ more(); performance.mark('ready'); }};
         </script>"
    );
    let worker = format!(
        "WebAssembly.instantiate({MODULE}).then((m) => {{ self.m = m; postMessage(1); }});"
    );
    let padding = format!("export const more = () => {{}}; // {}", "x".repeat(100_000));
    let files = [("index.html", page.as_str()), ("worker.js", &worker), ("more.js", &padding)];
    let Some(scratch) = site("open-module", &files) else { return };
    let done = open(&scratch, &["--until", "mark:ready", "--timeout", "2 min"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(value(&done.out, "startup") > 0.0);
    let transferred = value(&done.out, "transferred");
    let least = (page.len() + worker.len() + padding.len()) as f64;
    assert!(transferred > least && transferred < least + 2000.0, "{transferred} for {least}");
    assert!(value(&done.out, "js_heap") > 100_000.0);
    assert!(done.out.contains("\nwasm_memory 917504 B\n"), "{}", done.out);
    let json = open(&scratch, &["--until", "mark:ready", "--timeout", "2 min", "--format", "json"]);
    schemas::holds("open", &serde_json::from_str(&json.out).unwrap());
}

#[test]
fn a_page_is_ready_in_four_ways_and_two_at_once_do_not_meet() {
    let page = "<!doctype html><link rel=icon href=data:,><p id=p><script>
        setTimeout(() => { console.log('up', 2, {}); p.textContent = 'a:b'; performance.mark('m'); }, 50);
        </script>";
    let Some(scratch) = site("open-ways", &[("sub/index.html", page)]) else { return };
    let ways =
        ["mark:m", "console:up 2", "document.getElementById('p').textContent === 'a:b'", "load"];
    let threads = ways.map(|until| {
        let site = scratch.path("");
        let open = move || {
            run(&["open", &site, "--page", "/sub/?x", "--until", until, "--timeout", "2 min"])
        };
        std::thread::spawn(open)
    });
    for (until, thread) in ways.iter().zip(threads) {
        let done = thread.join().unwrap();
        assert_eq!(done.code, 0, "{until}: {}", done.err);
        let startup = value(&done.out, "startup");
        assert!(startup >= if *until == "load" { 0.0 } else { 50.0 }, "{until}: {startup}");
        assert!(done.out.contains("\nwasm_memory 0 B\n"), "{}", done.out);
    }
}

#[test]
fn a_page_that_does_not_get_ready_says_why() {
    let page = "<!doctype html><link rel=icon href=data:,><script src=missing.js></script>
        <script>alert('wait'); console.error('no shader'); nowhere.x = 1;</script>";
    let Some(scratch) = site("open-never", &[("index.html", page)]) else { return };
    let done = open(&scratch, &["--until", "app.ready", "--timeout", "8 s"]);
    refused(
        &done,
        &[
            "was not ready within 8s",
            "404 for http://127.0.0.1",
            "missing.js",
            "console: no shader",
            "not caught: ReferenceError: nowhere is not defined",
            "opened a dialog",
            "the expression failed: ReferenceError: app is not defined",
        ],
    );
    refused(&open(&scratch, &["--page", "/none.html"]), &["the server answered 404"]);
    refused(&run(&["open", "http://127.0.0.1:1/"]), &["127.0.0.1:1"]);
    let gone = scratch.path("nowhere");
    refused(&run(&["open", &gone]), &["there is no such folder"]);
}

/// Returns the processes below `root` whose arguments have this text.
#[cfg(target_os = "linux")]
fn below(root: u32, text: &str) -> Vec<u32> {
    let read = |pid: u32, file: &str| {
        fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
    };
    let parent = |pid: u32| -> Option<u32> {
        read(pid, "stat")
            .rsplit_once(") ")?
            .1
            .split(' ')
            .nth(1)?
            .parse()
            .ok()
            .filter(|parent| *parent > 1)
    };
    let names = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let all = names.filter_map(|name| name.parse::<u32>().ok());
    all.filter(|pid| read(*pid, "cmdline").contains(text))
        .filter(|pid| std::iter::successors(Some(*pid), |pid| parent(*pid)).any(|pid| pid == root))
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_that_crashes_is_told() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{Read, Write};
    let Some(scratch) = site("open-crash", &[]) else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let child = start(&scratch, &address, Stdio::piped());
    // The page asks for something, and so its process runs.
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        // A browser may open a connection in advance, and ask for nothing.
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap_or(0);
        if head[..read].starts_with(b"GET /ping") {
            break;
        }
        let page = "<script>fetch('/ping')</script>";
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length:";
        let _ = write!(stream, "{head} {}\r\n\r\n{page}", page.len());
    }
    // It is ended as the system would for lack of memory.
    for pid in below(child.id(), "--type=renderer") {
        let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
    }
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(3) && said.contains("it crashed"), "{said}");
}

#[test]
fn mistakes_in_the_arguments_are_no_measurements() {
    let Some(scratch) = site("open-usage", &[("index.html", "<p>")]) else { return };
    let mistakes: [(&[&str], &str); 7] = [
        (&["--until", "mark:"], "names no mark"),
        (&["--until", "a b"], "is not an expression of JavaScript: SyntaxError"),
        (&["--timeout", "soon"], "--timeout"),
        (&["--timeout", "0 s"], "from 0 s to 24 h"),
        (&["--page", "x"], "is not the path of a page"),
        (&["--file", "x"], "has no `=`"),
        (&["--file", "../x=Cargo.toml"], "cannot be the path"),
    ];
    for (arguments, words) in mistakes {
        let done = open(&scratch, arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}: {}", done.err);
        assert!(done.err.contains(words), "{arguments:?}: {}", done.err);
    }
    let none = open(&scratch, &["--browser", "no-such-browser"]);
    refused(&none, &["no-such-browser", "apt-get install chromium"]);
    // A program that is no browser ends, and its last words are shown.
    refused(&open(&scratch, &["--browser", "false"]), &["the browser ended"]);
    refused(&open(&scratch, &["--browser", "cat", "--timeout", "5 s"]), &["the browser"]);
}

/// Starts a page that is never ready, with a directory of its own for profiles.
fn start(scratch: &Scratch, site: &str, stderr: Stdio) -> Child {
    let temporary = scratch.path("tmp");
    fs::create_dir_all(&temporary).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
    command.args(["budget", "open", site, "--until", "mark:never", "--timeout", "5 min"]);
    command.env("TMPDIR", temporary).stdout(Stdio::null()).stderr(stderr);
    command.spawn().unwrap()
}

/// Returns the processes that have this directory in their arguments.
fn processes(directory: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let words = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    words
        .filter(|words| {
            String::from_utf8_lossy(words).contains(&format!("user-data-dir={directory}"))
        })
        .count()
}

fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(90);
    while !is() {
        assert!(Instant::now() < until, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_no_process_and_no_profile() {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(scratch) = site("open-signal", &[("index.html", "<p>")]) else { return };
    let temporary = scratch.path("tmp");
    let profiles = || {
        fs::read_dir(&temporary)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("perf-budget-page."))
            .count()
    };
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let mut child = start(&scratch, &scratch.path(""), Stdio::null());
        wait("the browser runs", || processes(&temporary) >= 3);
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal.as_raw()));
        wait("the browser has ended", || processes(&temporary) == 0);
        // Only a process that is killed can leave its profile.
        assert_eq!(profiles(), usize::from(signal == Signal::KILL), "{signal:?}");
    }
    assert!(Path::new(&temporary).is_dir());
    // The next one removes what that left.
    let mut child = start(&scratch, &scratch.path(""), Stdio::null());
    wait("the browser runs", || processes(&temporary) >= 3);
    assert_eq!(profiles(), 1);
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    child.wait().unwrap();
    assert_eq!(profiles(), 0);
}
