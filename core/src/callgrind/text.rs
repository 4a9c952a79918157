//! A profile written as callgrind writes it, so that it is read back by the same reader.

use std::fmt::Write as _;

use super::{Function, Profile};

impl Profile {
    /// Returns the text of a profile with addresses, without the system calls.
    pub fn to_text(&self) -> String {
        let mut text = format!("creator: {}\npositions: instr\nevents: Ir\n", self.creator);
        for (at, function) in self.functions.iter().enumerate() {
            let file = usize::from(function.has_lines);
            let _ = write!(text, "{}", object(at, function, ""));
            let _ = writeln!(text, "fl=({file}) {}", ["???", "known"][file]);
            let _ = writeln!(text, "fn=({at}) {}", function.name);
            for (address, cost) in &function.at {
                let _ = writeln!(text, "0x{address:x} {cost}");
            }
            for call in &function.calls {
                let called = &self.functions[call.to];
                let _ = write!(text, "{}", object(call.to, called, "c"));
                let _ = writeln!(text, "cfn=({}) {}", call.to, called.name);
                let _ = writeln!(text, "calls={} 0\n0x{:x} {}", call.count, call.at, call.cost);
            }
        }
        let costs = self.functions.iter().flat_map(|function| &function.at);
        let total: u64 = costs.map(|(_, cost)| cost).sum();
        let _ = writeln!(text, "totals: {total}");
        text
    }
}

/// Returns the line that says which object a function belongs to. Each function has an object of its own number.
fn object(at: usize, function: &Function, prefix: &str) -> String {
    format!("{prefix}ob=({at}) {}\n", function.object)
}
