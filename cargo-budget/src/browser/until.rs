//! When a page counts as ready, and the script that watches for it inside the page.

use serde_json::{Value, json};

/// The name of the function with which the script reports what it saw.
pub(super) const TELL: &str = "__perf_budget_tell";

/// When a page is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Until {
    /// When it has loaded: the event `load` of its window.
    Load,
    /// When it calls `performance.mark` with this name.
    Mark(String),
    /// When it writes a line with this text to its console.
    Console(String),
    /// When this expression of JavaScript is true.
    Expression(String),
}

impl Until {
    /// Reads `load`, `mark:NAME`, `console:TEXT`, or an expression.
    pub(crate) fn parse(text: &str) -> Result<Until, String> {
        let named = |name: &str, what: &str, make: fn(String) -> Until| match name {
            "" => Err(format!("`{text}` names no {what}")),
            name => Ok(make(name.to_owned())),
        };
        match text.split_once(':') {
            _ if text.trim().is_empty() => Err("it is empty; write mark:NAME".to_owned()),
            _ if text == "load" => Ok(Until::Load),
            Some(("mark", name)) => named(name, "mark", Until::Mark),
            Some(("console", line)) => named(line, "text of a line", Until::Console),
            _ => Ok(Until::Expression(text.to_owned())),
        }
    }

    /// Returns in words what is waited for.
    pub(super) fn described(&self) -> String {
        match self {
            Until::Load => "the event `load`".to_owned(),
            Until::Mark(name) => format!("`performance.mark({})`", json!(name)),
            Until::Console(text) => format!("a line of the console with {text:?}"),
            Until::Expression(text) => format!("a moment at which `{text}` is true"),
        }
    }

    /// Returns the script that runs in each new document before the document's own scripts. It reports when the document
    /// began and when it was ready, in milliseconds since 1970.
    pub(super) fn script(&self) -> String {
        let watch = match self {
            Until::Load => "addEventListener('load', () => ready(performance.now()));".to_owned(),
            Until::Mark(name) => format!(
                "new PerformanceObserver((list) => {{ \
                   for (const mark of list.getEntriesByName({})) ready(mark.startTime); \
                 }}).observe({{ type: 'mark', buffered: true }});",
                json!(name)
            ),
            // The browser itself reports what is written to the console, and when.
            Until::Console(_) => String::new(),
            // A browser leaves at least 4 ms between timers that start each other.
            Until::Expression(text) => format!(
                "let last; const look = () => {{ \
                   let is = false; \
                   try {{ is = ({text}\n); }} catch (e) {{ \
                     if (String(e) !== last) {{ last = String(e); tell({{ failed: last }}); }} \
                   }} \
                   if (is) ready(performance.now()); else setTimeout(look, 4); \
                 }}; look();"
            ),
        };
        format!(
            "(() => {{ if (window !== window.top) return; \
               const call = window.{TELL}, tell = (what) => call(JSON.stringify(what)); \
               const ready = (at) => tell({{ ready: performance.timeOrigin + at }}); \
               tell({{ began: performance.timeOrigin }}); {watch} }})();"
        )
    }
}

/// Returns the text of a message to the console: its arguments as they are shown.
pub(super) fn console_line(arguments: &Value) -> String {
    let text = |argument: &Value| match (&argument["value"], argument["description"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (_, Some(description)) => description.to_owned(),
        (Value::Null, None) => argument["type"].as_str().unwrap_or_default().to_owned(),
        (value, None) => value.to_string(),
    };
    let shown = arguments.as_array().into_iter().flatten().map(text);
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_colon_decides_what_is_waited_for() {
        assert_eq!(Until::parse("load"), Ok(Until::Load));
        assert_eq!(Until::parse("mark:ready"), Ok(Until::Mark("ready".into())));
        assert_eq!(Until::parse("console:a: b"), Ok(Until::Console("a: b".into())));
        let expression = "document.body?.dataset.state === 'a:b'";
        assert_eq!(Until::parse(expression), Ok(Until::Expression(expression.into())));
        for none in ["", "  ", "mark:", "console:"] {
            assert!(Until::parse(none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn a_name_is_quoted_in_the_script() {
        let script = Until::Mark("\"); alert(1); (\"</script>".into()).script();
        assert!(script.contains(r#"getEntriesByName("\"); alert(1); (\"</script>")"#), "{script}");
    }

    #[test]
    fn the_arguments_of_the_console_are_one_line() {
        let arguments = json!([
            { "type": "string", "value": "ready in" },
            { "type": "number", "value": 12, "description": "12" },
            { "type": "undefined" },
            { "type": "object", "description": "Error: no" },
            { "type": "boolean", "value": true },
        ]);
        assert_eq!(console_line(&arguments), "ready in 12 undefined Error: no true");
        assert_eq!(console_line(&Value::Null), "");
    }
}
