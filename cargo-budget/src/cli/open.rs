//! `cargo budget open`.

use std::path::PathBuf;
use std::time::Duration;

use perf_budget_core::quantity::{Quantity, Unit};
use serde_json::json;

use super::context::Context;
use super::rendering::Rendering;
use crate::browser::{self, Site, Terms, Until};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text;

/// Open a page in a headless Chromium and say how long it took, what it transferred and what it holds
///
/// A folder is served on the loopback interface meanwhile. The browser has a new profile each time, so that nothing is in its
/// cache. A budget on a command reads the output.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget open dist --until mark:ready
  cargo budget open web --file app.wasm=target/app.wasm --until console:started
  cargo budget open http://127.0.0.1:8080/ --until 'document.body?.dataset.state === \"up\"'

In budgets.toml:
  [budget.page]
  command = [\"cargo\", \"budget\", \"open\", \"dist\", \"--until\", \"mark:ready\"]
  ready = { reported = \"startup\" }
  max = { startup_p50 = \"300 ms\", transferred = \"200 KB\", js_heap = \"5 MB\", wasm_memory = \"4 MB\" }")]
pub(super) struct Open {
    /// The folder of the page, or an address that begins with http
    #[arg(value_name = "DIR|URL")]
    site: String,
    /// When the page is ready: mark:NAME for `performance.mark`, console:TEXT for a line of its console, load, or an
    /// expression of JavaScript that becomes true
    #[arg(long, value_name = "WHAT", default_value = "load")]
    until: String,
    /// Open this page of the folder; it may have a query
    #[arg(long, value_name = "PATH", default_value = "/")]
    page: String,
    /// Serve this file from another place as NAME; the option may be repeated
    #[arg(long, value_name = "NAME=PATH")]
    file: Vec<String>,
    /// Isolate the page from other origins, which threads of WebAssembly need
    #[arg(long)]
    isolated: bool,
    /// End with an error after this time
    #[arg(long, value_name = "TIME", default_value = "30 s")]
    timeout: String,
    /// Use this program as the browser, instead of the first Chromium that is found
    #[arg(long, value_name = "PATH", env = "CHROME")]
    browser: Option<PathBuf>,
    /// Run the browser without its sandbox. For root it always runs without, since root cannot have one
    #[arg(long)]
    no_sandbox: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Open {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let is_root = rustix::process::geteuid().is_root();
        let terms = Terms {
            until: Until::parse(&self.until)
                .map_err(|why| Failure::usage(format!("--until: {why}")))?,
            timeout: duration(&self.timeout)?,
            browser: self.browser.clone().filter(|path| !path.as_os_str().is_empty()),
            has_sandbox: !self.no_sandbox && !is_root,
        };
        let site = self.site()?;
        if is_root {
            context.tell(
                "the browser has no sandbox for root (--no-sandbox): open only pages that you trust",
            );
        }
        let visit = browser::open(&site, &terms)?;
        for fault in &visit.faults {
            context.tell(&format!("the page was ready, but: {}", text::line(fault)));
        }
        context.tell(&format!("{} requests", visit.requests));
        let text = || {
            format!(
                "startup {:.3} ms\ntransferred {} B\njs_heap {} B\nwasm_memory {} B\n",
                visit.startup, visit.transferred, visit.js_heap, visit.wasm_memory
            )
        };
        self.format.put(text, || {
            json!({
                "version": 1,
                "startup": visit.startup / 1000.0,
                "transferred": visit.transferred,
                "js_heap": visit.js_heap,
                "wasm_memory": visit.wasm_memory,
                "requests": visit.requests,
                "faults": visit.faults,
            })
        })?;
        Ok(Exit::Holds)
    }

    fn site(&self) -> Result<Site, Failure> {
        if self.site.starts_with("http://") || self.site.starts_with("https://") {
            if self.page != "/" || !self.file.is_empty() || self.isolated {
                let text = "--page, --file and --isolated are for a folder, and an address is its own; leave them out";
                return Err(Failure::usage(text));
            }
            return Ok(Site::Url(self.site.clone()));
        }
        if !self.page.starts_with('/') || self.page.contains(char::is_whitespace) {
            let text = format!(
                "--page `{}` is not the path of a page: write one such as /app.html?x=1",
                self.page
            );
            return Err(Failure::usage(text));
        }
        let root = PathBuf::from(&self.site);
        if !root.is_dir() {
            let text = format!(
                "failed to open `{}`: there is no such folder; name that of the page, which may be one that is built \
                 first, or an address that begins with http",
                self.site
            );
            return Err(Failure::unmeasured(text));
        }
        let files = self.file.iter().map(|file| match file.split_once('=') {
            Some((name, path)) => {
                Ok((name.trim_start_matches('/').to_owned(), PathBuf::from(path)))
            }
            None => Err(Failure::usage(format!("--file `{file}` has no `=`: write NAME=PATH"))),
        });
        let files = files.collect::<Result<_, _>>()?;
        Ok(Site::Folder { root, page: self.page.clone(), files, is_isolated: self.isolated })
    }
}

fn duration(text: &str) -> Result<Duration, Failure> {
    let wrong =
        |why: String| Failure::usage(format!("--timeout: {why}; write a time such as \"30 s\""));
    let quantity = Quantity::parse(text).map_err(wrong)?;
    let fits = quantity.unit == Unit::Seconds && quantity.value > 0.0 && quantity.value <= 86_400.0;
    if !fits {
        return Err(wrong(format!("`{text}` is not a time from 0 s to 24 h")));
    }
    Ok(Duration::from_secs_f64(quantity.value))
}
