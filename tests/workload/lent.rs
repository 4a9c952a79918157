//! The subjects whose input is only lent to the operation, and dropped outside of the measured part.

use std::time::Duration;

use crate::spin::spin;
use crate::subjects::{HELD, Plain, SlowDrop};

pub(crate) fn subjects() -> Vec<(&'static str, Plain)> {
    vec![
        ("input drops slowly", |run| run.iter_with_ref(|| SlowDrop, |_| 1)),
        ("lent every fourth fails", |run| {
            let mut count = 0;
            let setup = || {
                count += 1;
                count
            };
            run.try_iter_with_ref(setup, |count| {
                spin(Duration::from_micros(50));
                if *count % 4 == 0 { Err("the fourth") } else { Ok(17) }
            })
        }),
        ("lends a Result", |run| run.iter_with_ref(|| "17", |text| text.parse::<u8>())),
        ("changes its input", |run| {
            let setup = || Vec::with_capacity(4000);
            run.iter_with_ref(setup, |input: &mut Vec<u8>| {
                input.push(1);
                vec![1_u8; 30]
            })
        }),
        ("grows its input", |run| {
            let setup = || vec![1_u8; 100];
            run.iter_with_ref(setup, |input: &mut Vec<u8>| input.reserve_exact(900))
        }),
        ("loads its input", |run| {
            let setup = || vec![1_u8; HELD];
            run.iter_with_ref(setup, |input| input.iter().map(|&byte| u64::from(byte)).sum::<u64>())
        }),
    ]
}
