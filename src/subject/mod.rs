//! From what a budget names to where its processes come from.

pub mod artifact;
mod build;
mod command;
mod criterion;
mod outside;
mod recorded;
mod request;
mod sources;
mod stale;

use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::budget::{Budget, Budgets, Case, Param, Subject};
use perf_budget_core::metric::{Metric, SampleKind};
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::suite;
use perf_budget_core::suite::{Group, Reading, Span};

use crate::base::Base;
use crate::inject::Injection;
use crate::meter::interleaved::{self, Interleaved, Pairs};
use crate::meter::{Coin, Source, Sweep, Versus};
use crate::worker::pair::{self, Pair, Place, Side, Terms, Wants};
use crate::worker::process::{self, Build, Request};

use self::build::Builder;
use self::outside::{Beside, Files, Runs, filled};
use self::request::{LONGEST_SLICE, request, slice_after};

/// A pair takes turns for so long at the least: more pairs say more than longer ones.
const SHORTEST_PAIR: Duration = Duration::from_millis(30);
/// Other threads and children that used more than this share of the measured time make an operation one
/// of several threads. Turns are short, so that less than this is not told from the kernel's own work.
const ALONE: f64 = 0.1;
/// How long it is looked for.
const PILOT: Duration = Duration::from_millis(10);

/// Why a workload that a budget names cannot be measured.
pub(crate) fn unregistered(name: &str, registered: &[String]) -> String {
    let there = match registered {
        [] => "no workload is registered".to_owned(),
        some => format!("registered are `{}`", some.join("`, `")),
    };
    format!(
        "no workload `{name}` is registered with the harness; {there}; add \
         `.workload(\"{name}\", |run| …)` or fix the name in the budget"
    )
}

/// The cases of a budget with the size of each, for a slope.
fn sizes(budget: &Budget) -> Vec<(usize, f64)> {
    let Some(scaling) = &budget.scaling else { return Vec::new() };
    let size = |params: &[(String, Param)]| {
        let (_, value) = params.iter().find(|(name, _)| *name == scaling.over)?;
        match value {
            Param::Int(value) => Some(*value as f64),
            Param::Float(value) => Some(*value),
            Param::Text(_) | Param::Bool(_) => None,
        }
    };
    let cases = budget.cases.iter().enumerate();
    cases.filter_map(|(i, case)| Some((i, size(&case.params)?))).collect()
}

/// What sources are made from.
pub(crate) struct Sources<'a> {
    /// The file.
    pub(crate) budgets: &'a Budgets,
    /// `target/budgets`.
    pub(crate) results: &'a Path,
    /// The revision that `base` means.
    pub(crate) base: Option<&'a Base>,
    /// What the processes of this run share, where they are several.
    pub(crate) run: Option<&'a Path>,
    /// What a selftest injects into the subject, and never into what it is compared with.
    pub(crate) injection: Option<Injection>,
}

