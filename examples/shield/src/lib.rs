//! A scanner of prompts: phrases that attack a language model, shapes of secrets and personal data, a verdict.
//!
//! The rules are `rules.tsv`, which `python/shield.py` reads too, so that both do the same work.

pub mod corpus;

use std::fmt;
use std::iter::Sum;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::bytes::{Regex, RegexBuilder};

/// The rules that every scanner is made of.
const RULES: &str = include_str!("../rules.tsv");
/// From this score on a person looks at it.
const REVIEW: u32 = 20;
/// From this score on it goes no further.
const BLOCK: u32 = 60;

/// What becomes of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on to the model.
    Allow,
    /// A person looks at it.
    Review,
    /// It goes no further.
    Block,
}

/// What was found in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The scores of all names that were found, each counted once.
    pub score: u32,
    /// How many phrases and shapes were found, the same one as often as it is there.
    pub hits: u32,
}

impl Verdict {
    /// What becomes of the prompt.
    pub fn decision(self) -> Decision {
        match self.score {
            BLOCK.. => Decision::Block,
            REVIEW.. => Decision::Review,
            _ => Decision::Allow,
        }
    }
}

/// All rules, ready to be looked for.
#[derive(Debug)]
pub struct Scanner {
    phrases: AhoCorasick,
    /// The name of each phrase, as an index of `scores`.
    names: Vec<u32>,
    shapes: Vec<(Regex, u32)>,
    scores: Vec<u32>,
}

impl Scanner {
    /// Compiles the rules.
    ///
    /// # Panics
    /// If `rules.tsv`, which is part of the program, has a mistake.
    pub fn new() -> Scanner {
        let (mut phrases, mut names, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut known, mut scores) = (Vec::new(), Vec::new());
        for line in RULES.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.splitn(4, '\t');
            let mut column = || columns.next().expect("a rule has four columns");
            let (kind, score, name, text) = (column(), column(), column(), column());
            let index = known.iter().position(|other| *other == name).unwrap_or_else(|| {
                known.push(name);
                scores.push(score.parse().expect("a score is a number"));
                known.len() - 1
            }) as u32;
            if kind == "phrase" {
                phrases.push(text);
                names.push(index);
            } else {
                let shape = RegexBuilder::new(text).unicode(false).build();
                shapes.push((shape.expect("a shape is a regular expression"), index));
            }
        }
        let phrases = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostFirst)
            .build(phrases)
            .expect("the phrases are few");
        Scanner { phrases, names, shapes, scores }
    }

    /// Looks for every rule in one prompt.
    pub fn scan(&self, prompt: &str) -> Verdict {
        let (mut found, mut hits) = (0_u64, 0);
        for hit in self.phrases.find_iter(prompt) {
            found |= 1 << self.names[hit.pattern().as_usize()];
            hits += 1;
        }
        for (shape, name) in &self.shapes {
            let count = shape.find_iter(prompt.as_bytes()).count() as u32;
            found |= u64::from(count > 0) << name;
            hits += count;
        }
        let scores = self.scores.iter().enumerate();
        let score = scores.filter(|(i, _)| found >> i & 1 == 1).map(|(_, score)| score).sum();
        Verdict { score, hits }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner::new()
    }
}

/// What became of many prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many went on.
    pub allowed: u64,
    /// How many a person looks at.
    pub reviewed: u64,
    /// How many went no further.
    pub blocked: u64,
    /// All that was found.
    pub hits: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict.decision() {
            Decision::Allow => self.allowed += 1,
            Decision::Review => self.reviewed += 1,
            Decision::Block => self.blocked += 1,
        }
        self.hits += u64::from(verdict.hits);
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(parts: I) -> Counts {
        parts.fold(Counts::default(), |all, part| Counts {
            allowed: all.allowed + part.allowed,
            reviewed: all.reviewed + part.reviewed,
            blocked: all.blocked + part.blocked,
            hits: all.hits + part.hits,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { allowed, reviewed, blocked, hits } = self;
        write!(f, "{allowed} allowed, {reviewed} reviewed, {blocked} blocked, {hits} hits")
    }
}
