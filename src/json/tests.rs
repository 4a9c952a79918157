//! What is written, what is read, and what is refused.

use std::time::Duration;

use super::*;

#[derive(Debug, PartialEq)]
struct Record {
    name: String,
    values: Vec<f64>,
    pair: (u64, Word),
    end: Option<End>,
    after: Duration,
    count: u32,
}

#[derive(Debug, PartialEq)]
enum Word {
    One,
    Other,
}

#[derive(Debug, PartialEq)]
enum End {
    Code(i32),
    Why(String),
}

struct Foreign {
    name: String,
    size: usize,
}

record!(Record { name, values, pair, end, after, count = 7 });
words!(Word { One = "one", Other = "an other" });
tagged!(End { Code, Why });
reads!(Foreign { name: "Its-Name", size = 3 });

fn one() -> Record {
    Record {
        name: "a \"b\"".to_owned(),
        values: vec![0.1, 1e300, 5e-324, 3.0],
        pair: (u64::MAX, Word::Other),
        end: Some(End::Code(-1)),
        after: Duration::new(1, 999_999_999),
        count: u32::MAX,
    }
}

#[test]
fn what_is_written_is_read_back() {
    for end in [None, Some(End::Code(-1)), Some(End::Why("ü\u{0}".to_owned()))] {
        let record = Record { end, ..one() };
        let text = serde_json::to_vec(&record).unwrap();
        assert_eq!(read::<Record>(&text).unwrap(), record);
        assert_eq!(serde_json::from_slice::<Record>(&text).unwrap(), record, "by serde as well");
    }
}

#[test]
fn fields_are_written_in_their_order() {
    let text = serde_json::to_string(&Record { values: vec![1.0], ..one() }).unwrap();
    let want = r#"{"name":"a \"b\"","values":[1.0],"pair":[18446744073709551615,"an other"],"end":{"Code":-1},"after":{"secs":1,"nanos":999999999},"count":4294967295}"#;
    assert_eq!(text, want);
}

#[test]
fn what_is_not_there_may_have_a_value_all_the_same() {
    let text = r#"{"name": "", "values": [], "pair": [1, "one"], "after": {"secs": 0, "nanos": 0}, "new": 1}"#;
    let record: Record = read(text.as_bytes()).unwrap();
    assert_eq!((record.end, record.count), (None, 7));
    let foreign: Foreign = read(br#"{"Its-Name": "x", "name": "y"}"#).unwrap();
    assert_eq!((foreign.name.as_str(), foreign.size), ("x", 3));
}

#[track_caller]
fn refuses<T: FromJson>(text: &str, want: &str) {
    let Err(why) = read::<T>(text.as_bytes()) else { panic!("{text} was read") };
    assert_eq!(why.to_string(), want);
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    refuses::<Foreign>("{}", "`Its-Name` is missing");
    refuses::<Foreign>("[1, 2]", "an array of 2 is not an object");
    refuses::<Foreign>(r#"{"Its-Name": "x", "size": -1}"#, "`size`: -1 is not a number for usize");
    refuses::<Foreign>(r#"{"Its-Name": null}"#, "`Its-Name`: null is not a text");
    refuses::<Vec<Foreign>>(r#"[{"Its-Name": 7}]"#, "`0.Its-Name`: 7 is not a text");
    refuses::<Vec<f64>>("[1, null]", "`1`: null is not a number");
    refuses::<Vec<f64>>("{}", "an object is not an array");
    refuses::<(u64, bool)>("[1]", "an array of 1 is not a pair");
    refuses::<(u64, bool)>("[1, 1]", "1 is not true or false");
    refuses::<u64>("1.5", "1.5 is not a whole number from 0");
    refuses::<u8>("256", "256 is not a number for u8");
    refuses::<Word>("\"two\"", "\"two\" is not a word that is known here");
    refuses::<End>(r#"{"Code": 1, "Why": ""}"#, "an object of one field is wanted");
    refuses::<End>(r#"{"Signal": 9}"#, "\"Signal\" is not a word that is known here");
    refuses::<Duration>(r#"{"secs": 1}"#, "`nanos` is missing");
    refuses::<bool>("", "EOF while parsing a value at line 1 column 0");
}

#[test]
fn a_duration_never_overflows() {
    let text = format!(r#"{{"secs": {}, "nanos": 4294967295}}"#, u64::MAX);
    assert_eq!(read::<Duration>(text.as_bytes()).unwrap(), Duration::MAX);
}

/// Reads a text that was written before, and holds what is written of it against the text: no more, no less, and in
/// the same order.
#[track_caller]
pub(crate) fn frozen<T: FromJson + serde_core::Serialize>(text: &str) -> T {
    let value: T = read(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    value
}

/// Why a text is not read.
#[track_caller]
pub(crate) fn refused<T: FromJson>(text: &str) -> String {
    match read::<T>(text.as_bytes()) {
        Ok(_) => panic!("{text} was read"),
        Err(why) => why.to_string(),
    }
}

#[test]
fn numbers_arrive_as_they_were() {
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
fn what_is_no_number_is_written_as_nothing() {
    let text = serde_json::to_string(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]).unwrap();
    assert_eq!(text, "[null,null,null,1.0]");
    refused::<Vec<f64>>(&text);
    assert_eq!(read::<Vec<Option<f64>>>(text.as_bytes()).unwrap(), [None, None, None, Some(1.0)]);
    for text in ["NaN", "1e400", "01.5", "1.", ".5", "-", "+1", "1.5.2", "\"1.5\"", "1.5 2", ""] {
        refused::<f64>(text);
    }
}

#[test]
fn whole_numbers_are_whole() {
    assert_eq!(read::<f64>(b"3").unwrap().to_bits(), 3f64.to_bits());
    assert_eq!(read::<u64>(b"18446744073709551615").unwrap(), u64::MAX);
    for text in ["3.0", "-1", "18446744073709551616", "1e3"] {
        refused::<u64>(text);
    }
}
