//! Lists, scripted.
