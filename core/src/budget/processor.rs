//! The name of the processor, as the system tells it: a record has it, and `when` in `budgets.toml` may ask for a part of it.
//! Both take it from here, so that what a record shows is what a condition can name.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// How much of the list of processors is read. The name stands in the first lines, and the list of a large machine is long.
const MOST: u64 = 8 * 1024;

/// Returns the model name of the first processor; `None` where the system tells none, as Linux does on aarch64, and every
/// other system.
pub fn name() -> Option<String> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    named(BufReader::new(File::open("/proc/cpuinfo").ok()?.take(MOST)))
}

fn named(list: impl BufRead) -> Option<String> {
    let model = list.lines().map_while(Result::ok).find_map(|line| {
        let (key, name) = line.split_once(':')?;
        (key.trim() == "model name").then(|| name.trim().to_owned())
    });
    model.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_processor_has_the_name() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(named(text.as_bytes()).as_deref(), want, "{text:?}");
        };
        let two =
            "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763: a\n\nmodel name\t: other\n";
        check(two, Some("AMD EPYC 7763: a"));
        check("processor\t: 0\nBogoMIPS\t: 50.00\n", None);
        check("model name\t: \n", None);
        check("", None);
    }
}
