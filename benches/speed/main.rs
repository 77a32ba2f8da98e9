//! How fast `wt` is, beside the bare git it stands on and the peers that are installed.
//!
//!     cargo bench --bench speed [-- NAME…]     list | spawn | compare | cleanup | start | memory | queue
//!
//! `WT_BENCH_SIZE=FILES,COMMITS,VARIANTS` sets another size than 5000,2000,50; `WT_BENCH_RUNS` other
//! runs than 10. `WT_BENCH_WORKTRUNK`, `WT_BENCH_WORKMUX` and `WT_BENCH_PUEUE` name the peers'
//! programs, which are then timed in the same run. Figures of a machine that does something else are worth nothing, so
//! nothing here is ever asserted on.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, or it ends")]

mod fixture;
mod measure;
mod memory;
mod queue;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fixture::{Fixture, Size};
use measure::{Case, in_turn, report};

/// What is measured, by the name that picks it.
type Bench = fn(&World);

const BENCHES: &[(&str, Bench)] = &[
    ("start", start),
    ("list", list),
    ("spawn", spawn),
    ("compare", compare),
    ("cleanup", cleanup),
    ("memory", memory::measure),
    ("queue", queue::measure),
];

/// The fixture, and how often to run.
struct World {
    fixture: Fixture,
    runs: usize,
}

impl World {
    /// `wt` in the fixture's main checkout, which must succeed.
    fn wt(&self, args: &[&str]) -> Output {
        let repo = &self.fixture.repo;
        succeeded(self.fixture.command(env!("CARGO_BIN_EXE_wt"), repo).args(args))
    }

    /// A peer's program, where one is named and the repository allows it.
    fn peer(&self, variable: &str) -> Option<PathBuf> {
        std::env::var_os(variable).map(PathBuf::from).filter(|program| program.is_file())
    }

    fn run(&self, program: &Path, args: &[&str]) {
        succeeded(self.fixture.command(program, &self.fixture.repo).args(args));
    }
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let numbers = std::env::var("WT_BENCH_SIZE").unwrap_or_else(|_| "5000,2000,50".into());
    let numbers: Vec<usize> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
    let size = Size { files: numbers[0], commits: numbers[1], variants: numbers[2] };
    let runs = std::env::var("WT_BENCH_RUNS").map_or(10, |runs| runs.parse().unwrap());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
    println!("{} files, {} commits, {} variants; {runs} runs", numbers[0], numbers[1], numbers[2]);
    let world = World { fixture: Fixture::of(size, &cache), runs };
    // What a run that was ended early left in the cached fixture.
    let stale = ["cleanup", "bench-*", "--yes", "--force"];
    world.fixture.command(env!("CARGO_BIN_EXE_wt"), &world.fixture.repo).args(stale).output().ok();
    for (name, bench) in BENCHES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            bench(&world);
        }
    }
}

fn start(world: &World) {
    let mut cases = [
        Case::new("true", || world.run(Path::new("/bin/true"), &[])),
        Case::new("wt --version", || drop(world.wt(&["--version"]))),
    ];
    report("start", &in_turn(world.runs * 5, &mut cases), &["true"], "within 5 ms");
}

fn list(world: &World) {
    let worktrunk = world.peer("WT_BENCH_WORKTRUNK");
    let workmux = world.peer("WT_BENCH_WORKMUX");
    let mut cases = vec![
        Case::new("git status, two at a time", || statuses(&world.fixture)),
        Case::new("wt list", || drop(world.wt(&["list"]))),
        Case::new("wt list --json", || drop(world.wt(&["list", "--json"]))),
    ];
    if let Some(program) = &worktrunk {
        cases.push(Case::new("worktrunk list (warm)", || world.run(program, &["list"])));
    }
    if let Some(program) = &workmux {
        cases.push(Case::new("workmux list --json", || world.run(program, &["list", "--json"])));
    }
    let goal = "at most 1.3 × the statuses, and half of worktrunk";
    report("list", &in_turn(world.runs, &mut cases), &["git status, two at a time"], goal);
}

