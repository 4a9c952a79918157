//! The name of the processor, as the system tells it. It is in each record, and `when` in `budgets.toml` may ask for a part
//! of it. Both take it from here, so that a condition can name what a record shows.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// How many bytes of the list of processors are read. The name is in the first lines, and the list of a large machine is long.
const MOST: u64 = 8 * 1024;

/// Returns the model name of the first processor. `None` if the system does not tell it: only Linux does, and not on aarch64.
pub fn name() -> Option<String> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    first_model_name(BufReader::new(File::open("/proc/cpuinfo").ok()?.take(MOST)))
}

/// Returns the first model name in the list of processors.
fn first_model_name(list: impl BufRead) -> Option<String> {
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
            assert_eq!(first_model_name(text.as_bytes()).as_deref(), want, "{text:?}");
        };
        let two =
            "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763: a\n\nmodel name\t: other\n";
        check(two, Some("AMD EPYC 7763: a"));
        check("processor\t: 0\nBogoMIPS\t: 50.00\n", None);
        check("model name\t: \n", None);
        check("", None);
    }
}
