//! A page in a headless Chromium: served on the loopback interface, opened with a new profile, watched until it is
//! ready, and measured.

mod locate;
mod page;
mod process;
mod profile;
mod protocol;
mod request;
mod serve;
mod until;
mod visit;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use self::process::Browser;
use self::profile::Profile;
use self::protocol::{Connection, NoAnswer};
use self::serve::{Folder, Server};
use self::visit::Fault;
use crate::failure::Failure;

pub(crate) use self::until::Until;
pub(crate) use self::visit::Visit;

/// How long a browser may take to end by itself, once it is asked to.
const END: Duration = Duration::from_secs(3);

/// The page or folder that is opened.
#[derive(Debug)]
pub(crate) enum Site {
    /// A page on a server that runs already.
    Url(String),
    /// A page of a folder, which is served: the folder, the path of the page, and files at other places.
    Folder { root: PathBuf, page: String, files: Vec<(String, PathBuf)>, is_isolated: bool },
}

/// How a page is opened.
#[derive(Debug)]
pub(crate) struct Terms {
    /// When the page is ready.
    pub(crate) until: Until,
    /// How long all of it may take.
    pub(crate) timeout: Duration,
    /// The program of the browser, if the user names it.
    pub(crate) browser: Option<PathBuf>,
    /// Whether the browser runs its processes in a sandbox.
    pub(crate) has_sandbox: bool,
}

/// Opens a page and returns what was found. When it returns, nothing is left of the browser or of its profile.
pub(crate) fn open(site: &Site, terms: &Terms) -> Result<Visit, Failure> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)
            .map_err(|e| Failure::unmeasured(format!("failed to watch for signals: {e}")))?;
    }
    let visit = open_until(site, terms, &signal);
    match signal.load(Ordering::Relaxed) {
        0 => visit,
        number => {
            // Everything is cleaned up, so the signal may have its usual effect now.
            let number = i32::try_from(number).unwrap_or(SIGTERM);
            let _ = signal_hook::low_level::emulate_default_handler(number);
            visit
        }
    }
}

/// Opens a page, until the page was measured or a signal came.
fn open_until(site: &Site, terms: &Terms, signal: &Arc<AtomicUsize>) -> Result<Visit, Failure> {
    let deadline = Instant::now() + terms.timeout;
    let program = locate::locate(terms.browser.as_deref())?;
    let (url, _server) = match site {
        Site::Url(url) => (url.clone(), None),
        Site::Folder { root, page, files, is_isolated } => {
            let folder = Folder::new(root, files, *is_isolated)?;
            let server = Server::start(folder).map_err(|e| Failure::io("serve", root, &e))?;
            (server.address() + page, Some(server))
        }
    };
    let directory = std::env::temp_dir();
    let profile =
        Profile::new(&directory).map_err(|e| Failure::io("make a profile in", &directory, &e))?;
    let interrupted = Arc::clone(signal);
    let is_interrupted = move || interrupted.load(Ordering::Relaxed) != 0;
    let (mut browser, mut connection) =
        Browser::start(&program, profile.path(), terms.has_sandbox, is_interrupted)?;
    let visit = visit::visit(&mut connection, &url, &terms.until, deadline);
    let visit = visit.map_err(|fault| explain(fault, &url, terms, &mut browser));
    end(&mut connection, &mut browser);
    visit
}

/// Asks the browser to end. A browser that does not end by itself is killed when `browser` is dropped.
fn end(connection: &mut Connection, browser: &mut Browser) {
    if connection.send("", "Browser.close", &json!({})).is_ok() {
        browser.ends_within(END);
    }
}

/// Returns the failure that says why a page could not be measured, and what to do.
fn explain(fault: Fault, url: &str, terms: &Terms, browser: &mut Browser) -> Failure {
    let list = |faults: &[String]| -> String {
        faults.iter().flat_map(|fault| ["\n  ", fault.as_str()]).collect()
    };
    let text = match fault {
        Fault::Expression(why) => {
            return Failure::usage(format!(
                "--until is not an expression of JavaScript: {why}; correct it"
            ));
        }
        Fault::Over(why, faults) => format!("failed to open {url}: {why}{}", list(&faults)),
        Fault::Late(faults) => format!(
            "{url} was not ready within {:?}: {} did not come; see what it waits for, or raise --timeout{}",
            terms.timeout,
            terms.until.described(),
            list(&faults)
        ),
        Fault::Silent(NoAnswer::Late) => {
            format!("failed to open {url}: the browser did not answer within {:?}", terms.timeout)
        }
        Fault::Silent(NoAnswer::Interrupted) => format!("{url} was not ready before a signal came"),
        Fault::Silent(NoAnswer::Refused(why)) => {
            format!(
                "failed to open {url}: the browser refused {why}; is it a Chromium of the last years?"
            )
        }
        Fault::Silent(NoAnswer::Closed | NoAnswer::Crashed) => {
            let how =
                browser.ends_within(END).map_or("without a word".to_owned(), |how| how.to_string());
            let messages = browser.last_messages();
            let remedy = if messages.contains("sandbox") {
                "; its sandbox does not work here: allow user namespaces, or give --no-sandbox for pages that you trust"
            } else {
                ""
            };
            format!("failed to open {url}: the browser ended ({how}){remedy}\n{messages}")
        }
    };
    Failure::unmeasured(text)
}
