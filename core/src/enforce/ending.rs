//! How the measurement of a limit ends: the verdict that its values show, and the reasons for another verdict.

use super::open::Open;
use crate::budget::Bound;
use crate::outcome::{Counted, Doubt, words};
use crate::reading::Work;
use crate::verdict::Verdict;

/// The factor up to which the counts of two counters may differ for the same work: another C library copies memory by other
/// instructions, for instance.
const OTHER_COUNTER: f64 = 1.25;

/// How the measurement of a limit ended.
pub(super) struct Ending {
    /// What the values show.
    pub(super) shown: Verdict,
    /// Why the evidence did not settle the limit, if it did not.
    pub(super) doubt: Option<Doubt>,
    /// The seconds of effort that would settle it, if they are known.
    pub(super) effort: Option<f64>,
    /// Whether the time for all measurements was up before the limit was settled.
    pub(super) is_cut_off: bool,
    /// The reason for another verdict than the values show, if there is one.
    pub(super) revision: Option<Revision>,
}

/// A reason outside of the values for another verdict.
pub(super) enum Revision {
    /// An operation takes less time than can be measured; the text says so.
    DidNothing(String),
    /// The verdict would rest on a comparison of two counters; the text says so.
    OtherCounter(String),
    /// What the machine did may be the reason for what the values show, or hide what they do not, in these words.
    Noise(String),
}

impl Ending {
    /// Returns how the measurement of a limit ends whose values show the verdict `shown`. `work` is that of one operation, and
    /// `counted` says how instructions were counted.
    pub(super) fn of(
        open: &Open,
        work: Work,
        counted: Option<&Counted>,
        shown: Verdict,
        doubt: Option<Doubt>,
    ) -> Ending {
        let other = || other_counter(open, counted?, shown);
        let unknown = || open.may_have_been_longer().map(Revision::Noise);
        let revision = match shown {
            Verdict::Pass => unknown().or_else(|| did_nothing(open, work)).or_else(other),
            Verdict::Warn => unknown().or_else(other),
            Verdict::Fail => other(),
            Verdict::Inconclusive | Verdict::Unmeasured | Verdict::Skipped => None,
        };
        Ending { shown, doubt, effort: None, is_cut_off: false, revision }
    }

    /// Returns the verdict on the limit.
    pub(super) fn verdict(&self) -> Verdict {
        match self.revision {
            None => self.shown,
            Some(Revision::DidNothing(_)) => Verdict::Warn,
            Some(Revision::OtherCounter(_) | Revision::Noise(_)) => Verdict::Inconclusive,
        }
    }

    /// Returns why the limit is not settled, where it is not.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        match self.revision {
            Some(Revision::Noise(_)) => Some(Doubt::Noise),
            Some(Revision::DidNothing(_) | Revision::OtherCounter(_)) | None => self.doubt,
        }
    }

    /// Returns the sentence of the verdict, from that of what the values show.
    pub(super) fn reason(&self, shown: String) -> String {
        match &self.revision {
            None => shown,
            Some(Revision::DidNothing(why)) => format!("{shown}; {why}"),
            Some(Revision::OtherCounter(why)) => format!("no verdict: {shown}; {why}"),
            Some(Revision::Noise(why)) => format!("no verdict: {shown}, {why}"),
        }
    }
}

fn did_nothing(open: &Open, work: Work) -> Option<Revision> {
    let (Work::Operations(work) | Work::Bytes(work)) = work;
    let value = open.estimate()?.value;
    words::did_nothing(value, &open.pending.limit, work).map(Revision::DidNothing)
}

/// Returns why a verdict would rest on a comparison of two counters, if it would. If another counter counted the accepted value
/// than this one, the difference may come from the counters. A value that is further beyond an absolute limit than two
/// counters can differ stays red.
fn other_counter(open: &Open, counted: &Counted, shown: Verdict) -> Option<Revision> {
    let template = &open.pending.template;
    let accepted = template.accepted.as_ref()?;
    let by = accepted.counter.as_ref().filter(|by| **by != counted.by)?;
    let against = open.against();
    let is_far = open.estimate().is_some_and(|estimate| match against.bound {
        Bound::Max => estimate.value > against.limit * OTHER_COUNTER,
        Bound::Min => estimate.value * OTHER_COUNTER < against.limit,
    });
    let decides = accepted.factor.is_some() || (shown == Verdict::Fail && !is_far);
    (decides && template.relative_to.is_none())
        .then(|| Revision::OtherCounter(words::other_counter(counted, by)))
}
