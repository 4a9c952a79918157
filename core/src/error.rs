//! The one error type of the crate. It is apart so that every other module can use it.
//!
//! It is opaque: callers ask what it is (`is_config`), and do not match on it. A broken limit is not an error but a
//! [`Verdict`](crate::verdict::Verdict); an error means that the gate itself could not do its work.

use std::fmt;
use std::path::{Path, PathBuf};

/// The gate could not do its work: for example, a file cannot be read, or `budgets.toml` has mistakes.
pub struct Error(Box<Kind>);

enum Kind {
    /// The mistakes of `budgets.toml`, rendered, each with its line and caret.
    Config {
        rendered: String,
        count: usize,
    },
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    Other(String),
}

impl Error {
    /// Makes the error for mistakes in `budgets.toml`: `rendered` shows all of them, and `count` is their number.
    pub fn config(rendered: String, count: usize) -> Self {
        Error(Box::new(Kind::Config { rendered, count }))
    }

    /// Makes the error "failed to ACTION `path`: source".
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        // Windows says of a directory that the access to it is denied.
        let is_denied = source.kind() == std::io::ErrorKind::PermissionDenied;
        let source = if cfg!(windows) && is_denied && path.is_dir() {
            std::io::ErrorKind::IsADirectory.into()
        } else {
            source
        };
        Error(Box::new(Kind::Io { action, path: path.to_owned(), source }))
    }

    /// Makes an error of a message that already says what failed, on which thing, why, and the remedy.
    pub fn other(message: impl Into<String>) -> Self {
        Error(Box::new(Kind::Other(message.into())))
    }

    /// Whether the configuration is at fault rather than the machine.
    pub fn is_config(&self) -> bool {
        matches!(*self.0, Kind::Config { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Config { rendered, count } => {
                let s = if *count == 1 { "" } else { "s" };
                write!(f, "{rendered}\n{count} problem{s}; nothing was measured")
            }
            Kind::Io { action, path, source } => {
                write!(f, "failed to {action} `{}`: {source}", path.display())
            }
            Kind::Other(message) => f.write_str(message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Io { source, .. } => Some(source),
            Kind::Config { .. } | Kind::Other(_) => None,
        }
    }
}
