//! The words about the functions and the places that are to blame for a red.

use super::super::{Blame, Blamed, Change, Counter, Inlined, Sampled, Site, SystemCaller};
use crate::quantity::{Quantity, Unit};

/// How many functions a red names.
const FUNCTIONS: usize = 3;
/// How many functions a profile names that a user has requested.
const PROFILED: usize = 12;
/// How many parts of a function are named.
const PARTS: usize = 3;
/// The share of the whole change below which a function is not named after the first.
pub(crate) const SMALL: f64 = 0.01;
/// The least number of instructions that is named.
const LEAST: f64 = 0.5;
/// The share of nameless instructions from which on the binary counts as stripped.
const STRIPPED: f64 = 0.5;
/// The share of the time below which a part of a function is not named if it was sampled.
const PART: f64 = 0.02;
/// The name of all functions without a name.
pub(crate) const NAMELESS: &str = "a function without a name";
/// The line for samples if the interval of each function includes 0.
const NO_FUNCTION: &str = "no function is named: chance explains how the samples differ, as the 90 % interval of each function \
                      includes 0";

/// The line if it is not known how many bytes each place allocates.
const UNKNOWN_BYTES: &str = "the bytes of these places are not known: no size was asked of `perf_budget::Heap`, which has to be the \
                      `#[global_allocator]` of all that is compared, and does not see what C allocates";

/// Returns the lines about the cause of a red: the change of the whole, and the functions that make most of it. If memory is
/// red, the places that allocate come first.
pub fn blame(blame: &Blame) -> Vec<String> {
    if blame.is_of_system_calls && !blame.system_callers.is_empty() {
        return system_calls(blame, FUNCTIONS);
    }
    let mut lines = if blame.is_of_memory { allocations(blame, FUNCTIONS) } else { Vec::new() };
    lines.extend(instructions(blame, FUNCTIONS));
    lines
}

/// Returns the lines of a profile that a user has requested: more functions, and the places that allocate.
pub fn profile(blame: &Blame) -> Vec<String> {
    let mut lines = instructions(blame, PROFILED);
    lines.extend(allocations(blame, PROFILED));
    if !blame.system_callers.is_empty() {
        lines.extend(system_calls(blame, PROFILED));
    }
    lines
}

/// Returns the sentence about samples whose functions have no names yet.
pub fn sampled(sampled: &Sampled) -> String {
    let Change { before, now } = sampled.samples;
    let sides = match &sampled.before {
        Some(other) => format!("{before} and {now} samples are in `{other}` and `{}`", sampled.now),
        None => format!("{now} samples are in `{}`", sampled.now),
    };
    let why = if sampled.why.is_empty() { String::new() } else { format!(" ({})", sampled.why) };
    format!(
        "{sides}: `cargo budget report` names their functions, in the checkout that ran the tests{why}"
    )
}

/// Returns the lines about the places that call the system in one operation.
fn system_calls(blame: &Blame, most: usize) -> Vec<String> {
    let by = format!("counted by {}", blame.by);
    let Change { before, now } = blame.system_calls.unwrap_or_default();
    let is_changed = blame.before.is_some() && before.to_bits() != now.to_bits();
    let from = if is_changed { format!("{} -> ", amount(before)) } else { String::new() };
    let callers = &blame.system_callers;
    let is_moved = blame.before.is_some() && callers.iter().any(|caller| caller.calls.by() != 0.0);
    let same = if blame.before.is_some() && !is_changed { " as before" } else { "" };
    let mut lines =
        vec![format!("{from}{} system calls of one operation{same}, {by}", amount(now))];
    let callers = callers.iter().filter(|caller| !is_moved || caller.calls.by() != 0.0);
    lines.extend(callers.take(most).map(|SystemCaller { name, through, calls }| {
        let through = Some(format!("through {through}")).filter(|_| !through.is_empty());
        let sides = is_moved.then(|| format!("{} -> {}", amount(calls.before), amount(calls.now)));
        let size = if is_moved { signed(calls.by()) } else { amount(calls.now) };
        let details: Vec<String> = [sides, through].into_iter().flatten().collect();
        with_details(format!("{size} in {name}"), &details)
    }));
    lines
}

