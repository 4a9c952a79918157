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
