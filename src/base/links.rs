//! The links of both revisions that times are compared with. Each pair of processes has a link of either side that no
//! earlier pair of its measurement had, so further links are made when a measurement needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use perf_budget_core::handover::{MadeLinks, MoreLinks};
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{self, Launch};
use crate::worker::process::{Build, is_same_program};

/// Each variable that differs with its value, or `None` if it is not inherited.
type Environment = BTreeMap<String, Option<String>>;

/// The links of both revisions. All measurements share them.
#[derive(Debug, Default)]
pub(crate) struct Links {
    made: Mutex<AvailableLinks>,
    more: Option<MoreLinks>,
    /// How many links of each revision are made first, where there are none yet.
    first: usize,
    /// The directory of the base's package, and how the environment of its processes differs from that of this process.
    base: (PathBuf, Environment),
    /// See [`Links::are_same`]; found out when it is first asked for.
    same: OnceLock<bool>,
}

/// The links that there are.
#[derive(Debug, Default)]
struct AvailableLinks {
    /// This revision's links. Empty if the binary of this process is used.
    heads: Vec<Build>,
    bases: Vec<Build>,
    /// Why no further links could be made.
    failure: Option<String>,
}

impl AvailableLinks {
    /// Returns how many pairs can have links of their own.
    fn count(&self) -> usize {
        self.bases.len().min(self.heads.len().max(1))
    }
}

impl Links {
    pub(crate) fn new(
        heads: Vec<Build>,
        bases: Vec<Build>,
        base: (PathBuf, Environment),
        more: Option<MoreLinks>,
    ) -> Links {
        let made = Mutex::new(AvailableLinks { heads, bases, failure: None });
        Links { made, more, first: 1, base, same: OnceLock::new() }
    }

    /// Returns the links of two programs that are made once a measurement needs them, `first` at first.
    pub(crate) fn made_later(more: MoreLinks, first: usize) -> Links {
        Links { more: Some(more), first, ..Links::default() }
    }

    /// Returns the builds of this revision and of the base for the n-th pair of a measurement, and the number of the link.
    /// No two pairs have the same link, unless there are fewer links than pairs. `None` stands for the binary of this
    /// process.
    pub(crate) fn of_pair(&self, nth: usize) -> ([Option<Build>; 2], usize) {
        let made = self.made();
        let link = nth % made.count().max(1);
        ([made.heads.get(link).cloned(), made.bases.get(link).cloned()], link)
    }

    /// Whether both sides are one and the same program, so that its functions are at the same places on both, and
    /// layout cannot favour a side. This is the case if only files beside the binary differ.
    pub(crate) fn are_same(&self) -> bool {
        *self.same.get_or_init(|| {
            let ([head, base], _) = self.of_pair(0);
            let head = head.map_or_else(|| Build::this().ok(), Some);
            let single = self.more.is_none() && self.made().count() == 1;
            let both = head.zip(base).filter(|_| single);
            both.is_some_and(|(head, base)| is_same_program(&head.binary, &base.binary))
        })
    }

    /// Returns the most links of each revision that there can be, as far as is known now.
    pub(crate) fn max_links(&self) -> usize {
        let made = self.made();
        let more = self.more.as_ref().filter(|_| made.failure.is_none());
        more.map_or(1, |more| more.most as usize).max(made.count())
    }

    /// Whether further links can be made for the n-th pair, which has none of its own yet.
    fn lack(&self, nth: usize) -> bool {
        let (count, has_failed) = {
            let made = self.made();
            (made.count(), made.failure.is_some())
        };
        !has_failed && self.more.is_some() && nth >= count && self.max_links() > nth
    }

    /// Returns a text that says what is made before the n-th pair can be measured; `None` if nothing is.
    pub(crate) fn wanted(&self, nth: usize) -> Option<String> {
        let words = || format!("linking both revisions again, {} times in all", self.next_count());
        self.lack(nth).then(words)
    }

