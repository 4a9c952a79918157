//! Tests that numbers are read exactly, and the helpers with which other tests fix the written form.

use super::frozen::refused;
use super::*;

#[test]
fn numbers_are_read_exactly() {
    // Each has 16 or 17 digits, of which a quick reading loses the last.
    let floats =
        [0.1 + 0.2, 1.0 / 3.0, 8.5e-5 / 7.0, 0.841_470_984_807_896_5e-9, 123_456.789_012_345_67];
    let edges =
        [f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 3.0, 1e21, 1e16, 9_007_199_254_740_993.0];
    let mut state = 1u64;
    let drawn = (0..10_000).map(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1e-9 + (state >> 11) as f64 * 2f64.powi(-53 - (state % 40) as i32)
    });
    for float in floats.into_iter().chain(edges).chain(drawn) {
        let text = serde_json::to_string(&float).unwrap();
        let back: f64 = read(text.as_bytes()).unwrap();
        assert_eq!(back.to_bits(), float.to_bits(), "{text}");
        let text = serde_json::to_string(&vec![Some((float, "1.5"))]).unwrap();
        let back: Vec<Option<(f64, String)>> = read(text.as_bytes()).unwrap();
        assert_eq!(back, [Some((float, "1.5".to_owned()))], "{text}");
    }
}

#[test]
fn a_float_that_is_not_finite_is_written_as_null() {
    let text = serde_json::to_string(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]).unwrap();
    assert_eq!(text, "[null,null,null,1.0]");
    refused::<Vec<f64>>(&text);
    assert_eq!(read::<Vec<Option<f64>>>(text.as_bytes()).unwrap(), [None, None, None, Some(1.0)]);
    for text in ["NaN", "1e400", "01.5", "1.", ".5", "-", "+1", "1.5.2", "\"1.5\"", "1.5 2", ""] {
        refused::<f64>(text);
    }
}

#[test]
fn whole_numbers_stay_whole() {
    assert_eq!(read::<f64>(b"3").unwrap().to_bits(), 3f64.to_bits());
    assert_eq!(read::<u64>(b"18446744073709551615").unwrap(), u64::MAX);
    for text in ["3.0", "-1", "18446744073709551616", "1e3"] {
        refused::<u64>(text);
    }
}

/// A text of a workload is never mistaken for a number.
#[test]
fn a_text_with_the_mark_stays_a_text() {
    for text in [r#"["1.5",0.1]"#, r#"["\ufdd01.5",0.1]"#, r#"["\uFDD0\ufdd01.5",0.1]"#] {
        for raw in [text.to_owned(), text.replace("1.5", "\u{fdd0}1.5")] {
            let (read, number): (String, f64) = read(raw.as_bytes()).unwrap();
            let plain: (String, f64) = serde_json::from_str(&raw).unwrap();
            assert_eq!((&read, number.to_bits()), (&plain.0, 0.1_f64.to_bits()), "{raw}");
        }
    }
}