/// `git status` of every worktree, two at a time.
fn statuses(fixture: &Fixture) {
    let places: Vec<&PathBuf> = fixture.worktrees.iter().chain([&fixture.repo]).collect();
    let (even, odd): (Vec<_>, Vec<_>) = places.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    std::thread::scope(|scope| {
        for half in [even, odd] {
            scope.spawn(move || {
                for (_, place) in half {
                    fixture.git(place, &["--no-optional-locks", "status", "--porcelain=v2"]);
                }
            });
        }
    });
}

fn spawn(world: &World) {
    let (repo, fixture) = (&world.fixture.repo, &world.fixture);
    let beside = repo.parent().unwrap().join("bench-add");
    let beside = beside.to_str().unwrap();
    let clear = |_| {
        drop(fixture.command("git", repo).args(["worktree", "remove", "-f", beside]).output());
        drop(fixture.command("git", repo).args(["branch", "-D", "bench-add"]).output());
    };
    let unspawn = |_| {
        let mut wt = fixture.command(env!("CARGO_BIN_EXE_wt"), repo);
        drop(wt.args(["cleanup", "bench-spawn", "--yes", "--force"]).output());
    };
    let spawn = ["spawn", "bench-spawn", "--exec", "--", "true"];
    let add = ["worktree", "add", "-q", "-b", "bench-add", beside];
    let mut cases = [
        Case {
            name: "git worktree add",
            before: Box::new(clear),
            run: Box::new(|_| drop(fixture.git(repo, &add))),
        },
        Case {
            name: "wt spawn --exec -- true",
            before: Box::new(unspawn),
            run: Box::new(|_| drop(world.wt(&spawn))),
        },
    ];
    let timings = in_turn(world.runs, &mut cases);
    report("spawn", &timings, &["git worktree add"], "at most 1.15 × git worktree add");
    clear(0);
    unspawn(0);
}

fn compare(world: &World) {
    let fixture = &world.fixture;
    let mut tips: Vec<String> =
        (1..=fixture.worktrees.len()).map(|number| format!("feature/v{number:03}")).collect();
    tips.push("main".into());
    let mut pairs = String::new();
    for (at, one) in tips.iter().enumerate() {
        for other in &tips[at + 1..] {
            pairs.push_str(&format!("{one} {other}\n"));
        }
    }
    let input = fixture.repo.with_file_name("pairs");
    std::fs::write(&input, &pairs).unwrap();
    let mut cases = [
        Case::new("git merge-tree, one batch", || merge_trees(fixture, &input)),
        Case::new("git status, two at a time", || statuses(fixture)),
        Case::new("wt compare --json", || drop(world.wt(&["compare", "--json"]))),
    ];
    let timings = in_turn(world.runs, &mut cases);
    let floors = ["git merge-tree, one batch", "git status, two at a time"];
    let title = format!("compare, {} pairs", pairs.lines().count());
    report(&title, &timings, &floors, "at most 1.5 × both floors together");
}

fn merge_trees(fixture: &Fixture, input: &Path) {
    let mut git = fixture.command("git", &fixture.repo);
    let objects = fixture.repo.join(".git/objects");
    let scratch = fixture.repo.with_file_name("scratch-objects");
    std::fs::create_dir_all(&scratch).unwrap();
    git.env("GIT_OBJECT_DIRECTORY", &scratch).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
    git.args(["merge-tree", "--write-tree", "--stdin", "-z", "--name-only", "--no-messages"]);
    succeeded(git.stdin(std::fs::File::open(input).unwrap()).stdout(Stdio::piped()));
    std::fs::remove_dir_all(scratch).unwrap();
}

fn cleanup(world: &World) {
    let fixture = &world.fixture;
    let spawn = |_| drop(world.wt(&["spawn", "bench-cleanup", "--no-agent"]));
    let mut cases = [Case {
        name: "wt cleanup NAME",
        before: Box::new(spawn),
        run: Box::new(|_| drop(world.wt(&["cleanup", "bench-cleanup", "--yes"]))),
    }];
    report("cleanup", &in_turn(world.runs, &mut cases), &[], "within 100 ms for any tree size");
    fixture.git(&fixture.repo, &["worktree", "prune"]);
}

fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}