    /// Returns how many links of each revision there would be after [`Links::extend`].
    fn next_count(&self) -> usize {
        let count = self.made().count();
        (2 * count).max(self.first).min(self.max_links())
    }

    /// Makes further links if the n-th pair has none of its own and there can be more.
    pub(crate) fn supply(&self, nth: usize, timeout: Duration) {
        if self.lack(nth) {
            self.extend(timeout);
        }
    }

    /// Doubles the number of links, up to the most that there can be.
    fn extend(&self, timeout: Duration) {
        let to = self.next_count();
        let mut made = self.made();
        let from = made.count();
        let Some(more) = self.more.as_ref().filter(|_| to > from) else { return };
        match make(more, from + 1, to, timeout) {
            Ok(MadeLinks { heads, links }) => {
                made.heads.extend(heads.into_iter().map(|path| Build::new(path, None)));
                let (root, environment) = &self.base;
                let base = |path| Build::new(path, Some(root.clone())).within(environment);
                made.bases.extend(links.into_iter().map(base));
            }
            Err(why) => made.failure = Some(why.text),
        }
    }

    /// Returns a note on why no further links could be made, where that was tried.
    pub(crate) fn failure(&self) -> Option<String> {
        let failure = self.made().failure.clone();
        failure.map(|why| format!("no further links could be made: {why}"))
    }

    /// Returns the files by which the builds are recognised in a later run. Empty if every run links anew, with other
    /// seeds. `None` if each side has several links and a later run has the same ones, since its values would be no new
    /// evidence about other links.
    pub(crate) fn identity(&self) -> Option<Vec<PathBuf>> {
        let made = self.made();
        match made.count() {
            _ if self.more.is_some() => Some(Vec::new()),
            0 | 1 => Some(made.heads.iter().chain(&made.bases).map(|b| b.binary.clone()).collect()),
            _ => None,
        }
    }

