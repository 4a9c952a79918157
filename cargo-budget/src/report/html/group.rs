//! One budget as a row of the page. A budget with several limits opens to a row for each.

use maud::{Markup, html};

use super::{cases, detail, row};
use crate::report::groups::Group;
use crate::report::{Report, Trends};
use crate::text::counted;

/// Renders the budget, calling `step` after each of its limits.
pub(super) fn render(
    group: &Group<'_>,
    report: &Report,
    trends: &Trends<'_>,
    open: bool,
    step: &dyn Fn(),
) -> Markup {
    let worst = group.worst;
    let rest = group.outcomes.len() - 1;
    let more =
        if rest == 0 { String::new() } else { format!("and {}", counted(rest, "more limit")) };
    let earlier = trends.before(worst);
    html! {
        details.budget.(worst.verdict.name()) open[open] {
            (row::summary(worst, &earlier, &row::Name::Budget(&more)))
            @if rest == 0 {
                div.limit data-verdict=(worst.verdict.name()) { (detail::render(report, &earlier, worst)) }
                @let () = step();
            } @else {
                div.limits {
                    (cases::render(&group.outcomes))
                    @for outcome in &group.outcomes {
                        @let earlier = trends.before(outcome);
                        @let is_shown = open && std::ptr::eq(*outcome, worst);
                        details.limit.(outcome.verdict.name()) data-verdict=(outcome.verdict.name()) open[is_shown] {
                            (row::summary(outcome, &earlier, &row::Name::Limit))
                            (detail::render(report, &earlier, outcome))
                        }
                        @let () = step();
                    }
                }
            }
        }
    }
}