/// Returns the lines about the allocations of one operation: by bytes, if an amount of memory is red and the bytes are known.
fn allocations(blame: &Blame, most: usize) -> Vec<String> {
    let Some(count) = blame.allocations else { return Vec::new() };
    let by = format!("counted by {}", blame.by);
    let bytes = blame.allocated.filter(|_| blame.is_of_bytes);
    let unknown = (blame.is_of_bytes && bytes.is_none()).then(|| UNKNOWN_BYTES.to_owned());
    let Change { before, now } = bytes.unwrap_or(count);
    let allocated = |value: f64| match bytes {
        Some(_) => format!("{} allocated by", size(value)),
        None => format!("{} allocations of", amount(value)),
    };
    // A place whose bytes are not known is ordered by its number of allocations.
    let by_site =
        |site: &Site| site.bytes.filter(|_| bytes.is_some()).unwrap_or(site.allocations).by();
    let is_changed = before.to_bits() != now.to_bits();
    let (is_compared, is_moved) =
        (blame.before.is_some(), blame.sites.iter().any(|site| by_site(site) != 0.0));
    let begins = bytes.map_or_else(|| amount(before), |_| size(before));
    let freed = if bytes.is_some() { ", freed again or not" } else { "" };
    let mut lines = vec![match is_compared {
        false => format!("{} one operation{freed}, {by}", allocated(now)),
        true if is_changed => format!("{begins} -> {} one operation{freed}, {by}", allocated(now)),
        true if is_moved => {
            format!("{} one operation{freed} as before, elsewhere, {by}", allocated(now))
        }
        true => same_places(blame, bytes, now, &by),
    }];
    let is_change = is_compared && is_moved;
    let sites = blame.sites.iter().filter(|site| !is_change || by_site(site) != 0.0);
    lines.extend(sites.take(most).map(|site| place(site, is_change, bytes.is_some())));
    lines.extend(unknown);
    lines
}

/// Returns the sentence for two sides that allocate as much at the same places.
fn same_places(blame: &Blame, bytes: Option<Change>, now: f64, by: &str) -> String {
    if bytes.is_some() {
        let now = size(now);
        return format!(
            "the same {now} allocated at the same places, {by}: only how long they live differs"
        );
    }
    let is_same = |change: Change| change.before.to_bits() == change.now.to_bits();
    let left = match blame.allocated {
        Some(_) if blame.sites.iter().all(|site| site.bytes.is_none_or(is_same)) => {
            "only how long they live differs"
        }
        Some(_) => "only their sizes differ, or how long they live",
        None => "only their sizes, or how long they live, differ",
    };
    format!("the same {} allocations at the same places, {by}: {left}", amount(now))
}

/// Returns the line of a place: its bytes, or how often it allocates, with the other number among the details.
fn place(site: &Site, is_change: bool, by_bytes: bool) -> String {
    let Change { before, now } = site.allocations;
    let often = if is_change && before.to_bits() != now.to_bits() {
        format!("{} -> {}", amount(before), amount(now))
    } else {
        amount(now)
    };
    let through = Some(format!("through {}", site.through)).filter(|_| !site.through.is_empty());
    let times = format!("in {often} {}", if often == "1" { "allocation" } else { "allocations" });
    let (amount, before) = match site.bytes {
        Some(bytes) if by_bytes => {
            let sides = is_change.then(|| sizes(bytes, true));
            (size_or_change(bytes, is_change), [sides, Some(times)])
        }
        None if by_bytes => ("an unknown size".to_owned(), [Some(times), None]),
        bytes => {
            let amount = if is_change { signed(now - before) } else { amount(now) };
            (amount, [is_change.then_some(often), bytes.map(|bytes| sizes(bytes, is_change))])
        }
    };
    let details: Vec<String> = before.into_iter().chain([through]).flatten().collect();
    with_details(format!("{amount} in {}", site.name), &details)
}

/// Returns a line with its details in brackets, if it has any.
fn with_details(line: String, details: &[String]) -> String {
    if details.is_empty() { line } else { format!("{line}  ({})", details.join(", ")) }
}

