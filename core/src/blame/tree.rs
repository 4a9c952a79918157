//! The calls of an operation as a tree. A record has the part of it that is wide enough to be seen, and never more than a few
//! kilobytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::outcome::{CallTree, Change, Frame};

/// The most bytes of a tree in a record. A flame graph of more frames would not be read.
const MOST_BYTES: usize = 16 << 10;
/// The share of the whole below which a frame is too small to be seen.
const SMALL: f64 = 0.001;
/// An upper estimate of the bytes of one frame in JSON, without its name.
const FRAME_BYTES: usize = 32;

/// The cost of one side in a chain of callers.
#[derive(Default)]
pub(super) struct Node {
    own: f64,
    calls: BTreeMap<String, Node>,
}

impl Node {
    /// Adds the instructions of a function whose callers are `chain`, the function itself first.
    pub(super) fn add(&mut self, chain: &[String], cost: f64) {
        let mut node = self;
        for name in chain.iter().rev() {
            node = node.calls.entry(name.clone()).or_default();
        }
        node.own += cost;
    }

    pub(super) fn divide(&mut self, operations: f64) {
        self.own /= operations;
        self.calls.values_mut().for_each(|node| node.divide(operations));
    }
}

/// A function of both sides.
struct FunctionPair<'a> {
    own: Change,
    /// The width in the flame graph: the larger of both sides' own instructions, plus the widths of the functions that it calls.
    width: f64,
    calls: Vec<(&'a str, FunctionPair<'a>)>,
}

impl<'a> FunctionPair<'a> {
    fn of(was: Option<&'a Node>, is: Option<&'a Node>) -> FunctionPair<'a> {
        let names: BTreeSet<&String> =
            [was, is].into_iter().flatten().flat_map(|node| node.calls.keys()).collect();
        let called =
            |side: Option<&'a Node>, name: &str| side.and_then(|node| node.calls.get(name));
        let calls: Vec<(&str, FunctionPair<'_>)> = names
            .into_iter()
            .map(|name| (name.as_str(), FunctionPair::of(called(was, name), called(is, name))))
            .collect();
        let own = |side: Option<&Node>| side.map_or(0.0, |node| node.own);
        let own = Change { before: own(was), now: own(is) };
        let below: f64 = calls.iter().map(|(_, both)| both.width).sum();
        FunctionPair { own, width: own.before.max(own.now) + below, calls }
    }

    /// Returns the instructions, with those of all functions that are called.
    fn whole(&self) -> Change {
        self.calls.iter().fold(self.own, |sum, (_, both)| {
            let Change { before, now } = both.whole();
            Change { before: sum.before + before, now: sum.now + now }
        })
    }

    /// Writes the frames that are at least `least` wide. The others of one caller become one frame without a name.
    fn write(&self, depth: usize, least: f64, out: &mut Vec<(usize, Option<&'a str>, Change)>) {
        let mut small = Change::default();
        for (name, both) in &self.calls {
            if both.width >= least {
                out.push((depth, Some(name), both.own));
                both.write(depth + 1, least, out);
            } else {
                let Change { before, now } = both.whole();
                small.before += before;
                small.now += now;
            }
        }
        if small != Change::default() {
            out.push((depth, None, small));
        }
    }
}

/// Returns the tree of both sides with as many frames as a record may have.
pub(super) fn bounded(was: &Node, is: &Node) -> CallTree {
    let both = FunctionPair::of(Some(was), Some(is));
    let mut least = SMALL * both.width;
    loop {
        let mut frames = Vec::new();
        both.write(0, least, &mut frames);
        let names: BTreeSet<&str> = frames.iter().filter_map(|(_, name, _)| *name).collect();
        let bytes = names.iter().map(|name| name.len() + 4).sum::<usize>();
        if bytes + frames.len() * FRAME_BYTES <= MOST_BYTES {
            let index: HashMap<&str, usize> =
                names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
            let frame = |&(depth, name, own): &(usize, Option<&str>, Change)| Frame {
                depth,
                name: name.map(|name| index[name]),
                own: Change { before: rounded(own.before), now: rounded(own.now) },
            };
            return CallTree {
                frames: frames.iter().map(frame).collect(),
                names: names.iter().map(|&name| name.to_owned()).collect(),
            };
        }
        // If all widths are 0, this leaves out every frame, so that the loop ends.
        least = (least * 1.5).max(f64::MIN_POSITIVE);
    }
}

/// Returns a number with one digit behind the point, so that a mean of operations is not written with sixteen.
fn rounded(amount: f64) -> f64 {
    (amount * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(text: &str) -> Vec<String> {
        text.split('<').map(str::to_owned).collect()
    }

    #[test]
    fn both_sides_make_one_tree_and_what_is_small_is_added_up() {
        let (mut was, mut is) = (Node::default(), Node::default());
        was.add(&chain("merge"), 1000.0);
        was.add(&chain("gone<merge"), 500.0);
        is.add(&chain("merge"), 2000.0);
        is.add(&chain("malloc<merge"), 301.0);
        is.add(&chain("tiny<merge"), 0.5);
        is.add(&chain("small<tiny<merge"), 0.25);
        is.divide(2.0);
        let tree = bounded(&was, &is);
        let shown: Vec<_> = tree
            .frames
            .iter()
            .map(|frame| (frame.depth, tree.name(frame), frame.own.before, frame.own.now))
            .collect();
        let want = [
            (0, "merge", 1000.0, 1000.0),
            (1, "gone", 500.0, 0.0),
            (1, "malloc", 0.0, 150.5),
            (1, "", 0.0, 0.4),
        ];
        assert_eq!(shown, want);
    }

    #[test]
    fn a_tree_of_any_size_takes_bounded_bytes() {
        let mut is = Node::default();
        for nth in 0..5000_u32 {
            let name = format!("{}<work::merge", format!("n{nth}::").repeat(40));
            is.add(&chain(&name), f64::from(nth % 17 + 1));
        }
        let tree = bounded(&Node::default(), &is);
        let bytes = serde_json::to_vec(&tree).unwrap().len();
        assert!(bytes <= MOST_BYTES && tree.frames.len() > 1, "{bytes} {}", tree.frames.len());
        let sum: f64 = tree.frames.iter().map(|frame| frame.own.now).sum();
        let want: f64 = (0..5000_u32).map(|nth| f64::from(nth % 17 + 1)).sum();
        assert!((sum - want).abs() < 0.5, "{sum} and not {want}");
    }

    #[test]
    fn nothing_has_no_frames() {
        assert_eq!(bounded(&Node::default(), &Node::default()), CallTree::default());
    }
}
