//! One visit of a page: it is opened, watched until it is ready, and asked what it holds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::page::{Page, Step};
use super::protocol::{Connection, NoAnswer};
use super::until::{TELL, Until};

/// How long unfinished requests may take once the page is ready.
const REST: Duration = Duration::from_secs(5);
/// The most instances of WebAssembly modules whose memories are looked up.
const INSTANCES: usize = 1000;

/// The results of a visit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Visit {
    /// How long it took until the page was ready, in milliseconds.
    pub(crate) startup: f64,
    /// The bytes of all answers, heads included.
    pub(crate) transferred: f64,
    /// How many requests these were.
    pub(crate) requests: usize,
    /// The live bytes on the heaps of JavaScript.
    pub(crate) js_heap: f64,
    /// The bytes of the memories of WebAssembly.
    pub(crate) wasm_memory: f64,
    /// The faults that occurred on the way.
    pub(crate) faults: Vec<String>,
}

/// Why a visit has no results.
#[derive(Debug)]
pub(super) enum Fault {
    /// The browser did not answer.
    Silent(NoAnswer),
    /// The page was not ready in time. The list has what went wrong.
    Late(Vec<String>),
    /// The page will never be ready, for this reason. The list has what went wrong before.
    Over(String, Vec<String>),
    /// The text is not an expression.
    Expression(String),
}

impl From<NoAnswer> for Fault {
    fn from(silence: NoAnswer) -> Fault {
        match silence {
            NoAnswer::Crashed => Fault::Over("it crashed".to_owned(), Vec::new()),
            NoAnswer::Late | NoAnswer::Interrupted | NoAnswer::Closed | NoAnswer::Refused(_) => {
                Fault::Silent(silence)
            }
        }
    }
}

/// Opens a page, watches it until it is ready, and returns what was measured.
pub(super) fn visit(
    connection: &mut Connection,
    url: &str,
    until: &Until,
    deadline: Instant,
) -> Result<Visit, Fault> {
    let (session, frame) = empty_page(connection, until, deadline)?;
    let mut page = Page::new(until.clone(), session.clone(), frame);
    let mut sessions = vec![session.clone()];
    let answer = connection.call(&session, "Page.navigate", &json!({ "url": url }), deadline);
    match answer.map(|answer| answer["errorText"].as_str().map(str::to_owned)) {
        Ok(None) => {}
        Ok(Some(why)) => {
            // The server's answer came first, and says more than this failure.
            let seen = follow(connection, &mut page, &mut sessions, Instant::now(), |_| false);
            return Err(match seen {
                Err(fault @ Fault::Over(..)) => fault,
                _ => Fault::Over(why, page.faults()),
            });
        }
        Err(NoAnswer::Late) => {
            return Err(Fault::Late(vec!["the server did not answer".to_owned()]));
        }
        Err(silence) => return Err(silence.into()),
    }
    follow(connection, &mut page, &mut sessions, deadline, |page| page.time_to_ready().is_some())?;
    let startup = page.time_to_ready().unwrap_or_default();
    let rest = deadline.min(Instant::now() + REST);
    match follow(connection, &mut page, &mut sessions, rest, |page| !page.is_loading()) {
        Ok(()) | Err(Fault::Late(_)) => {}
        Err(fault) => return Err(fault),
    }
    let mut visit = Visit {
        startup,
        transferred: page.transferred(),
        requests: page.requests(),
        js_heap: 0.0,
        wasm_memory: 0.0,
        faults: page.faults(),
    };
    for session in &sessions {
        match memory_in_use(connection, session, *session == sessions[0], deadline) {
            Ok((heap, memory)) => {
                visit.js_heap += heap;
                visit.wasm_memory += memory;
            }
            // A worker may end at any time, and then it holds no memory.
            Err(NoAnswer::Refused(_)) if *session != sessions[0] => {}
            Err(silence) => return Err(silence.into()),
        }
    }
    Ok(visit)
}

/// Makes an empty page that is watched, and returns its session and its frame.
fn empty_page(
    connection: &mut Connection,
    until: &Until,
    deadline: Instant,
) -> Result<(String, String), Fault> {
    let blank = json!({ "url": "about:blank" });
    let target = connection.call("", "Target.createTarget", &blank, deadline)?["targetId"].take();
    let attach = json!({ "targetId": target, "flatten": true });
    let attached = connection.call("", "Target.attachToTarget", &attach, deadline)?;
    let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
    for domain in ["Page.enable", "Inspector.enable"] {
        connection.call(&session, domain, &json!({}), deadline)?;
    }
    watch(connection, &session)?;
    connection.call(&session, "Runtime.addBinding", &json!({ "name": TELL }), deadline)?;
    check_expression(connection, &session, until, deadline)?;
    let script = json!({ "source": until.script() });
    connection.call(&session, "Page.addScriptToEvaluateOnNewDocument", &script, deadline)?;
    let tree = connection.call(&session, "Page.getFrameTree", &json!({}), deadline)?;
    let frame = tree["frameTree"]["frame"]["id"].as_str().unwrap_or_default().to_owned();
    Ok((session, frame))
}