fn size_or_change(bytes: Change, is_change: bool) -> String {
    let sign = if bytes.by() < 0.0 { '-' } else { '+' };
    if is_change { format!("{sign}{}", size(bytes.by().abs())) } else { size(bytes.now) }
}

/// Returns an amount of bytes, with the one before if that is different.
fn sizes(bytes: Change, is_change: bool) -> String {
    if is_change && bytes.before.to_bits() != bytes.now.to_bits() {
        format!("{} -> {}", size(bytes.before), size(bytes.now))
    } else {
        size(bytes.now)
    }
}

fn size(bytes: f64) -> String {
    Quantity::new(bytes, Unit::Bytes).to_string()
}

/// Returns an amount of a blame, in its unit.
fn in_unit(blame: &Blame, size: f64) -> String {
    match blame.counter {
        Counter::Instructions => amount(size),
        Counter::Samples => Quantity::new(size * 1e-9, Unit::Seconds).to_string(),
    }
}

fn change(blame: &Blame, by: f64) -> String {
    format!("{}{}", if by < 0.0 { '-' } else { '+' }, in_unit(blame, by.abs()))
}

/// Returns the lines about the instructions, or the time, of one operation.
fn instructions(blame: &Blame, most: usize) -> Vec<String> {
    let unit = match blame.counter {
        Counter::Instructions => " instructions",
        Counter::Samples => "",
    };
    let now = in_unit(blame, blame.now);
    let by = format!("by {} in {:.1} s", blame.by, blame.seconds);
    let mut lines = vec![match blame.before {
        Some(_) if blame.is_same() => {
            format!(
                "the same {now} instructions as at the reference, function by function, {by}: {}",
                remaining_causes(blame)
            )
        }
        Some(before) => {
            let share = if before > 0.0 {
                format!(" ({:+.1} %)", (blame.now / before - 1.0) * 100.0)
            } else {
                String::new()
            };
            format!("{} -> {now}{unit}{share}, {by}", in_unit(blame, before))
        }
        None => format!("{now}{unit} now, {by}"),
    }];
    if blame.nameless > STRIPPED {
        lines.push(format!(
            "{:.0} % of {} are in functions without a name: the binary is stripped; keep its symbols (`strip = false` in \
             the profile), and they are named",
            blame.nameless * 100.0,
            match blame.counter {
                Counter::Instructions => "them",
                Counter::Samples => "the samples",
            }
        ));
    }
    if let Some(Change { before, now }) = blame.system_calls
        && blame.before.is_some()
        && before.to_bits() != now.to_bits()
    {
        lines.push(format!("{before} -> {now} system calls of one operation"));
    }
    // If a program has hardly any names, the few functions that have one are not worth naming.
    if !blame.is_same() && blame.nameless <= STRIPPED {
        let before = lines.len();
        lines.extend(main_functions(blame, most).map(|function| line(function, blame)));
        if blame.counter == Counter::Samples && lines.len() == before {
            lines.push(NO_FUNCTION.to_owned());
        }
    }
    lines.extend(inlined(blame).map(str::to_owned));
    lines.extend(blame.remarks.iter().cloned());
    lines
}

/// Returns the causes that are left if both sides run the same instructions.
fn remaining_causes(blame: &Blame) -> &'static str {
    match blame.same_system_calls() {
        _ if blame.is_layout => "link order or memory layout",
        Some(false) => "what its system calls do, waiting, memory or caches are left",
        Some(true) | None => "waiting, memory or caches are left",
    }
}

/// Says that inlined functions are not told apart, and what would do it.
fn inlined(blame: &Blame) -> Option<&'static str> {
    if blame.is_same() || blame.nameless > STRIPPED {
        return None;
    }
    match blame.inlined.as_ref()? {
        Inlined::Unknown => Some(
            "inlined functions are counted in their callers: with `debug = \"line-tables-only\"` in the profile \
             (`[profile.release]`) they are named",
        ),
        Inlined::Waiting(_) => Some(
            "inlined functions are counted in their callers here: `cargo budget report` names them, in the checkout that \
             ran the tests",
        ),
        Inlined::Named => None,
    }
}

