//! Tests with events as a browser sends them.

use serde_json::json;

use super::*;

fn page(until: &str) -> Page {
    Page::new(Until::parse(until).unwrap(), "S".into(), "F".into())
}

fn event(session: &str, method: &str, params: Value) -> Event {
    Event { session: session.into(), method: method.into(), params }
}

impl Page {
    fn see(&mut self, method: &str, params: Value) -> Step {
        self.record(&event("S", method, params))
    }

    fn tells(&mut self, what: &Value) -> Step {
        self.see("Runtime.bindingCalled", json!({ "name": TELL, "payload": what.to_string() }))
    }

    fn sends(&mut self, id: &str) {
        self.see(
            "Network.requestWillBeSent",
            json!({ "requestId": id, "request": { "url": format!("http://x/{id}") } }),
        );
    }

    fn ends(&mut self, id: &str, bytes: u32) {
        self.see("Network.loadingFinished", json!({ "requestId": id, "encodedDataLength": bytes }));
    }
}

#[test]
fn the_time_is_from_the_first_document_to_the_first_time_that_it_is_ready() {
    let mut page = page("mark:ready");
    assert_eq!(page.time_to_ready(), None);
    page.tells(&json!({ "began": 1000.0 }));
    // The page goes on to another document.
    page.tells(&json!({ "began": 1100.0 }));
    assert_eq!(page.time_to_ready(), None);
    page.tells(&json!({ "ready": 1250.5 }));
    page.tells(&json!({ "ready": 1300.0 }));
    assert_eq!(page.time_to_ready(), Some(250.5));
}

#[test]
fn only_messages_of_the_page_itself_count() {
    let mut page = page("load");
    let payload = json!({ "ready": 1.0, "began": 0.0 }).to_string();
    page.record(&event(
        "worker",
        "Runtime.bindingCalled",
        json!({ "name": TELL, "payload": payload }),
    ));
    page.see("Runtime.bindingCalled", json!({ "name": "other", "payload": payload }));
    page.see("Runtime.bindingCalled", json!({ "name": TELL, "payload": "no json" }));
    page.see("Runtime.bindingCalled", json!({}));
    assert_eq!(page.time_to_ready(), None);
}

#[test]
fn a_line_of_the_console_makes_the_page_ready_and_an_error_is_a_fault() {
    let mut page = page("console:up and");
    page.tells(&json!({ "began": 10.0 }));
    let line = |kind: &str, text: &str| json!({ "type": kind, "timestamp": 25.0, "args": [{ "type": "string", "value": text }] });
    page.see("Runtime.consoleAPICalled", line("log", "up"));
    page.see("Runtime.consoleAPICalled", line("error", "no shader"));
    assert_eq!(page.time_to_ready(), None);
    page.see("Runtime.consoleAPICalled", line("log", "now up and running"));
    assert_eq!(page.time_to_ready(), Some(15.0));
    assert_eq!(page.faults(), ["console: no shader"]);
}

#[test]
fn only_requests_from_before_the_page_was_ready_count() {
    let mut page = page("load");
    page.tells(&json!({ "began": 0.0 }));
    page.sends("index");
    page.ends("index", 1000);
    page.sends("wasm");
    let head =
        json!({ "requestId": "wasm", "response": { "status": 200, "encodedDataLength": 150 } });
    page.see("Network.responseReceived", head);
    page.see("Network.dataReceived", json!({ "requestId": "wasm", "encodedDataLength": 500 }));
    assert_eq!((page.transferred(), page.is_loading()), (1650.0, true));
    page.tells(&json!({ "ready": 1.0 }));
    page.sends("late");
    page.ends("late", 9000);
    page.ends("wasm", 2000);
    assert_eq!((page.transferred(), page.is_loading(), page.requests()), (3000.0, false, 2));
    // Nobody sent a request with the first name, and the second event has no name.
    page.ends("unknown", 5);
    page.see("Network.loadingFinished", json!({ "encodedDataLength": 5 }));
    assert_eq!((page.transferred(), page.requests()), (3000.0, 2));
}

#[test]
fn redirections_count_and_data_in_addresses_does_not() {
    let mut page = page("load");
    page.sends("a");
    let again = json!({ "requestId": "a", "request": { "url": "http://x/b" }, "redirectResponse": { "encodedDataLength": 120 } });
    page.see("Network.requestWillBeSent", again);
    page.ends("a", 80);
    page.see(
        "Network.requestWillBeSent",
        json!({ "requestId": "d", "request": { "url": "data:,x" } }),
    );
    page.ends("d", 500);
    assert_eq!((page.transferred(), page.requests(), page.is_loading()), (200.0, 1, false));
}

#[test]
fn a_worker_has_requests_of_the_same_names() {
    let mut page = page("load");
    page.sends("1");
    page.ends("1", 10);
    let sent = json!({ "requestId": "1", "request": { "url": "http://x/w" } });
    page.record(&event("W", "Network.requestWillBeSent", sent));
    assert!(page.is_loading());
    page.record(&event(
        "W",
        "Network.loadingFinished",
        json!({ "requestId": "1", "encodedDataLength": 7 }),
    ));
    assert_eq!((page.transferred(), page.is_loading()), (17.0, false));
}

#[test]
fn only_a_failure_of_the_page_itself_ends_the_visit() {
    let over = |step: Step| matches!(step, Step::Over(_));
    let mut page = page("load");
    let answer = |kind: &str, frame: &str, status: u32| json!({ "requestId": "1", "frameId": frame, "type": kind, "response": { "status": status } });
    page.sends("1");
    assert!(!over(page.see("Network.responseReceived", answer("Document", "F", 200))));
    assert!(!over(page.see("Network.responseReceived", answer("Document", "inner", 404))));
    assert!(!over(page.see("Network.responseReceived", answer("Script", "F", 404))));
    assert_eq!(page.faults(), ["404 for http://x/1", "no answer yet: http://x/1"]);
    assert!(over(page.see("Network.responseReceived", answer("Document", "F", 503))));
    assert!(over(page.see("Inspector.targetCrashed", json!({}))));
    assert!(over(page.record(&event(
        "",
        "Target.detachedFromTarget",
        json!({ "sessionId": "S" })
    ))));
    assert!(!over(page.record(&event(
        "",
        "Target.detachedFromTarget",
        json!({ "sessionId": "W" })
    ))));
    assert_eq!(page.see("Page.javascriptDialogOpening", json!({ "message": "hi" })), Step::Dismiss);
    let own = page.record(&event("", "Target.attachedToTarget", json!({ "sessionId": "S" })));
    assert_eq!(own, Step::Go);
    let worker = page.see("Target.attachedToTarget", json!({ "sessionId": "W" }));
    assert_eq!(worker, Step::Watch("W".into()));
}

#[test]
fn faults_are_few_and_short() {
    let mut page = page("load");
    for n in 0..100 {
        let exception = json!({ "exception": { "description": format!("Error {n}: {}\n at x", "é".repeat(9000)) } });
        page.see("Runtime.exceptionThrown", json!({ "exceptionDetails": exception }));
    }
    page.tells(&json!({ "failed": "ReferenceError: app" }));
    let faults = page.faults();
    assert_eq!(faults.len(), FAULTS + 1);
    assert!(faults.iter().all(|fault| fault.chars().count() < 340 && !fault.contains('\n')));
    assert_eq!(faults.last().unwrap(), "the expression failed: ReferenceError: app");
}
