//! Tests with programs that answer as each version of Criterion since 0.3.4 does. They are scripts that refuse what that version
//! refuses, list in its form, and run every benchmark that its filter matches.

use perf_budget_core::benchmarks::{Abilities, Content, List};
use perf_budget_core::build::{Benches, Program, ProgramResult, Step};
use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::Unmeasured;

use super::runs::BenchmarkRuns;
use super::tests::{LONG, Place, mean};
use crate::exec::{self, Launch};
use crate::meter::Source;

/// What tells a version of Criterion from the others.
struct Version {
    name: &'static str,
    /// The version of clap by which it reads its arguments. With version 2 it ends with another exit code if it refuses one, and
    /// takes whole seconds only.
    clap: u32,
    has_help: bool,
    has_exact: bool,
    has_quick: bool,
    /// How the lines of its list end.
    ending: &'static str,
}

/// Criterion 0.6 to 0.8 read the same arguments. So does 0.5 where something else turns on the feature of clap that shows its help.
const VERSIONS: [Version; 4] = [
    OLDEST,
    Version { name: "0.4", clap: 3, has_quick: true, ..OLDEST },
    Version { name: "0.5", has_help: false, ..NEWEST },
    NEWEST,
];

const OLDEST: Version = Version {
    name: "0.3",
    clap: 2,
    has_help: true,
    has_exact: false,
    has_quick: false,
    ending: "bench",
};

const NEWEST: Version = Version {
    name: "0.8",
    clap: 4,
    has_help: true,
    has_exact: true,
    has_quick: true,
    ending: "benchmark",
};

/// The program. Its second and third benchmark are what a filter matches that is no more than a part of a name, or that is not
/// escaped. One iteration takes 300 ns, with 5 bytes.
const PROGRAM: &str = r#"
benchmarks='a/b (c)
a/b (c) more
a/b c'
refuse() { echo "error: the argument '$1' is not valid" >&2; [ $CLAP = 2 ] && exit 1; exit 2; }
number() {
    case $1 in *.*) [ -z "$WHOLE" ] || { echo "the argument '$1' isn't a valid value"; exit 1; };; esac
}
list= exact= quick= filter=
while [ $# -gt 0 ]; do
    case $1 in
        --bench|--noplot) ;;
        --list) list=1 ;;
        --help) [ -n "$HELP" ] || refuse $1
            echo "--list --sample-size ${QUICK:+--quick} ${EXACT:+--exact}"; exit 0 ;;
        --exact) [ -n "$EXACT" ] || refuse $1; exact=1 ;;
        --quick) [ -n "$QUICK" ] || refuse $1; quick=1 ;;
        --warm-up-time|--measurement-time) number $2; shift ;;
        --sample-size|--nresamples|--significance-level) shift ;;
        --) shift; filter=$1 ;;
        *) refuse $1 ;;
    esac
    shift
done
echo "$benchmarks" | while read -r name; do
    if [ -z "$filter" ]; then
        :
    elif [ -n "$exact" ]; then
        [ "$name" = "$filter" ] || continue
    else
        echo "$name" | grep -E -q -e "$filter" || continue
    fi
    [ -z "$list" ] || { echo "$name: $ENDING"; continue; }
    to="$CRITERION_HOME/$name/new"
    mkdir -p "$to"
    echo '{"group_id":"a","function_id":"b","value_str":null,"throughput":{"Bytes":5},"full_id":"'"$name"'","directory_name":"a/b",
        "title":"b"}' > "$to/benchmark.json"
    iters=100.0,200.0,300.0,400.0,500.0,600.0,700.0,800.0,900.0,1000.0
    times=30000.0,60000.0,90000.0,120000.0,150000.0,180000.0,210000.0,240000.0,270000.0,300000.0
    [ -z "$quick" ] || { iters=1.0,2.0; times=900.0,600.0; }
    echo '{"sampling_mode":"Linear","iters":['$iters'],"times":['$times']}' > "$to/sample.json"
done
[ -z "$list" ] || echo
"#;

impl Version {
    fn program(&self) -> Place {
        let flag = |is_set: bool| if is_set { "1" } else { "" };
        let Version { clap, ending, .. } = self;
        let settings = format!(
            "CLAP={clap} HELP={} EXACT={} QUICK={} ENDING={ending} WHOLE={}",
            flag(self.has_help),
            flag(self.has_exact),
            flag(self.has_quick),
            flag(*clap == 2)
        );
        Place::new(&format!("version-{}", self.name), &format!("{settings}\n{PROGRAM}"))
    }
}

/// Starts a program as a step says.
fn started(step: &Step) -> Result<ProgramResult, Unmeasured> {
    let Program::Named(program) = &step.program else {
        panic!("the program of a benchmark is asked");
    };
    let mut launch = Launch::new(program);
    launch.args = step.args.iter().map(Into::into).collect();
    launch.env.extend(step.env.iter().map(|(name, value)| (name.into(), value.into())));
    let done = exec::run(&launch, LONG)?;
    let messages = done.stderr.text().or_else(|| done.stdout.text());
    Ok(ProgramResult { code: done.code, stdout: done.stdout.tail, messages })
}

#[test]
fn each_version_is_listed_and_measured() {
    for version in VERSIONS {
        let name = version.name;
        let place = version.program();
        // The list that stands for the program is replaced by its own.
        let side = place.side("sums", "a/b (c)", "");
        let benches = Benches { built: vec![place.bench("sums")], ..Benches::default() };
        let list = List::of(&benches, String::new(), None, &started);
        assert_eq!(list.faults, [], "{name}");
        let names = ["a/b (c)", "a/b (c) more", "a/b c"].map(str::to_owned).into();
        let Version { has_exact: exact, has_quick: quick, .. } = version;
        let skills = Abilities { exact, quick, serves: false };
        assert_eq!(list.programs[0].content, Content::Criterion { skills, names }, "{name}");
        list.write(&place.0.join("sums.json")).unwrap();

        let throughput = Metric::from(Key::Throughput);
        let terms = place.terms(vec![mean(), throughput.clone()]);
        let process = BenchmarkRuns::new(side, false, terms).measure_process().unwrap();
        let value = |metric: &Metric| process.series(metric).unwrap()[0];
        assert!((value(&mean()) - 3e-7).abs() < 1e-12, "{name}: {process:?}");
        assert!((value(&throughput) - 5.0 / 3e-7).abs() < 1.0, "{name}: {process:?}");
        let note = "measured by Criterion, one value of each process";
        assert!(process.notes.iter().any(|own| own == note), "{name}: {:?}", process.notes);
    }
}