    fn made(&self) -> MutexGuard<'_, AvailableLinks> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the links with the numbers `from` to `to` made, by the program that the command names.
fn make(
    more: &MoreLinks,
    from: usize,
    to: usize,
    timeout: Duration,
) -> Result<MadeLinks, Unmeasured> {
    let mut launch = Launch::new(&more.program);
    launch.args = more.arguments.iter().map(Into::into).collect();
    launch.args.extend([from, to].map(|number| number.to_string().into()));
    // The answer is read whole.
    launch.keep = 1 << 20;
    let done = exec::run(&launch, timeout)?;
    let refused = |why: String| Unmeasured::new(Cause::Unsuitable, why);
    if done.code != 0 {
        let message = done.stderr.text().unwrap_or_else(|| format!("exit code {}", done.code));
        return Err(refused(message.trim().to_owned()));
    }
    MadeLinks::read(&done.stdout.tail, to + 1 - from).map_err(|e| refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(name: &str, count: usize) -> Vec<Build> {
        (0..count).map(|nth| Build::new(format!("/{name}/{nth}").into(), None)).collect()
    }

    fn with_links(heads: usize, bases: usize, more: Option<MoreLinks>) -> Links {
        Links::new(builds("h", heads), builds("b", bases), ("/b".into(), Environment::new()), more)
    }

    /// Returns a shell command in the place of the program that makes links.
    fn more(script: &str) -> MoreLinks {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        MoreLinks { program: "sh".into(), arguments, most: 6 }
    }

    #[test]
    fn each_pair_has_a_link_of_either_side_of_its_own() {
        let links = with_links(3, 4, None);
        let link = |nth| {
            let ([head, base], link) = links.of_pair(nth);
            (head.unwrap().binary, base.unwrap().binary, link)
        };
        assert_eq!(link(2), ("/h/2".into(), "/b/2".into(), 2));
        // There are no more than three pairs of links.
        assert_eq!(link(3), ("/h/0".into(), "/b/0".into(), 0));
        assert_eq!((links.max_links(), links.lack(3)), (3, false));
        // If a person names the base by hand, this revision's side is the binary that runs.
        let by_hand = with_links(0, 4, None);
        let ([head, base], link) = by_hand.of_pair(1);
        assert_eq!((head, base.unwrap().binary, link), (None, "/b/0".into(), 0));
        assert_eq!(by_hand.max_links(), 1);
    }

    #[test]
    fn one_program_on_both_sides_is_recognised_by_its_bytes() {
        let place = std::env::temp_dir().join(format!("perf-budget-same-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(place.join(name), text).unwrap();
            Build::new(place.join(name), None)
        };
        let (head, base, other) = (file("head", "one"), file("base", "one"), file("other", "two"));
        let are_same = |heads: &[&Build], bases: &[&Build]| {
            let all = |builds: &[&Build]| builds.iter().copied().cloned().collect();
            Links::new(all(heads), all(bases), (place.clone(), Environment::new()), None).are_same()
        };
        assert!(are_same(&[&head], &[&base]) && !are_same(&[&head], &[&other]));
        assert!(!are_same(&[&head, &head], &[&base, &base]), "links are made to differ");
        assert!(!are_same(&[], &[&base]) && are_same(&[], &[&Build::this().unwrap()]));
        std::fs::remove_dir_all(&place).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn further_links_are_made_when_a_pair_has_none() {
        // The numbers of the links follow the arguments, as the shell's own name and its first parameter.
        let script = r#"printf '{"heads":["/h/%s"' $0; for n in $(seq $(($0 + 1)) $1); do printf ',"/h/%s"' $n; done
            printf '],"links":["/b/%s"' $0; for n in $(seq $(($0 + 1)) $1); do printf ',"/b/%s"' $n; done; echo ']}'"#;
        let links = with_links(2, 2, Some(more(script)));
        assert_eq!((links.max_links(), links.lack(1), links.lack(2)), (6, false, true));
        links.extend(Duration::from_secs(60));
        assert_eq!(links.failure(), None);
        assert_eq!(links.of_pair(3).0[1].as_ref().unwrap().binary, PathBuf::from("/b/4"));
        // There can be no more than six.
        assert_eq!(links.next_count(), 6);
        links.extend(Duration::from_secs(60));
        assert_eq!((links.of_pair(5).1, links.lack(6), links.of_pair(6).1), (5, false, 0));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_cannot_be_made_are_not_tried_again() {
        let links = with_links(2, 2, Some(more("echo error: no space >&2; exit 3")));
        links.extend(Duration::from_secs(60));
        assert_eq!(
            links.failure().as_deref(),
            Some("no further links could be made: error: no space")
        );
        assert_eq!((links.max_links(), links.lack(2)), (2, false));
        let links = with_links(2, 2, Some(more("echo nonsense")));
        links.extend(Duration::from_secs(60));
        assert!(links.failure().unwrap().contains("is not understood"), "{:?}", links.failure());
    }

    #[cfg(unix)]
    #[test]
    fn the_first_links_are_made_when_they_are_needed() {
        let answer = r#"echo '{"heads":["/h/1","/h/2","/h/3"],"links":["/b/1","/b/2","/b/3"]}'"#;
        let links = Links::made_later(more(answer), 3);
        assert!(links.lack(0));
        assert_eq!((links.of_pair(0), links.next_count()), (([None, None], 0), 3));
        links.extend(Duration::from_secs(60));
        let binaries = |nth| links.of_pair(nth).0.map(|build| build.unwrap().binary);
        assert_eq!(binaries(2), ["/h/3", "/b/3"].map(PathBuf::from));
        assert_eq!((links.lack(2), links.lack(3), links.next_count()), (false, true, 6));
        assert!(!links.are_same());
    }

    #[test]
    fn only_links_that_are_made_anew_give_evidence_in_a_later_run() {
        assert_eq!(with_links(2, 2, Some(more(""))).identity(), Some(Vec::new()));
        assert_eq!(with_links(1, 1, None).identity().map(|files| files.len()), Some(2));
        assert_eq!(with_links(2, 2, None).identity(), None);
    }
}
