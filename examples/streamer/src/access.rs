//! Who may do what with which topic. Apart because it is asked before a topic is, and knows none.

use std::collections::{HashMap, HashSet};

/// What can be done with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Appending messages.
    Publish,
    /// Reading them.
    Consume,
}

/// The rights that were granted; all others are denied.
#[derive(Debug, Clone, Default)]
pub struct Access {
    granted: HashMap<String, HashSet<(u32, Right)>>,
}

impl Access {
    /// Grants a principal a right on a topic.
    pub fn grant(&mut self, principal: u32, topic: &str, right: Right) {
        self.granted.entry(topic.to_owned()).or_default().insert((principal, right));
    }

    /// Whether the principal has the right.
    pub fn allows(&self, principal: u32, topic: &str, right: Right) -> bool {
        self.granted.get(topic).is_some_and(|granted| granted.contains(&(principal, right)))
    }
}
