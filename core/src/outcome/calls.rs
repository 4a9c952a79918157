//! The calls of one operation as a tree, as data. The page of a run draws a flame graph from it.

use serde::{Deserialize, Serialize};

use super::Change;

/// The functions of one operation by their chains of callers. Those that are too small to be seen are added up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallTree {
    /// The names, each once.
    pub names: Vec<String>,
    /// The frames: each comes before the frames that it calls.
    pub frames: Vec<Frame>,
}

/// A function as one chain of callers calls it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "WireFrame", into = "WireFrame")]
pub struct Frame {
    /// How many callers it has.
    pub depth: usize,
    /// The index of its name; `None` if it stands for several that are too small.
    pub name: Option<usize>,
    /// Its own instructions, without those of what it calls.
    pub own: Change,
}

/// A frame as it is written: short, since there are many.
#[derive(Serialize, Deserialize)]
struct WireFrame(usize, Option<usize>, f64, f64);

impl From<WireFrame> for Frame {
    fn from(WireFrame(depth, name, before, now): WireFrame) -> Frame {
        Frame { depth, name, own: Change { before, now } }
    }
}

impl From<Frame> for WireFrame {
    fn from(Frame { depth, name, own }: Frame) -> WireFrame {
        WireFrame(depth, name, own.before, own.now)
    }
}

impl CallTree {
    /// Returns the name of a frame; empty if it stands for several functions, or if somebody has changed the record so that
    /// its index has no name.
    pub fn name(&self, frame: &Frame) -> &str {
        frame.name.and_then(|name| self.names.get(name)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_form_of_a_tree_is_frozen() {
        let tree: CallTree = frozen(
            r#"{"names":["work::merge","malloc"],"frames":[[0,0,1000.0,1000.5],[1,1,0.0,70.0],[1,null,3.0,4.0]]}"#,
        );
        assert_eq!(tree.name(&tree.frames[1]), "malloc");
        assert_eq!((tree.name(&tree.frames[2]), tree.frames[2].own.now), ("", 4.0));
        assert_eq!(tree.name(&Frame { name: Some(7), ..Frame::default() }), "");
    }
}
