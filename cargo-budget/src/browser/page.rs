//! The events that the browser reports about a page: when it began and was ready, what it transferred, and what went
//! wrong. Nothing here talks to the browser.

use std::collections::BTreeMap;

use serde_json::Value;

use super::protocol::Event;
use super::until::{TELL, Until, console_line};

/// The most faults that are kept for a message, since a page may fail without end.
const FAULTS: usize = 12;

/// The facts that are known about a page.
#[derive(Debug)]
pub(super) struct Page {
    until: Until,
    /// The session of the page itself.
    session: String,
    /// The frame of the page itself.
    frame: String,
    /// When the first document began, in milliseconds since 1970.
    began: Option<f64>,
    /// When the page was ready, in milliseconds since 1970.
    ready: Option<f64>,
    /// The requests, by their sessions and names.
    requests: BTreeMap<(String, String), Transfer>,
    /// Faults that did not end the visit.
    faults: Vec<String>,
    /// The last error of the expression.
    failed: Option<String>,
}

/// The bytes that one request transferred.
#[derive(Debug, Default)]
struct Transfer {
    url: String,
    /// The bytes that have come so far.
    bytes: f64,
    /// The bytes of the redirections that led to it.
    before: f64,
    has_ended: bool,
    /// Whether it was sent after the page was ready.
    is_late: bool,
}

/// The next step that an event requires.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing has to be done.
    Go,
    /// A worker or a frame of its own process waits to be watched.
    Watch(String),
    /// A dialog waits for an answer.
    Dismiss,
    /// The page will never be ready, for this reason.
    Over(String),
}

impl Page {
    pub(super) fn new(until: Until, session: String, frame: String) -> Page {
        Page {
            until,
            session,
            frame,
            began: None,
            ready: None,
            requests: BTreeMap::new(),
            faults: Vec::new(),
            failed: None,
        }
    }

    /// Records an event, and returns the step that it requires.
    pub(super) fn record(&mut self, event: &Event) -> Step {
        let params = &event.params;
        let is_own = event.session == self.session;
        match event.method.as_str() {
            "Runtime.bindingCalled" if is_own && params["name"] == TELL => {
                self.read_message(params);
            }
            "Runtime.consoleAPICalled" => self.console(params),
            "Runtime.exceptionThrown" => self.exception(&params["exceptionDetails"]),
            // The page's own session is watched from the beginning.
            "Target.attachedToTarget" if params["sessionId"] == *self.session => {}
            "Target.attachedToTarget" => {
                return params["sessionId"]
                    .as_str()
                    .map_or(Step::Go, |s| Step::Watch(s.to_owned()));
            }
            "Page.javascriptDialogOpening" => {
                let message = text(&params["message"]);
                self.fault(format!("it opened a dialog, which was dismissed: {message}"));
                return Step::Dismiss;
            }
            "Inspector.targetCrashed" => return Step::Over("it crashed".to_owned()),
            "Inspector.detached" if is_own => return Step::Over("it closed itself".to_owned()),
            "Target.detachedFromTarget" if params["sessionId"] == *self.session => {
                return Step::Over("it closed itself".to_owned());
            }
            method => return self.network(method, event),
        }
        Step::Go
    }

    /// Returns how long it took until the page was ready, in milliseconds; `None` if it is not ready yet.
    pub(super) fn time_to_ready(&self) -> Option<f64> {
        Some(self.ready? - self.began?)
    }

    /// Whether a request from before the page was ready still waits for a part of its answer.
    pub(super) fn is_loading(&self) -> bool {
        self.requests.values().any(|transfer| !transfer.has_ended && !transfer.is_late)
    }

    /// Returns the bytes of the answers to all requests from before the page was ready, with the heads of the answers.
    pub(super) fn transferred(&self) -> f64 {
        let counted = self.requests.values().filter(|transfer| !transfer.is_late);
        counted.map(|transfer| transfer.bytes + transfer.before).sum()
    }

