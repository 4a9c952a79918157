//! Tests with Prometheus itself, where it is installed: it scrapes the OpenMetrics text of a run, and the alerts of
//! `examples/shield/alerts.yml` fire for what broke.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::{Scratch, file, last_run, run, skipped};

/// The longest time for the whole test. Prometheus starts, and then scrapes once a second.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_alerts_fire_for_what_broke() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let outcome = |test: &str, verdict: &str| {
        let mut outcome = last_run().into_iter().find(|outcome| outcome["test"] == test).unwrap();
        outcome["verdict"] = json!(verdict);
        outcome["run"]["tests"] = json!(2);
        // The run began a day and some hours ago.
        outcome["run"]["began"] = json!(now - 100_000);
        outcome
    };
    let mut rss = outcome("records::records=100000::rss", "fail");
    rss["estimate"]["value"] = json!(2.5e8);
    let want = [
        "BudgetBroken records::records=100000::rss",
        "BudgetsSilent ",
        "HighMemoryUsage records::records=100000::rss",
    ];
    check(&[outcome("wasm::gzip", "pass"), rss], &want);
}

/// Checks the text format with the parser that the node exporter has too.
#[test]
fn promtool_accepts_the_text_format() {
    for (record, code) in [("outcomes.jsonl", 1), ("hostile.jsonl", 1)] {
        let done = run(&["report", "--format", "prometheus", "--quiet", "--input", &file(record)]);
        assert_eq!(done.code, code, "{}", done.err);
        assert!(done.out.contains("\n# TYPE perf_budget_verdict gauge\n"), "{}", done.out);
        let scratch = Scratch::new(&format!("text-{record}"));
        let text = std::fs::File::open(scratch.write("metrics", &done.out)).unwrap();
        match Command::new("promtool").args(["check", "metrics"]).stdin(text).output() {
            Ok(checked) => {
                let complaints = String::from_utf8_lossy(&checked.stderr);
                assert!(checked.status.success() && complaints.is_empty(), "{complaints}");
            }
            Err(error) => skipped(&format!("there is no promtool to check with: {error}")),
        }
    }
}

/// Checks which alerts fire on these outcomes.
#[track_caller]
fn check(outcomes: &[Value], want: &[&str]) {
    let scratch = Scratch::new("prometheus");
    let input = scratch.record("outcomes.jsonl", outcomes);
    let done = run(&["report", "--format", "openmetrics", "--input", &input]);
    let port = free_port();
    let Some(server) = start(&scratch, port, serve(done.out)) else { return };
    let deadline = Instant::now() + PATIENCE;
    let mut judged = BTreeSet::new();
    loop {
        let log = || std::fs::read_to_string(scratch.path("log")).unwrap_or_default();
        assert!(Instant::now() < deadline, "no answer in time:\n{}", log());
        std::thread::sleep(Duration::from_millis(100));
        let Some(tests) = ask(port, "/api/v1/query?query=perf_budget_tests") else { continue };
        let Some(tests) = tests["data"]["result"][0]["value"][1].as_str() else { continue };
        assert_eq!(tests, outcomes.len().to_string());
        let groups = ask(port, "/api/v1/rules").unwrap();
        let groups = groups["data"]["groups"].as_array().unwrap().iter();
        let rules: Vec<&Value> =
            groups.flat_map(|group| group["rules"].as_array().unwrap()).collect();
        for rule in &rules {
            assert_eq!(rule["lastError"].as_str(), None, "{rule}");
        }
        // The first evaluation may have begun before the values were there, so the test waits for further ones.
        judged.insert(rules.last().unwrap()["lastEvaluation"].to_string());
        if judged.len() < 3 {
            continue;
        }
        let mut fires: Vec<String> = rules
            .iter()
            .flat_map(|rule| rule["alerts"].as_array().unwrap())
            .map(|alert| {
                let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
                format!("{} {}", label("alertname"), label("test"))
            })
            .collect();
        fires.sort();
        assert_eq!(fires, want);
        drop(server);
        return;
    }
}

/// Prometheus, which is stopped at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(scratch: &Scratch, port: u16, target: u16) -> Option<Server> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shield/alerts.yml");
    let config = json!({
        "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
        "rule_files": [rules],
        "scrape_configs": [{
            "job_name": "budgets",
            "static_configs": [{ "targets": [format!("127.0.0.1:{target}")] }],
        }],
    });
    // JSON is valid YAML.
    let config = scratch.write("prometheus.yml", &config.to_string());
    let log = std::fs::File::create(scratch.path("log")).unwrap();
    let started = Command::new("prometheus")
        .arg(format!("--config.file={config}"))
        .arg(format!("--storage.tsdb.path={}", scratch.path("data")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    match started {
        Ok(child) => Some(Server(child)),
        Err(error) => {
            skipped(&format!("there is no Prometheus to scrape with: {error}"));
            None
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Serves a text as OpenMetrics for as long as this process lives. Returns the port.
fn serve(text: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
            let _ = write!(stream, "HTTP/1.0 200 OK\r\n{head}\r\n\r\n{text}");
        }
    });
    port
}

/// Returns the answer of Prometheus; `None` as long as there is none.
fn ask(port: u16, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}