/// Returns the functions that are named: those that make most of the change.
fn main_functions(blame: &Blame, most: usize) -> impl Iterator<Item = &Blamed> {
    let whole: f64 = blame.functions.iter().map(|function| function.own.by().abs()).sum();
    // Another line says that names are missing.
    let have_names = blame.functions.iter().filter(|function| function.name != NAMELESS);
    let first = have_names.take(most).enumerate();
    let matters = move |(nth, function): &(usize, &Blamed)| {
        let by = function.own.by().abs();
        let counts = match blame.counter {
            Counter::Instructions => by >= LEAST,
            Counter::Samples => function.interval.is_some() && function.is_certain(),
        };
        counts && (*nth == 0 || by > SMALL * whole)
    };
    first.filter(matters).map(|(_, function)| function)
}

fn line(function: &Blamed, blame: &Blame) -> String {
    let is_change = blame.before.is_some();
    let size =
        if is_change { change(blame, function.own.by()) } else { percent(blame, function.own.now) };
    let mut words = format!("{size} {}", function.name);
    let mut details = Vec::new();
    if let Some((low, high)) = function.interval {
        let end = |end| if is_change { change(blame, end) } else { percent(blame, end) };
        details.push(format!("90 % interval {} to {}", end(low), end(high)));
    }
    if let Some(calls) = calls(function).filter(|_| is_change) {
        details.push(calls);
    }
    let parts: Vec<String> = function
        .parts
        .iter()
        .filter(|(_, by)| by.by().abs() >= least(blame))
        .take(PARTS)
        .map(|(name, by)| {
            let name = if name.is_empty() { "itself" } else { name };
            let size = if is_change { change(blame, by.by()) } else { in_unit(blame, by.now) };
            format!("{name} {size}")
        })
        .collect();
    // If all of it is in the function itself, the parts say nothing more.
    if parts.len() > 1 || parts.first().is_some_and(|part| !part.starts_with("itself ")) {
        details.push(format!("of it {}", parts.join(", ")));
    }
    if !details.is_empty() {
        words = format!("{words}  ({})", details.join("; "));
    }
    words
}

/// Returns an amount as a share of the whole.
fn percent(blame: &Blame, size: f64) -> String {
    let whole = match blame.counter {
        Counter::Instructions => blame.now.max(1.0),
        Counter::Samples => blame.now.max(f64::MIN_POSITIVE),
    };
    format!("{:.0} %", size / whole * 100.0)
}

/// Returns the least amount that is worth naming. The interval of a part that was sampled is not known, so a small part
/// is not named.
fn least(blame: &Blame) -> f64 {
    match blame.counter {
        Counter::Instructions => LEAST,
        Counter::Samples => PART * blame.now,
    }
}

/// Says how the number of calls has changed, if it has.
fn calls(function: &Blamed) -> Option<String> {
    let Change { before, now } = function.calls;
    let from = function.caller.as_ref().map_or(String::new(), |caller| format!(", from {caller}"));
    match (before, now) {
        _ if before.to_bits() == now.to_bits() => None,
        (0.0, _) if function.own.before == 0.0 => {
            Some(format!("new, called {} times{from}", amount(now)))
        }
        (0.0, _) => Some(format!("no longer inlined: called {} times{from}", amount(now))),
        (_, 0.0) if function.own.now == 0.0 => Some("no longer called".to_owned()),
        (_, 0.0) => Some("inlined now".to_owned()),
        _ => Some(format!("called {:.2} x as often{from}", now / before)),
    }
}

fn signed(change: f64) -> String {
    format!("{}{}", if change < 0.0 { '-' } else { '+' }, amount(change.abs()))
}

/// Returns an amount with three digits: `2.48 M`, `469 k`, `12`.
fn amount(amount: f64) -> String {
    let (scaled, unit) = match amount {
        _ if amount >= 999.5e6 => (amount / 1e9, " G"),
        _ if amount >= 999.5e3 => (amount / 1e6, " M"),
        _ if amount >= 999.5 => (amount / 1e3, " k"),
        _ => (amount, ""),
    };
    let digits = match scaled {
        _ if unit.is_empty() && amount.fract() == 0.0 => 0,
        _ if scaled >= 99.95 => 0,
        _ if scaled >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.digits$}{unit}")
}
