//! Profiles that were asked for, as a text for people and as JSON for programs.

use std::fmt::Write as _;

use perf_budget_core::outcome::{short, words};
use perf_budget_core::profile::Profile;
use serde_json::json;

use crate::text;

/// The profiles of one request.
pub(crate) struct Profiles {
    /// The commit that they compare with, if there is one.
    pub(crate) against: Option<String>,
    pub(crate) all: Vec<Profile>,
}

impl Profiles {
    /// Renders them for people.
    pub(crate) fn text(&self) -> String {
        let mut shown = String::new();
        for profile in &self.all {
            let against =
                match (&self.against, profile.blame.as_ref().and_then(|blame| blame.before)) {
                    (Some(commit), Some(_)) => format!("  against {}", short(commit)),
                    (Some(commit), None) if profile.blame.is_some() => {
                        format!("  {} has no such budget to compare with", short(commit))
                    }
                    _ => String::new(),
                };
            let _ = writeln!(shown, "\u{1b}[1m{}\u{1b}[0m{against}", text::line(&profile.name));
            match &profile.blame {
                Some(blame) => {
                    for line in words::profile(blame) {
                        let _ = writeln!(shown, "  {}", text::line(&line));
                    }
                }
                None => {
                    let _ = writeln!(shown, "  not profiled: {}", text::line(&profile.why));
                }
            }
        }
        shown
    }

    /// Renders them for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({ "version": 1, "against": self.against, "profiles": self.all })
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{Blame, Blamed, Change};

    use super::*;

    fn profiles() -> Profiles {
        let function = Blamed {
            name: "work::decode\u{1b}[2J".to_owned(),
            own: Change { before: 100.0, now: 300.0 },
            ..Blamed::default()
        };
        let blame = Blame {
            by: "callgrind 3.19.0".to_owned(),
            before: Some(100.0),
            now: 300.0,
            functions: vec![function],
            ..Blame::default()
        };
        let (blame, no_reason) = (Some(Box::new(blame)), String::new());
        Profiles {
            against: Some("0123456789abcdef".to_owned()),
            all: vec![
                Profile { name: "merge".to_owned(), blame, why: no_reason, sampled: None },
                Profile {
                    name: "start".to_owned(),
                    blame: None,
                    why: "a command".to_owned(),
                    sampled: None,
                },
            ],
        }
    }

    #[test]
    fn each_profile_has_functions_or_a_reason_and_no_name_controls_the_terminal() {
        let text = profiles().text();
        assert!(text.contains("merge\u{1b}[0m  against 0123456"), "{text}");
        assert!(text.contains("  +200 work::decode\\u{1b}[2J"), "{text}");
        assert!(text.contains("  not profiled: a command"), "{text}");
    }

    #[test]
    fn the_json_has_every_profile() {
        let json = profiles().json();
        assert_eq!(
            (&json["version"], &json["profiles"][1]["why"]),
            (&json!(1), &json!("a command"))
        );
        assert_eq!(json["profiles"][0]["blame"]["now"], json!(300.0));
    }
}
