//! The world that is stormed: one repository with the user's own uncommitted work in it, a worker
//! that bears witness, and a look at the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wt::domain::attempt::Attempt;
use wt::domain::task::Task;
use wt::domain::variant::{Variant, VariantState};
use wt::store::db::Store;
use wt::store::environment::Environment;
use wt::store::layout::Layout;
use wt::store::repos::RepoRow;
use wt::store::{attempts, repos, tasks, variants};

use crate::support::env::TestEnv;
use crate::support::left_behind::{Process, processes_of};
use crate::support::repo::TestRepo;

/// Writes each line to its output, to a file of its worktree, and to a witness outside that only
/// ever grows; in this order, so that whatever the witness has must be in the other two.
const WORKER: &str = r#"#!/bin/sh
name=$1; lines=$2; way=$3
log="@WITNESS@/${WT_ATTEMPT%.*}"
echo "$WT_ATTEMPT $$ begins" >>"$log"
n=0
while [ $n -lt "$lines" ]; do
    n=$((n + 1))
    line="$WT_ATTEMPT $$ $n"
    echo "$line"
    echo "$line" >>"work-$name.txt"
    echo "$line" >>"$log"
    if [ "$way" = commits ] && [ $((n % 6)) = 0 ]; then
        git add -A && git commit -q -m "$line"
    fi
    sleep 0.01
done
if [ "$way" = clashes ]; then echo "of $WT_ATTEMPT" >shared.txt; fi
echo "$WT_ATTEMPT $$ ends" >>"$log"
[ "$way" != fails ]
"#;

/// The user's own uncommitted work, as git tells of it.
const MINE: &str = "MM src/app.txt\n?? unknown.txt\n";

/// The repository and all that happens around it.
pub struct Town<'e> {
    pub env: &'e TestEnv,
    pub shop: TestRepo<'e>,
}

/// What the store says, at one moment.
pub struct Seen {
    pub variants: Vec<Variant>,
    pub trashed: Vec<Variant>,
    pub tasks: Vec<Task>,
    pub attempts: Vec<Attempt>,
}

impl<'e> Town<'e> {
    pub fn build(env: &'e TestEnv) -> Self {
        env.config("[limits]\ntasks = 4\nagent = 4\n");
        std::fs::create_dir(env.dir().join("witness")).unwrap();
        let witness = env.dir().join("witness");
        env.program("worker", &WORKER.replace("@WITNESS@", witness.to_str().unwrap()));
        let shop = env.repo("shop");
        shop.write("shared.txt", "of nobody\n");
        shop.commit("shared");
        shop.write("src/app.txt", "mine, staged\n");
        shop.git(&["add", "src/app.txt"]);
        shop.write("src/app.txt", "mine\n");
        shop.write("unknown.txt", "mine, unknown\n");
        // The first command makes the store.
        shop.wt(&["path"]).ok();
        Self { env, shop }
    }

    pub fn store(&self) -> Store {
        let environment = Environment::of(self.env.variables(), self.env.dir());
        Store::open(Layout::prepare(&environment).unwrap()).unwrap()
    }

    /// The shop's row; there is none before its first variant.
    pub fn row(&self, store: &Store) -> Option<RepoRow> {
        repos::all(store.read()).unwrap().into_iter().next()
    }

    pub fn look(&self) -> Seen {
        let store = self.store();
        let mut seen = Seen { variants: vec![], trashed: vec![], tasks: vec![], attempts: vec![] };
        let Some(row) = self.row(&store) else { return seen };
        let (db, repo) = (store.read(), &row.id);
        seen.variants = variants::present(db, repo).unwrap();
        seen.trashed = variants::in_state(db, repo, VariantState::Trashed).unwrap();
        seen.tasks = tasks::of_repo(db, repo).unwrap();
        let of_task = |task: &Task| attempts::of_task(db, &task.id).unwrap();
        seen.attempts = seen.tasks.iter().flat_map(of_task).collect();
        seen
    }

    /// Everything of ours that runs.
    pub fn processes(&self) -> Vec<Process> {
        processes_of(self.env.dir())
    }

    /// What the witness has, by task.
    pub fn witnessed(&self) -> BTreeMap<String, Vec<Line>> {
        let files = std::fs::read_dir(self.env.dir().join("witness")).unwrap();
        let read = |path: PathBuf| -> Vec<Line> {
            std::fs::read_to_string(path).unwrap().lines().map(Line::read).collect()
        };
        files
            .map(|file| file.unwrap())
            .map(|file| (file.file_name().into_string().unwrap(), read(file.path())))
            .collect()
    }

    /// The user's own work is untouched, and whatever git holds is whole.
    #[track_caller]
    pub fn assert_mine(&self) {
        assert_eq!(self.shop.status(), MINE);
        assert_eq!(self.shop.read("src/app.txt"), "mine\n");
        assert_eq!(self.shop.git(&["show", ":src/app.txt"]), "mine, staged\n");
        assert_eq!(self.shop.read("unknown.txt"), "mine, unknown\n");
    }
}

/// One line of a worker's witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub attempt: String,
    pub pid: String,
    pub what: String,
}

impl Line {
    fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let [attempt, pid, what] = words[..] else { panic!("a torn line: `{text}`") };
        let [attempt, pid, what] = [attempt, pid, what].map(str::to_owned);
        Self { text: text.to_owned(), attempt, pid, what }
    }

    /// Whether it is one that was also written elsewhere.
    pub fn is_work(&self) -> bool {
        self.what != "begins" && self.what != "ends"
    }
}
