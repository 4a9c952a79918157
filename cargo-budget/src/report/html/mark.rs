//! The icons of the verdicts. Each has its own shape, since not everybody can tell the colours apart.

use maud::{Markup, PreEscaped, html};
use perf_budget_core::verdict::Verdict;

/// Returns the icon, which always stands next to the name of the verdict.
pub(crate) fn verdict(verdict: Verdict, size: u32) -> Markup {
    let path = match verdict {
        Verdict::Pass => "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8ZM4.6 8.2l2.4 2.5 4.6-5.2",
        Verdict::Warn => "M8 1.4 15.2 14.4H.8ZM8 6v4M8 11.7v.9",
        Verdict::Fail => "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5ZM5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2",
        Verdict::Inconclusive => {
            "M8 .8 15.2 8 8 15.2 .8 8ZM6.1 6.5a1.9 1.9 0 1 1 2.7 1.8Q8 8.7 8 9.4M8 11v.8"
        }
        Verdict::Unmeasured => "M8 .8a7.2 7.2 0 1 0 0 14.4A7.2 7.2 0 0 0 8 .8ZM3.2 12.8 12.8 3.2",
        Verdict::Skipped => "M1.4 3.4 6.6 8l-5.2 4.6ZM8.4 3.4 13.6 8l-5.2 4.6Z",
    };
    html! {
        svg.mark.(verdict.name()) viewBox="0 0 16 16" width=(size) height=(size) aria-hidden="true" focusable="false" {
            path d=(path) {}
        }
    }
}

/// Returns the hatching of the tolerance, which the charts refer to.
pub(crate) fn patterns() -> Markup {
    PreEscaped(
        "<svg class=\"unseen\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\"><defs>\
         <pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"></line></pattern>\
         </defs></svg>"
            .to_owned(),
    )
}
