//! The DevTools protocol over two pipes: messages in JSON, each ended by a NUL.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest message. A longer one is no message of this protocol.
const LONGEST: u64 = 64 << 20;
/// The time after which a wait checks again whether it is interrupted.
const STEP: Duration = Duration::from_millis(50);

/// Why there is no answer, or no further event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The time is over.
    Late,
    /// A signal asks this process to end.
    Interrupted,
    /// The browser has closed the connection.
    Closed,
    /// The process of the page has ended, and will answer nothing.
    Crashed,
    /// The browser refuses the call, for this reason.
    Refused(String),
}

/// A message that the browser sends without being asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Event {
    /// Which page or worker it is about; empty for the browser.
    pub(super) session: String,
    /// The name of the event, as in `Page.loadEventFired`.
    pub(super) method: String,
    /// The parameters of the event.
    pub(super) params: Value,
}

impl Event {
    /// Whether the event says that the process of this page or worker has crashed.
    fn is_crash_of(&self, session: &str) -> bool {
        self.method == "Inspector.targetCrashed" && self.session == session
    }
}

/// The connection to a browser.
pub(super) struct Connection {
    out: Box<dyn Write + Send>,
    messages: Receiver<Value>,
    events: VecDeque<Event>,
    calls: u64,
    /// Whether a signal asks this process to end.
    is_interrupted: Box<dyn Fn() -> bool>,
}

impl Connection {
    /// Makes a connection from two pipes.
    pub(super) fn new(
        out: impl Write + Send + 'static,
        from: impl Read + Send + 'static,
        is_interrupted: impl Fn() -> bool + 'static,
    ) -> io::Result<Connection> {
        let (send, messages) = mpsc::channel();
        std::thread::Builder::new().name("devtools".to_owned()).spawn(move || {
            let mut from = BufReader::new(from);
            while let Some(message) = read(&mut from) {
                if send.send(message).is_err() {
                    break;
                }
            }
        })?;
        let is_interrupted = Box::new(is_interrupted);
        Ok(Connection {
            out: Box::new(out),
            messages,
            events: VecDeque::new(),
            calls: 0,
            is_interrupted,
        })
    }

    /// Sends a call and does not wait for its answer.
    pub(super) fn send(
        &mut self,
        session: &str,
        method: &str,
        params: &Value,
    ) -> Result<u64, NoAnswer> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = json!(session);
        }
        let bytes = [message.to_string().as_bytes(), b"\0"].concat();
        self.out.write_all(&bytes).and_then(|()| self.out.flush()).map_err(|_| NoAnswer::Closed)?;
        Ok(self.calls)
    }

    /// Sends a call and returns its result. Events that come before it are kept.
    pub(super) fn call(
        &mut self,
        session: &str,
        method: &str,
        params: &Value,
        deadline: Instant,
    ) -> Result<Value, NoAnswer> {
        let id = self.send(session, method, params)?;
        loop {
            let mut message = self.receive(deadline)?;
            if message["id"] == id {
                return match message["error"]["message"].as_str() {
                    Some(reason) => Err(NoAnswer::Refused(format!("{method}: {reason}"))),
                    None => Ok(message["result"].take()),
                };
            }
            let event = event(message);
            if event.as_ref().is_some_and(|event| event.is_crash_of(session)) {
                return Err(NoAnswer::Crashed);
            }
            self.events.extend(event);
        }
    }

    /// Returns the next event.
    pub(super) fn event(&mut self, deadline: Instant) -> Result<Event, NoAnswer> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let message = self.receive(deadline)?;
            self.events.extend(event(message));
        }
    }

    fn receive(&self, deadline: Instant) -> Result<Value, NoAnswer> {
        loop {
            if (self.is_interrupted)() {
                return Err(NoAnswer::Interrupted);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left.min(STEP)) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => return Err(NoAnswer::Closed),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(NoAnswer::Late),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Reads a message; `None` at the end of the pipe, and after something that is no message.
fn read(from: &mut impl BufRead) -> Option<Value> {
    let mut bytes = Vec::new();
    from.take(LONGEST).read_until(0, &mut bytes).ok()?;
    serde_json::from_slice(bytes.strip_suffix(b"\0")?).ok()
}

/// Returns the event that a message is; `None` for the answer to a call that nobody waits for.
fn event(mut message: Value) -> Option<Event> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let method = text(&message["method"])?;
    let session = text(&message["sessionId"]).unwrap_or_default();
    Some(Event { session, method, params: message["params"].take() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(from: &'static [u8]) -> Connection {
        Connection::new(io::sink(), from, || false).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn answers_and_events_are_told_apart() {
        let mut connection = connection(
            b"{\"method\":\"A.b\",\"params\":{\"x\":1},\"sessionId\":\"S\"}\0{\"id\":7,\"result\":{}}\0\
              {\"id\":1,\"result\":{\"y\":2}}\0{\"method\":\"C.d\"}\0{\"id\":2,\"error\":{\"message\":\"no\"}}\0",
        );
        assert_eq!(connection.call("", "M", &json!({}), soon()), Ok(json!({ "y": 2 })));
        let first = connection.event(soon()).unwrap();
        assert_eq!((&*first.method, &*first.session, &first.params["x"]), ("A.b", "S", &json!(1)));
        let refused = connection.call("S", "N", &json!({}), soon());
        assert_eq!(refused, Err(NoAnswer::Refused("N: no".into())));
        assert_eq!(connection.event(soon()).unwrap().method, "C.d");
        assert_eq!(connection.event(soon()).unwrap_err(), NoAnswer::Closed);
    }

    #[test]
    fn bytes_that_are_no_message_close_the_connection() {
        for bytes in [&b""[..], b"{\"method\":\"A\"}", b"no json\0", b"\0", b"\xff\0"] {
            assert_eq!(connection(bytes).event(soon()).unwrap_err(), NoAnswer::Closed);
        }
    }

    #[test]
    fn a_wait_ends_at_its_deadline_and_at_a_signal() {
        let (from, _out) = io::pipe().unwrap();
        let mut silent = Connection::new(io::sink(), from, || false).unwrap();
        assert_eq!(silent.event(Instant::now()).unwrap_err(), NoAnswer::Late);
        let (from, _out) = io::pipe().unwrap();
        let mut ended = Connection::new(io::sink(), from, || true).unwrap();
        assert_eq!(ended.event(soon()).unwrap_err(), NoAnswer::Interrupted);
    }
}
