//! A page that edits documents of local-first in a browser. The page is in `site`; this crate only has its budgets.