    /// Returns the number of requests from before the page was ready.
    pub(super) fn requests(&self) -> usize {
        self.requests.values().filter(|transfer| !transfer.is_late).count()
    }

    /// Returns what went wrong, with one line for each fault.
    pub(super) fn faults(&self) -> Vec<String> {
        let failed = self.failed.iter().map(|last| format!("the expression failed: {last}"));
        let waiting = self.requests.values().filter(|transfer| !transfer.has_ended);
        let waiting = waiting.map(|transfer| format!("no answer yet: {}", short(&transfer.url)));
        self.faults.iter().cloned().chain(failed).chain(waiting.take(3)).collect()
    }

    fn read_message(&mut self, params: &Value) {
        let message: Value = params["payload"]
            .as_str()
            .and_then(|t| serde_json::from_str(t).ok())
            .unwrap_or_default();
        if let Some(at) = message["began"].as_f64() {
            self.began.get_or_insert(at);
        }
        if let Some(at) = message["ready"].as_f64() {
            self.set_ready(at);
        }
        if let Some(last) = message["failed"].as_str() {
            self.failed = Some(last.to_owned());
        }
    }

    fn set_ready(&mut self, at: f64) {
        self.ready.get_or_insert(at);
    }

    fn console(&mut self, params: &Value) {
        let line = console_line(&params["args"]);
        match (&self.until, params["timestamp"].as_f64()) {
            (Until::Console(text), Some(at)) if line.contains(text) => self.set_ready(at),
            _ if params["type"] == "error" => self.fault(format!("console: {}", short(&line))),
            _ => {}
        }
    }

    fn exception(&mut self, details: &Value) {
        let description = details["exception"]["description"].as_str();
        let text = description.or(details["text"].as_str()).unwrap_or("an exception");
        let first = text.lines().next().unwrap_or_default();
        self.fault(format!("not caught: {}", short(first)));
    }

    fn network(&mut self, method: &str, event: &Event) -> Step {
        let params = &event.params;
        let Some(id) = params["requestId"].as_str() else { return Step::Go };
        let key = (event.session.clone(), id.to_owned());
        if method == "Network.requestWillBeSent" {
            let url = text(&params["request"]["url"]);
            // These addresses refer to data that the page already has, so nothing is transferred.
            if url.starts_with("data:") || url.starts_with("blob:") {
                return Step::Go;
            }
            let is_late = self.ready.is_some();
            let transfer = self
                .requests
                .entry(key)
                .or_insert_with(|| Transfer { is_late, ..Transfer::default() });
            transfer.url = url;
            transfer.before +=
                params["redirectResponse"]["encodedDataLength"].as_f64().unwrap_or(0.0);
            return Step::Go;
        }
        let Some(transfer) = self.requests.get_mut(&key) else { return Step::Go };
        let length = params["encodedDataLength"].as_f64().unwrap_or(0.0).max(0.0);
        match method {
            "Network.responseReceived" => {
                let head = params["response"]["encodedDataLength"].as_f64().unwrap_or(0.0);
                transfer.bytes += head.max(0.0);
                let status = params["response"]["status"].as_u64().unwrap_or(0);
                let fault = format!("{status} for {}", short(&transfer.url));
                // Only the page itself ends a stream of events, so the stream counts as ended from the start.
                transfer.has_ended |= params["type"] == "EventSource";
                let is_page = event.session == self.session && params["frameId"] == *self.frame;
                if status >= 400 && is_page && params["type"] == "Document" {
                    return Step::Over(format!("the server answered {fault}"));
                }
                if status >= 400 {
                    self.fault(fault);
                }
            }
            "Network.dataReceived" => transfer.bytes += length,
            "Network.loadingFinished" => (transfer.bytes, transfer.has_ended) = (length, true),
            "Network.loadingFailed" => {
                transfer.has_ended = true;
                let fault = format!("{} for {}", text(&params["errorText"]), short(&transfer.url));
                if params["canceled"] != true {
                    self.fault(fault);
                }
            }
            _ => {}
        }
        Step::Go
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns the beginning of a text that may be long.
fn short(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
