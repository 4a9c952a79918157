//! The sizes of allocations, passed on to callgrind, which counts calls by their callers and cannot count bytes.
//!
//! There is a function for each bit of a size. An allocation of 24 bytes calls the functions of 8 and 16. The number of calls
//! of each function times its bit, added up by callers, is the number of bytes that each place allocates. Only a process that
//! is profiled does this.

use std::hint::black_box;

/// Makes the functions. Each contains a number of its own, or the compiler would merge all of them.
macro_rules! bits {
    ($($name:ident $bit:literal,)*) => {
        $(
            #[inline(never)]
            fn $name() {
                black_box($bit);
            }
        )*

        /// The function of each bit. No program has 2^48 bytes.
        const BITS: &[fn()] = &[$($name),*];
    };
}

bits! {
    bit_0 0, bit_1 1, bit_2 2, bit_3 3, bit_4 4, bit_5 5, bit_6 6, bit_7 7,
    bit_8 8, bit_9 9, bit_10 10, bit_11 11, bit_12 12, bit_13 13, bit_14 14, bit_15 15,
    bit_16 16, bit_17 17, bit_18 18, bit_19 19, bit_20 20, bit_21 21, bit_22 22, bit_23 23,
    bit_24 24, bit_25 25, bit_26 26, bit_27 27, bit_28 28, bit_29 29, bit_30 30, bit_31 31,
    bit_32 32, bit_33 33, bit_34 34, bit_35 35, bit_36 36, bit_37 37, bit_38 38, bit_39 39,
    bit_40 40, bit_41 41, bit_42 42, bit_43 43, bit_44 44, bit_45 45, bit_46 46, bit_47 47,
}

/// Calls the function of each bit that is set in a size.
pub(super) fn mark(size: usize) {
    let mut rest = size;
    while rest != 0 {
        if let Some(bit) = BITS.get(rest.trailing_zeros() as usize) {
            bit();
        }
        rest &= rest - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_has_a_function_of_its_own() {
        let mut places: Vec<usize> = BITS.iter().map(|&bit| bit as usize).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 48);
        // A size beyond any address space is no endless loop.
        mark(usize::MAX);
        mark(0);
    }
}