impl Sources<'_> {
    /// Where the processes of a group come from: one case, two of them in turn, or every case for a slope.
    pub(crate) fn of(&self, group: &Group, metrics: &[Metric]) -> Box<dyn Source> {
        match (group.span, &group.versus) {
            (Span::Case(case), Some(suite::Versus::Budget(other, at))) => {
                let name = format!("the reference `{}`", self.budgets.budgets[*other].name);
                self.compared(group, case, metrics, (*other, *at), name, None)
            }
            (Span::Case(case), Some(suite::Versus::Base)) if self.base.is_some() => {
                let at = (group.budget, case);
                self.compared(group, case, metrics, at, "the base".to_owned(), self.base)
            }
            (Span::Case(case), _) => {
                let base = (None, self.injection);
                self.of_case(group.budget, case, group.reading, metrics, base)
            }
            (Span::Sweep, _) => {
                let inner: Vec<Metric> =
                    metrics.iter().filter_map(Metric::slope_of).cloned().collect();
                let sizes = sizes(&self.budgets.budgets[group.budget]);
                let least = sizes.iter().map(|(_, size)| *size).fold(f64::INFINITY, f64::min);
                let of = |case, size: f64| {
                    let injection = self.injection.map(|injection| injection.tilted(size / least));
                    self.of_case(group.budget, case, group.reading, &inner, (None, injection))
                };
                let points = sizes.into_iter().map(|(case, size)| (size, of(case, size))).collect();
                Box::new(Sweep { points, metrics: inner, coin: Coin::random() })
            }
        }
    }

    /// A case and its reference, which is the case `other` of this revision or of `base`.
    fn compared(
        &self,
        group: &Group,
        case: usize,
        metrics: &[Metric],
        other: (usize, usize),
        name: String,
        base: Option<&Base>,
    ) -> Box<dyn Source> {
        let (metrics, coin) = (metrics.to_vec(), Coin::random());
        if group.reading == Reading::TIME && cfg!(unix) {
            let sides = [
                self.twin(group.budget, case, None, base),
                self.twin(other.0, other.1, Some(name), base),
            ];
            let [Some(subject), Some(reference)] = sides else {
                return self.of_case(
                    group.budget,
                    case,
                    group.reading,
                    &metrics,
                    (None, self.injection),
                );
            };
            let pairs = Twins {
                sides: [subject, reference],
                wants: interleaved::wants(&metrics),
                scratch: self.results.join("scratch"),
                timeout: self.timeout(group.budget).max(self.timeout(other.0)),
                place: None,
                slice: SHORTEST_PAIR,
                notes: base.map(|base| base.link_notes.clone()).unwrap_or_default(),
            };
            return Box::new(Interleaved { pairs: Box::new(pairs), metrics, coin });
        }
        let compared = Versus {
            subject: self.of_case(
                group.budget,
                case,
                group.reading,
                &metrics,
                (None, self.injection),
            ),
            reference: Box::new(Named {
                name,
                source: self.of_case(other.0, other.1, group.reading, &metrics, (base, None)),
            }),
            metrics,
            coin,
        };
        let what = &self.budgets.budgets[group.budget];
        let Subject::Artifact(patterns) = &what.subject else { return Box::new(compared) };
        let Some(base) = base else { return Box::new(compared) };
        let case = &what.cases[case];
        let patterns = patterns.iter().map(|pattern| case.fill(pattern)).collect();
        let builders = [None, Some(base)].map(|base| self.builder(what, Some(case), base));
        Box::new(Beside::new(compared, patterns, builders))
    }

    /// One side of a comparison in turns; `None` where it is no workload.
    fn twin(
        &self,
        budget: usize,
        case: usize,
        role: Option<String>,
        base: Option<&Base>,
    ) -> Option<Twin> {
        let what = &self.budgets.budgets[budget];
        let Subject::Workload(workload) = &what.subject else { return None };
        // Whether failures are counted, or end the measurement.
        let counted = what.limits.iter().map(|limit| &limit.metric);
        let counted = counted.filter(|metric| metric.sample() == SampleKind::Failure);
        let metrics = counted.take(1).cloned().collect();
        let injection = self.injection.filter(|_| role.is_none());
        let request = Request { injection, ..request(workload, what, case, metrics, true) };
        let builds = match base {
            Some(base) if role.is_some() => base.links().to_vec(),
            Some(base) => base.head_links().to_vec(),
            None => Vec::new(),
        };
        Some(Twin { request, role, builds })
    }

    /// The texts of one case of a budget, with what they name built.
    pub(crate) fn built(
        &self,
        budget: &Budget,
        case: usize,
        texts: &[String],
    ) -> Result<Vec<String>, Unmeasured> {
        // Another budget that is compared with may have one case for all of this one's.
        let case = budget.cases.get(case).or(budget.cases.first());
        let fill = |text: &String| case.map_or_else(|| text.clone(), |case| case.fill(text));
        let texts: Vec<String> = texts.iter().map(fill).collect();
        Ok(self.builder(budget, case, None).build(&texts)?.0)
    }

    /// What builds the subject of one case, in this revision or in `base`.
    fn builder(&self, budget: &Budget, case: Option<&Case>, base: Option<&Base>) -> Builder {
        let mut build = budget.build.clone();
        for word in build.command.iter_mut().filter(|_| case.is_some()) {
            *word = case.map_or_else(String::new, |case| case.fill(word));
        }
        let test = base.and_then(Base::build).map(|build| build.binary.clone());
        Builder {
            root: base.map_or_else(|| self.budgets.root.clone(), |base| base.root.clone()),
            base: test,
            timeout: build.timeout.unwrap_or(self.budgets.settings.build_timeout),
            build,
            results: self.results.to_owned(),
            run: self.run.map(Path::to_owned),
        }
    }

    fn timeout(&self, budget: usize) -> Duration {
        self.budgets.budgets[budget].timeout.unwrap_or(self.budgets.settings.timeout)
    }

    /// Where the processes of one case of a budget come from, in this revision or in `base`, and with what
    /// injected.
    fn of_case(
        &self,
        budget: usize,
        case: usize,
        reading: Reading,
        metrics: &[Metric],
        (base, injection): (Option<&Base>, Option<Injection>),
    ) -> Box<dyn Source> {
        let what = &self.budgets.budgets[budget];
        let timeout = self.timeout(budget);
        let metrics = metrics.to_vec();
        match (&what.subject, reading) {
            (Subject::Artifact(patterns), _) => {
                let patterns =
                    patterns.iter().map(|pattern| what.cases[case].fill(pattern)).collect();
                let builder = self.builder(what, Some(&what.cases[case]), base);
                Box::new(Files::new(patterns, builder, metrics, injection))
            }
            (Subject::Command(command), _) => Box::new(Runs {
                command: filled(command, &what.cases[case]),
                builder: self.builder(what, Some(&what.cases[case]), base),
                notes: Vec::new(),
                metrics,
                timeout,
                expanded: false,
                warm: false,
                injection,
                own: None,
            }),
            (Subject::Criterion(name), _) => recorded::source(name, what, self.budgets),
            (Subject::Workload(workload), _) => {
                let request =
                    Request { injection, ..request(workload, what, case, metrics, false) };
                Box::new(Processes {
                    request,
                    build: base.and_then(Base::build).cloned(),
                    scratch: self.results.join("scratch"),
                    timeout,
                })
            }
        }
    }
}