/// Handles events until `is_done` holds for the page.
fn follow(
    connection: &mut Connection,
    page: &mut Page,
    sessions: &mut Vec<String>,
    deadline: Instant,
    is_done: impl Fn(&Page) -> bool,
) -> Result<(), Fault> {
    while !is_done(page) {
        let event = match connection.event(deadline) {
            Ok(event) => event,
            Err(NoAnswer::Late) => return Err(Fault::Late(page.faults())),
            Err(silence) => return Err(silence.into()),
        };
        match page.record(&event) {
            Step::Go => {}
            Step::Over(why) => return Err(Fault::Over(why, page.faults())),
            Step::Dismiss => {
                let dismiss = json!({ "accept": false });
                connection.send(&event.session, "Page.handleJavaScriptDialog", &dismiss)?;
            }
            Step::Watch(session) => {
                watch(connection, &session)?;
                connection.send(&session, "Runtime.runIfWaitingForDebugger", &json!({}))?;
                sessions.push(session);
            }
        }
    }
    Ok(())
}

/// Asks for the events of a page or a worker, and for those of the workers that it starts.
fn watch(connection: &mut Connection, session: &str) -> Result<(), NoAnswer> {
    connection.send(session, "Runtime.enable", &json!({}))?;
    connection.send(session, "Network.enable", &json!({}))?;
    let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    connection.send(session, "Target.setAutoAttach", &attach)?;
    Ok(())
}

/// Checks that a text is an expression of JavaScript. Any other text would never be true.
fn check_expression(
    connection: &mut Connection,
    session: &str,
    until: &Until,
    deadline: Instant,
) -> Result<(), Fault> {
    let Until::Expression(text) = until else { return Ok(()) };
    let script =
        json!({ "expression": format!("({text}\n)"), "sourceURL": "", "persistScript": false });
    let compiled = connection.call(session, "Runtime.compileScript", &script, deadline)?;
    match compiled["exceptionDetails"]["exception"]["description"].as_str() {
        Some(why) => Err(Fault::Expression(why.lines().next().unwrap_or_default().to_owned())),
        None => Ok(()),
    }
}

/// Returns the live bytes on the heap of a page or a worker, and those of its memories of WebAssembly.
fn memory_in_use(
    connection: &mut Connection,
    session: &str,
    is_page: bool,
    deadline: Instant,
) -> Result<(f64, f64), NoAnswer> {
    connection.call(session, "HeapProfiler.collectGarbage", &json!({}), deadline)?;
    let heap = connection.call(session, "Runtime.getHeapUsage", &json!({}), deadline)?;
    let heap = number(&heap["usedSize"], "Runtime.getHeapUsage")?;
    // A memory that a module does not export has no object until the properties of the instance are read.
    let instances = objects(connection, session, "WebAssembly.Instance", deadline)?;
    let own = json!({ "objectId": instances, "ownProperties": true });
    let each = connection.call(session, "Runtime.getProperties", &own, deadline)?;
    for instance in each["result"].as_array().into_iter().flatten().take(INSTANCES) {
        let Some(id) = instance["value"]["objectId"].as_str() else { continue };
        let own = json!({ "objectId": id, "ownProperties": true });
        let inside = connection.call(session, "Runtime.getProperties", &own, deadline)?;
        let inside = inside["internalProperties"].as_array().into_iter().flatten();
        let memories = inside.filter(|property| property["name"] == "[[Memories]]");
        for id in memories.filter_map(|property| property["value"]["objectId"].as_str()) {
            let own = json!({ "objectId": id, "ownProperties": true });
            connection.call(session, "Runtime.getProperties", &own, deadline)?;
        }
    }
    // A memory that workers share belongs to the page, and is counted there.
    let shared =
        if is_page { "" } else { "if (!(memory.buffer instanceof ArrayBuffer)) continue;" };
    let sum = format!(
        "function() {{ let sum = 0; for (const memory of this) {{ {shared} sum += memory.buffer.byteLength; }} return sum; }}"
    );
    let memories = objects(connection, session, "WebAssembly.Memory", deadline)?;
    let call = json!({ "objectId": memories, "functionDeclaration": sum, "returnByValue": true });
    let memory = connection.call(session, "Runtime.callFunctionOn", &call, deadline)?;
    Ok((heap, number(&memory["result"]["value"], "Runtime.callFunctionOn")?))
}

/// Returns the browser's name for the array of all live objects of a class.
fn objects(
    connection: &mut Connection,
    session: &str,
    class: &str,
    deadline: Instant,
) -> Result<Value, NoAnswer> {
    let prototype = json!({ "expression": format!("{class}.prototype") });
    let prototype = connection.call(session, "Runtime.evaluate", &prototype, deadline)?;
    let query = json!({ "prototypeObjectId": prototype["result"]["objectId"] });
    let mut answer = connection.call(session, "Runtime.queryObjects", &query, deadline)?;
    Ok(answer["objects"]["objectId"].take())
}

fn number(value: &Value, what: &str) -> Result<f64, NoAnswer> {
    value.as_f64().ok_or_else(|| NoAnswer::Refused(format!("{what} returned no number")))
}
