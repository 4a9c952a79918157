//! What a run of the tests has added to the record, and whether it judged the budgets.

use std::path::PathBuf;

use perf_budget_core::record::{Begun, Mark, Record};

use crate::failure::Failure;
use crate::project::Project;
use crate::runs::judged_nothing;
use crate::target;

/// The state of the record before the tests run, in each place where their results may be. A record that cannot be read
/// has `None`.
pub(super) struct Before(Vec<(PathBuf, Option<Mark>)>);

impl Before {
    pub(super) fn read(project: &Project) -> Result<Before, Failure> {
        let used = project.record();
        let mut marks = Vec::new();
        for path in project.records() {
            let mark = match project.read_record(&path) {
                Ok(record) => Some(record.mark()),
                Err(failure) if path == used => return Err(failure),
                Err(_) => None,
            };
            marks.push((path, mark));
        }
        Ok(Before(marks))
    }

    /// Returns what was added to the record since then.
    pub(super) fn read_since(&self, project: &Project) -> Result<Record, Failure> {
        let path = project.record();
        if !path.is_file() {
            return Ok(Record::default());
        }
        let mut record = project.read_record(&path)?;
        match self.0.iter().find(|(known, _)| *known == path) {
            None => {}
            Some((_, Some(mark))) => record.keep_since(mark),
            Some((_, None)) => {
                return Err(Failure::unmeasured(format!(
                    "`{}` could not be read before the tests ran, so that it is not known what they have added to it; run \
                     this again",
                    path.display()
                )));
            }
        }
        Ok(record)
    }
}

/// Why a test target has judged none of its budgets although its tests succeeded.
#[derive(Debug)]
pub(super) enum NothingJudged {
    /// The arguments left out all of its tests. That is no failure if another target has judged something.
    LeftOut(String),
    /// There is another reason, which is a failure in any case.
    Fault(String),
}

impl NothingJudged {
    /// Returns the reason in words.
    pub(super) fn why(self) -> String {
        match self {
            NothingJudged::LeftOut(why) | NothingJudged::Fault(why) => why,
        }
    }
}

/// Returns why the tests judged no budget although they succeeded; `None` if they judged one. `is_part` says whether
/// arguments may have left out tests.
pub(super) fn nothing_judged(
    project: &Project,
    record: &Record,
    test: &str,
    is_part: bool,
) -> Option<NothingJudged> {
    let file = project.file();
    if record.begun.is_empty() {
        return Some(NothingJudged::Fault(target::fault(&project.root, test).unwrap_or_else(|| {
            format!(
                "the tests succeeded, but none of them judged `{}`: the test target `{test}` recorded nothing; it \
                 has to return the result of `perf_budget::Harness::main` from its `main`",
                file.display()
            )
        })));
    }
    if let Some(nothing) = judged_nothing(record) {
        let kind = if is_part { NothingJudged::LeftOut } else { NothingJudged::Fault };
        return Some(kind(nothing.text));
    }
    let reads_it = |begun: &Begun| project.is_file_of(&begun.file);
    (!record.begun.iter().any(reads_it)).then(|| {
        NothingJudged::Fault(format!(
            "the test target `{test}` reads `{}`, and so nothing judged `{}`; name that file by `Harness::file`, or \
             remove it",
            record.begun[0].file,
            file.display()
        ))
    })
}