/// A reference that says so where it cannot be measured.
struct Named {
    name: String,
    source: Box<dyn Source>,
}

impl Source for Named {
    fn prepare(&mut self) {
        self.source.prepare();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        self.source.measure_process().map_err(|why| Unmeasured {
            text: format!("{} was not measured: {}", self.name, why.text),
            ..why
        })
    }
}

/// Processes of a workload.
struct Processes {
    request: Request,
    /// Of which test binary; `None`: of this process's.
    build: Option<Build>,
    scratch: PathBuf,
    timeout: Duration,
}

impl Source for Processes {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let build = self.build.clone().map_or_else(Build::this, Ok)?;
        let process = process::measure_in(&build, &self.request, &self.scratch, self.timeout)?;
        self.request.slice = slice_after(&self.request, process.elapsed);
        Ok(process)
    }
}

/// One side of a comparison in turns.
struct Twin {
    request: Request,
    role: Option<String>,
    /// The links that one is drawn of for each pair; none: this process's binary.
    builds: Vec<Build>,
}

impl Twin {
    /// This side by a link that is drawn, and which link that is.
    fn side(&self, coin: &mut Coin) -> Result<(Side, usize), Unmeasured> {
        let link = coin.below(self.builds.len());
        let build = self.builds.get(link).cloned().map_or_else(Build::this, Ok)?;
        let side = Side { build, request: self.request.clone(), role: self.role.clone() };
        Ok((side, link))
    }
}

/// Pairs of two workloads, or of one in two revisions.
struct Twins {
    /// The subject and its reference.
    sides: [Twin; 2],
    wants: Wants,
    scratch: PathBuf,
    timeout: Duration,
    /// Where they run, once it is known whether they are of one thread.
    place: Option<Place>,
    slice: Duration,
    /// What a reader must know of how they were built.
    notes: Vec<String>,
}

impl Twins {
    fn measure(
        &self,
        swapped: bool,
        coin: &mut Coin,
        (wants, slice, place): (Wants, Duration, Place),
    ) -> Result<Pair, Unmeasured> {
        let (subject, own) = self.sides[0].side(coin)?;
        let (reference, other) = self.sides[1].side(coin)?;
        let slots = if swapped { [&reference, &subject] } else { [&subject, &reference] };
        let terms = Terms { wants, slice, place, timeout: self.timeout, scratch: &self.scratch };
        let mut pair = pair::measure(slots, &terms, coin.toss())?;
        pair.links = if swapped { [other, own] } else { [own, other] };
        pair.notes.extend(self.notes.iter().cloned());
        Ok(pair)
    }
}

impl Pairs for Twins {
    fn measure_pair(&mut self, swapped: bool, coin: &mut Coin) -> Result<Pair, Unmeasured> {
        let place = if let Some(place) = self.place {
            place
        } else {
            // A first pair tells whether one processor is enough for them; on one it could not be told,
            // since they would not start threads that have no processor.
            let wants = Wants { fewest: 0, ..self.wants };
            let pilot = self.measure(swapped, coin, (wants, PILOT, Place::Free))?;
            let alone = pilot.others.is_some_and(|others| others <= ALONE);
            if alone { Place::Core(coin.below(1 << 16)) } else { Place::Free }
        };
        let pair = self.measure(swapped, coin, (self.wants, self.slice, place))?;
        // Preparing is paid for each pair, and what it costs is worth measuring as long.
        self.slice = pair.elapsed.saturating_sub(self.slice).clamp(SHORTEST_PAIR, LONGEST_SLICE);
        self.place = Some(match place {
            Place::Core(count) => Place::Core(count + 1),
            Place::Free => Place::Free,
        });
        Ok(pair)
    }
}
