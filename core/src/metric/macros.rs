//! The macros that write the tables of instruments and of metrics: each row once, with all that belongs to it.

/// Makes the keys and their rows together, so that neither is missing.
macro_rules! rows {
    ($($key:ident {
        name: $name:literal, meaning: $meaning:literal, $($column:ident: $value:expr),* $(,)?
    })*) => {
        /// The key by which code names a row of the table; an instrument writes the value that it has read under it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Key {
            $(#[doc = concat!($meaning, ".")] $key,)*
        }

        /// Every metric, in the order of the keys.
        pub(super) const ROWS: &[Row] = &[
            $(Row { key: Key::$key, name: $name, meaning: $meaning, $($column: $value),* },)*
        ];
    };
}

/// Makes the instruments, what is known of each, and the name by which rows of metrics name it.
macro_rules! instruments {
    ($($(#[$doc:meta])* $constant:ident = $variant:ident {
        $($column:ident: $value:expr),* $(,)?
    })*) => {
        /// The instrument by which a workload is measured. A process has only one, because each would disturb the others.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum WorkerInstrument {
            $($(#[$doc])* $variant,)*
        }

        impl WorkerInstrument {
            /// Returns its row.
            pub const fn row(self) -> InstrumentRow {
                match self {
                    $(WorkerInstrument::$variant => InstrumentRow { $($column: $value),* },)*
                }
            }
        }

        $(const $constant: InstrumentKind = Worker(WorkerInstrument::$variant);)*
    };
}
