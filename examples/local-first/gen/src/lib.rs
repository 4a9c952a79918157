//! A record of CRDT fields as a WASM module: as many fields as the build asks for, each with code of its own.
//!
//! `GEN_FIELDS` says how many (`build.rs`). The module imports nothing and exports `record_create`,
//! `record_free`, `record_merge`, and for each field `field_N_write` and `field_N_read`; with the feature `text`
//! also `record_text_length`.

mod field;

use field::{Counter, Field, Labels, Register, Stamp};

/// Declares the record and its interface.
macro_rules! record {
    ($($field:ident: $kind:ty,)*) => {
        /// The record.
        #[derive(Debug, Default)]
        pub struct Record {
            $($field: $kind,)*
        }

        impl Record {
            fn merge(&mut self, other: &Self) {
                $(self.$field.merge(&other.$field);)*
            }
        }

        $(const _: () = {
            /// Writes to a field.
            ///
            /// # Safety
            /// `record` came from this module and was not freed.
            #[unsafe(export_name = concat!(stringify!($field), "_write"))]
            unsafe extern "C" fn write(record: *mut Record, value: u64, clock: u64, peer: u32) {
                // SAFETY: the caller's promise.
                unsafe { &mut *record }.$field.write(value, Stamp { clock, peer });
            }

            /// Reads a field.
            ///
            /// # Safety
            /// `record` came from this module and was not freed.
            #[unsafe(export_name = concat!(stringify!($field), "_read"))]
            unsafe extern "C" fn read(record: *const Record) -> u64 {
                // SAFETY: the caller's promise.
                unsafe { &*record }.$field.read()
            }
        };)*
    };
}

include!(concat!(env!("OUT_DIR"), "/record.rs"));

/// An empty record.
#[unsafe(no_mangle)]
pub extern "C" fn record_create() -> *mut Record {
    Box::into_raw(Box::default())
}

/// Gives a record back.
///
/// # Safety
/// `record` came from [`record_create`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn record_free(record: *mut Record) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(record) });
}

/// Takes over what another peer's record has.
///
/// # Safety
/// Both came from [`record_create`], are two, and were not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn record_merge(record: *mut Record, other: *const Record) {
    // SAFETY: the caller's promise.
    let (record, other) = unsafe { (&mut *record, &*other) };
    record.merge(other);
}

/// How long the record is as text.
///
/// # Safety
/// `record` came from [`record_create`] and was not freed.
#[cfg(feature = "text")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn record_text_length(record: *const Record) -> usize {
    // SAFETY: the caller's promise.
    format!("{:#?}", unsafe { &*record }).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(edits: &[(u64, u64, u32)]) -> Record {
        let mut record = Record::default();
        for &(value, clock, peer) in edits {
            let stamp = Stamp { clock, peer };
            record.field_0.write(value, stamp);
            record.field_1.write(value, stamp);
            record.field_2.write(value, stamp);
        }
        record
    }

    fn read(record: &Record) -> [u64; 3] {
        [record.field_0.read(), record.field_1.read(), record.field_2.read()]
    }

    #[test]
    fn peers_agree_in_any_order_and_any_number_of_times() {
        let edits: [&[_]; 2] = [&[(7, 1, 1), (5, 3, 1)], &[(9, 2, 2), (1, 3, 2)]];
        let (mut a, mut b) = (written(edits[0]), written(edits[1]));
        assert_eq!((read(&a), read(&b)), ([5, 12, 2], [1, 10, 2]));
        a.merge(&b);
        b.merge(&a);
        b.merge(&written(edits[0]));
        assert_eq!((read(&a), read(&b)), ([1, 22, 4], [1, 22, 4]));
    }
}
