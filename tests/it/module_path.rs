//! Paths to items, as Rust sources write them.

/// Returns a path that `module` writes as a path from the top of its crate; `None` if it leads out of the crate. A child of
/// the module is named without a prefix, so `is_module` says which modules there are.
pub(crate) fn whole(
    module: &[String],
    path: &[String],
    is_module: impl FnOnce(&[String]) -> bool,
) -> Option<Vec<String>> {
    let mut place = module.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => (place, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                place.pop()?;
                rest = &rest[1..];
            }
        }
        child => {
            place.push(child.to_owned());
            rest = is_module(&place).then_some(&path[1..])?;
        }
    }
    place.extend(rest.iter().cloned());
    Some(place)
}

#[test]
fn a_path_is_whole_from_the_top_of_the_crate() {
    let parts = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
    let check = |path: &str, want: Option<&str>| {
        let found = whole(&parts("a::b"), &parts(path), |module| module == parts("a::b::c"));
        assert_eq!(found, want.map(parts), "{path}");
    };
    check("crate::x::Y", Some("x::Y"));
    check("self::Y", Some("a::b::Y"));
    check("super::Y", Some("a::Y"));
    check("super::super::x::Y", Some("x::Y"));
    check("super::super::super::Y", None);
    check("c::Y", Some("a::b::c::Y"));
    check("std::fs", None);
}
