//! An index of the words of all texts by the names that they may stand for. With it, the search for a name need not look at
//! every word.

use std::collections::HashMap;

use super::words::Word;

/// The place of a word: the number of its text, and its number in the text.
pub(super) type Spot = (usize, usize);

/// The words by their last parts. Each list is in the order of the texts.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The words whose last part is a whole name, by this name.
    exact: HashMap<String, Vec<Spot>>,
    /// The words whose last part may be the beginning of a name, by this beginning.
    starts: HashMap<String, Vec<Spot>>,
    /// The words of whose last part only the end is known, by this end.
    ends: HashMap<String, Vec<Spot>>,
}

impl Index {
    /// Adds a word. The texts are added in order.
    pub(super) fn add(&mut self, word: &Word, spot: Spot) {
        let last = word.last();
        let add = |list: &mut HashMap<String, Vec<Spot>>, key: &str| {
            list.entry(key.to_owned()).or_default().push(spot);
        };
        match last.split_once('*') {
            Some(("", rest)) => add(&mut self.ends, rest.rsplit('*').next().unwrap_or_default()),
            Some((start, _)) => add(&mut self.starts, start),
            None => {
                add(&mut self.exact, last);
                if word.may_begin() {
                    add(&mut self.starts, last);
                }
            }
        }
    }

    /// Returns the words of the texts from number `from` on whose last part is this name as a whole.
    pub(super) fn exact(&self, name: &str, from: usize) -> &[Spot] {
        self.exact.get(name).map_or(&[], |list| since(list, from))
    }

    /// Returns the words that may stand for this name, of the texts from number `from` on: a list for each kind of word.
    pub(super) fn lists<'i>(
        &'i self,
        name: &'i str,
        from: usize,
    ) -> impl Iterator<Item = &'i [Spot]> {
        let begun = name.char_indices().map(|(at, c)| &name[..at + c.len_utf8()]);
        let ended = name.char_indices().map(|(at, _)| &name[at..]).chain([""]);
        let begun = begun.filter_map(|start| self.starts.get(start));
        let ended = ended.filter_map(|end| self.ends.get(end));
        begun.chain(ended).map(move |list| since(list, from)).chain([self.exact(name, from)])
    }
}

/// Returns the places in the texts from number `from` on.
fn since(list: &[Spot], from: usize) -> &[Spot] {
    &list[list.partition_point(|(text, _)| *text < from)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::unchanged::words;

    /// The index finds a word by everything that the word names.
    #[test]
    fn every_word_that_names_something_is_found() {
        let code = r#"["a.md", "data/a.md", "docs", "data/docs", "doc_{n}.md", "{n}.md", "data/{n}", "LICENSE-", "x_", "{n}mid{n}",
            "{n}/docs", "docs/*", "a*b*c", "data/a", "..", "*", "a", "ab", ".md", "DOCS/A.MD", "data/{n}.{m}"]"#;
        let words: Vec<Word> = words::of_source(code).into_iter().collect();
        let mut index = Index::default();
        for (nth, word) in words.iter().enumerate() {
            index.add(word, (nth, 0));
        }
        let names = [
            "a.md",
            "docs",
            "doc_1.md",
            "license-mit",
            "x_y",
            "amidb",
            "abc",
            "axbyc",
            "a",
            "b",
            "data",
            "a.json",
            "z.md",
            "é.md",
        ];
        for name in names {
            for above in [&[][..], &["data"][..], &["docs"][..], &["other", "docs"][..]] {
                let path = [above, &[name]].concat();
                let mut found: Vec<usize> =
                    index.lists(name, 0).flatten().map(|spot| spot.0).collect();
                found.sort_unstable();
                for (nth, word) in words.iter().enumerate() {
                    let is_named =
                        word.names_file(name, above) || word.names_directory(&path, &|| true);
                    assert!(!is_named || found.contains(&nth), "{word:?}: {path:?}");
                }
                let later: Vec<usize> = index.lists(name, 7).flatten().map(|spot| spot.0).collect();
                assert!(later.iter().all(|nth| *nth >= 7));
                assert_eq!(later.len(), found.iter().filter(|nth| **nth >= 7).count());
            }
        }
    }
}
