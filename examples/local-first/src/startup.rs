//! The start of an application that keeps records and finds them by their words: the index made before it is there, when
//! it is first asked for, or beside everything else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use local_first::{Error, Records, state};

/// The peer that edits here.
const PEER: u64 = 2;

/// The numbers of the records that have a word.
type Index = HashMap<String, Vec<u32>>;

/// The application, ready to show records.
#[derive(Debug)]
pub struct App {
    records: Arc<Records>,
    index: OnceLock<Index>,
    making: Mutex<Option<JoinHandle<Result<Index, Error>>>>,
}

impl App {
    /// Loads the records; the index is made when it is first asked for.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn lazy(state: &Path) -> Result<App, Error> {
        let records = Arc::new(Records::from(state::load(state, PEER)?));
        Ok(App { records, index: OnceLock::new(), making: Mutex::new(None) })
    }

    /// Loads the records and makes the index.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn eager(state: &Path) -> Result<App, Error> {
        let app = App::lazy(state)?;
        app.index()?;
        Ok(app)
    }

    /// Loads the records; the index is made by another thread meanwhile.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn background(state: &Path) -> Result<App, Error> {
        let app = App::lazy(state)?;
        let records = app.records.clone();
        *app.making.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(std::thread::spawn(move || index_of(&records)));
        Ok(app)
    }

    /// The numbers of the records that have this word.
    ///
    /// # Errors
    /// If a record cannot be read.
    pub fn find(&self, word: &str) -> Result<&[u32], Error> {
        Ok(self.index()?.get(word).map_or(&[], Vec::as_slice))
    }

    fn index(&self) -> Result<&Index, Error> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = match self.made() {
            Some(made) => made?,
            None => index_of(&self.records)?,
        };
        Ok(self.index.get_or_init(|| index))
    }

    /// What the other thread made, where there is one; it is waited for.
    fn made(&self) -> Option<Result<Index, Error>> {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

/// Nothing of an application runs on once it is gone.
impl Drop for App {
    fn drop(&mut self) {
        let making = self.making.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody asks any more for the result of this thread, so an error does not matter.
        let _ = making.map(JoinHandle::join);
    }
}

fn index_of(records: &Records) -> Result<Index, Error> {
    let mut index = Index::new();
    for id in 0..records.len() as u32 {
        let Some(record) = records.get(id)? else { continue };
        for word in record.title.split_whitespace() {
            index.entry(word.to_lowercase()).or_default().push(id);
        }
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_finds_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        state::save(Records::load(300).document(), &path).unwrap();
        for start in [App::eager, App::lazy, App::background] {
            let app = start(&path).unwrap();
            assert_eq!(app.find("17").unwrap(), [17]);
            assert_eq!(app.find("record").unwrap().len(), 300);
            assert!(app.find("none").unwrap().is_empty());
        }
        assert!(App::lazy(&directory.path().join("none")).is_err());
        drop(App::background(&path).unwrap());
    }
}
