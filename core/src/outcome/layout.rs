//! Whether memory layout alone explains that a value is beyond its limit.

use super::{Doubt, Outcome};
use crate::budget::Bound;

impl Outcome {
    /// Whether memory layout alone can be why the value is beyond its limit, as far as the time on the processor shows.
    pub fn layout_explains(&self) -> bool {
        let known = self.layout.zip(self.against).zip(self.estimate);
        let Some(((layout, against), estimate)) = known else { return false };
        let value = match against.bound {
            Bound::Max => estimate.value / (1.0 + layout),
            Bound::Min => estimate.value * (1.0 + layout),
        };
        self.doubt == Some(Doubt::Layout) && !against.is_over(value)
    }
}
