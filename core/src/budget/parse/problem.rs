//! A mistake in the file: its place, what is wrong, and what to write instead. `source` draws it.

use std::ops::{Deref, Range};

/// One mistake. It is boxed and made by cold functions, because there are a hundred places that make one.
pub(super) struct Problem(Box<Parts>);

/// The parts of a mistake.
pub(super) struct Parts {
    /// The bytes of the text that are underlined.
    pub at: Range<usize>,
    /// The mistake: a sentence in lower case without a full stop.
    pub title: String,
    /// The text beside the underline.
    pub label: String,
    /// The remedy.
    pub help: Option<String>,
    /// Another place that is related to the mistake, and the text beside it.
    pub also: Option<(Range<usize>, String)>,
    /// The place in this crate's source that makes the mistake, so that a test can check that every message is tested.
    #[cfg(test)]
    pub made_at: &'static std::panic::Location<'static>,
}

impl Problem {
    #[cold]
    #[cfg_attr(test, track_caller)]
    pub(super) fn new(at: Range<usize>, title: impl Into<String>) -> Self {
        Problem(Box::new(Parts {
            at,
            title: title.into(),
            label: String::new(),
            help: None,
            also: None,
            #[cfg(test)]
            made_at: std::panic::Location::caller(),
        }))
    }

    #[cold]
    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        self.0.label = text.into();
        self
    }

    #[cold]
    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.0.help = Some(text.into());
        self
    }

    #[cold]
    pub(super) fn also(mut self, at: Range<usize>, text: impl Into<String>) -> Self {
        self.0.also = Some((at, text.into()));
        self
    }
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
