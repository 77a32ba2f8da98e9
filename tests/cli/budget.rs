//! Budgets: what is given, told, held and stopped, with the scripted agent.

use serde_json::Value;
use wt::domain::id::TaskId;
use wt::store::db::Store;
use wt::store::environment::Environment;
use wt::store::events;
use wt::store::layout::Layout;

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// Uses 40,000 tokens, and as many again after each step, until it is ended.
const RUNAWAY: &str = r#"
about = "never has enough"
usage = { input = 30000, cache_read = 900000, cache_write = 8000, output = 2000, usd = 0.5 }
[[turn]]
answer = "never said"
[[turn.step]]
write = { path = "half.txt", text = "half\n" }
[[turn.step]]
say = "once more"
[[turn.step]]
say = "and again"
[[turn.step]]
hang = true
"#;

/// Uses 30,000 tokens, then hangs.
const HALF: &str = r#"
about = "stops half-way"
usage = { input = 30000, usd = 0.5 }
[[turn]]
answer = "never said"
[[turn.step]]
write = { path = "half.txt", text = "half\n" }
[[turn.step]]
hang = true
"#;

/// Uses 40,000 tokens in all.
const MODEST: &str = r#"
about = "writes one file"
usage = { input = 15000, cache_read = 900000, cache_write = 4000, output = 1000, usd = 0.25 }
[[turn]]
answer = "Done."
[[turn.step]]
write = { path = "done.txt", text = "done\n" }
"#;

fn scenario(env: &TestEnv, name: &str, text: &str) -> String {
    let path = env.write(format!("home/{name}.toml"), text);
    format!("do it (@{})", path.display())
}

/// A world in which it is noon, so that no day ends while a test runs.
fn at_noon() -> TestEnv {
    let mut env = TestEnv::new();
    let hour = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    // As POSIX has it, a zone that is behind has a positive number.
    env.set("TZ", format!("NOON{}", hour - 12));
    env
}

fn spawn(repo: &TestRepo<'_>, name: &str, words: &str, more: &[&str]) {
    let args = [&["spawn", name, words, "--agent", "scripted"], more].concat();
    repo.wt(&args).ok();
}

fn task(repo: &TestRepo<'_>, name: &str) -> Value {
    repo.wt(&["status", name, "--json"]).ok().json()
}

fn ended(repo: &TestRepo<'_>, name: &str) -> Value {
    let open = ["queued", "waiting", "running"];
    wait_until("the task ends", || !open.contains(&task(repo, name)["state"].as_str().unwrap()));
    task(repo, name)
}

#[test]
fn a_runaway_is_ended_by_its_budget_and_its_work_is_kept() {
    let env = at_noon();
    let repo = env.repo("shop");
    let words = scenario(&env, "runaway", RUNAWAY);
    spawn(&repo, "wild", &words, &["--budget", "100k"]);
    let now = ended(&repo, "wild");
    assert_eq!(now["state"], "cancelled");
    assert_eq!(now["reason"], "stopped: its budget of 100k tokens");
    assert_eq!(now["budget"]["tokens"], 100_000);
    assert_eq!((&now["budget"]["stops"], &now["budget"]["given"]), (&true.into(), &true.into()));
    // What it used by then: past the budget by at most the step that crossed it.
    let used = now["spent"]["tokens"].as_u64().unwrap();
    assert!((100_000..=120_000).contains(&used), "{used}");
    assert_eq!(now["spent"]["cache_read"], 2_700_000);
    let kept = env.git(&repo.dir, &["show", "feature/wild:half.txt"]);
    assert_eq!(kept, "half\n");
    // Nothing goes on beyond its budget.
    let said = repo.wt(&["retry", "wild"]).code(5);
    let why = "`wild` has used up its budget: 120,000 tokens of 100,000 tokens";
    assert!(said.stderr.contains(why), "{}", said.stderr);
    assert!(said.stderr.contains("wt budget wild --give AMOUNT"), "{}", said.stderr);
}

#[test]
fn a_fan_out_shares_its_budget() {
    let env = at_noon();
    let repo = env.repo("shop");
    let words = scenario(&env, "half", HALF);
    let said = repo
        .wt(&["spawn", "pair", &words, "--agent", "scripted", "--variants", "2", "--budget", "60k"])
        .ok();
    assert!(said.stdout.contains("budget   60,000 tokens together, then stops\n"), "{said}");
    for name in ["pair-1", "pair-2"] {
        let now = ended(&repo, name);
        let why = "stopped: the budget of 60k tokens for its whole fan-out";
        assert_eq!(now["reason"], why);
        assert_eq!(now["budget"]["tasks"], 2);
        assert_eq!(now["budget"]["spent"]["tokens"], 60_000);
        assert_eq!(now["spent"]["tokens"], 30_000);
    }
    // Both go on together, or not at all.
    repo.wt(&["retry", "pair-2"]).code(5);
    let given = repo.wt(&["budget", "pair-2", "--give", "90k"]).ok();
    insta::assert_snapshot!(*given, @"
    pair-2 and 1 other task may use 90,000 tokens in all, then they stop
    used  60,000 / 90,000 tokens (67%)
    ");
    assert_eq!(task(&repo, "pair-1")["budget"]["tokens"], 90_000);
    repo.wt(&["retry", "pair-2"]).ok();
    let now = ended(&repo, "pair-2");
    assert_eq!(now["reason"], "stopped: the budget of 90k tokens for its whole fan-out");
    assert_eq!(now["budget"]["spent"]["tokens"], 90_000);
}

#[test]
fn what_waits_goes_on_waiting_while_the_budget_of_the_day_is_used_up() {
    let env = at_noon();
    let repo = env.repo("shop");
    let settings = "[limits]\ntasks = 1\n[budget]\ntotal = \"100k\"\nbackground = \"none\"\n\
                    per_task = \"none\"\non_limit = \"stop\"\n";
    env.config(settings);
    let words = scenario(&env, "runaway", RUNAWAY);
    spawn(&repo, "wild", &words, &["--variants", "2"]);
    let now = ended(&repo, "wild-1");
    assert_eq!(now["reason"], "stopped: the budget of the day, 100k tokens");
    assert_eq!(now["budget"], Value::Null);
    let why = "for the budget of the day (120,000 tokens used of 100,000 tokens)";
    wait_until("the other one is told why it waits", || task(&repo, "wild-2")["reason"] == why);
    let said = repo.wt(&["status"]).ok();
    let alert = "! all work at 120% of the budget of the day: wild-1 120k\n";
    assert!(said.stdout.contains(alert), "{said}");
    // Nothing new is begun, and a person can let it go on.
    let args = ["spawn", "more", &words, "--agent", "scripted"];
    insta::assert_snapshot!(*repo.wt(&args).code(5), @"
    --- stderr ---
    error: of the budget of the day, 100,000 tokens, 120,000 are used: nothing is left
    hint: see what uses it: `wt budget`
    hint: ask for less with `--budget`, or raise `budget.total` and `budget.background`
    [exit 5]
    ");
    assert!(!env.dir().join("shop-worktrees/more").exists());
    env.config(&settings.replace("100k", "300k"));
    repo.wt(&["status"]).ok();
    repo.wt(&["stop", "wild-2"]).ok();
}

#[test]
fn what_is_used_is_shown_beside_what_may_be() {
    let env = at_noon();
    let repo = env.repo("shop");
    let words = scenario(&env, "modest", MODEST);
    let said = repo.wt(&["spawn", "calm", &words, "--agent", "scripted"]).ok();
    assert!(said.stdout.contains("its worktree · 50,000 tokens, warns\n"), "{said}");
    repo.wt(&["wait", "calm", "--timeout", "60s"]).ok();
    env.config("[budget]\nbackground = 50_000\n");
    let said = repo.wt(&["budget"]).ok().stdout.clone();
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("since ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    background  40,000 / 50,000 tokens (80%) · each day, warns
    total       40,000 / 200,000 tokens (20%) · each day, warns

    TASK  TOKENS  CACHE READS   COST  BUDGET
    calm     40k         1.8M  $0.50  80% of 50,000 tokens
    ");
    insta::assert_snapshot!(*repo.wt(&["status"]).ok(), @"
    Nothing runs and nothing waits.
    TODAY      1 done · 40,000 / 50,000 tokens (80%) · $0.50
    ! background work at 80% of its budget: calm 40k
    ");
    let tree = repo.wt(&["list", "--tree"]).ok();
    assert!(tree.stdout.contains("40,000 / 50,000 tokens (80%) · $0.50"), "{tree}");
    let json = repo.wt(&["budget", "--json", "--since", "7d"]).ok().json();
    assert_eq!(json["tasks"][0]["name"], "calm");
    assert_eq!(json["tasks"][0]["spent"]["tokens"], 40_000);
    assert_eq!(json["roles"][0]["name"], "engineer");
    assert_eq!(json["agents"][0]["spent"]["cost_from"], "agent");
    assert_eq!(json["budgets"][0]["percent"], 80);
    // Told once, with the task it is about.
    let environment = Environment::of(env.variables(), env.dir());
    let store = Store::open(Layout::prepare(&environment).unwrap()).unwrap();
    let id = TaskId::new(json["tasks"][0]["task"].as_str().unwrap());
    let told = || {
        let all = events::of_task(store.read(), &id).unwrap();
        let told: Vec<Value> =
            all.into_iter().filter(|event| event.kind == "budget-warned").map(|e| e.data).collect();
        told
    };
    wait_until("it is told", || !told().is_empty());
    assert_eq!(told().len(), 1);
    assert_eq!((&told()[0]["percent"], &told()[0]["budget"]), (&75.into(), &"task".into()));
}

#[test]
fn a_budget_that_cannot_be_held_is_refused() {
    let env = at_noon();
    let repo = env.repo("shop");
    for (amount, why) in [
        ("0", "it has to be more than nothing"),
        ("-5k", "it has to be more than nothing"),
        ("much", "`much` is no amount: tokens as `200k` or `200_000`, money as `20usd` or `$20`"),
    ] {
        let budget = format!("--budget={amount}");
        let said = repo.wt(&["spawn", "a", "do", "--agent", "scripted", &budget]).code(2);
        assert!(said.stderr.contains(why), "{said}");
    }
    let command = ["spawn", "a", "--budget", "5k", "--exec", "--", "true"];
    insta::assert_snapshot!(*repo.wt(&command).code(2), @"
    --- stderr ---
    error: a budget cannot be held here: a plain command tells no tokens
    hint: leave out `--budget`
    [exit 2]
    ");
    own_agent(&env);
    let money = ["spawn", "a", "do", "--agent", "own", "--budget", "2usd"];
    insta::assert_snapshot!(*repo.wt(&money).code(5), @"
    --- stderr ---
    error: nobody knows what `own` costs: it does not tell, nor with what model
    hint: count tokens instead: `--budget 200k`
    hint: or name a `--model` whose price is in the list: `~/.config/wt/pricing.toml` adds to it
    [exit 5]
    ");
    let unknown = [&money[..], &["--model", "nobodys"]].concat();
    assert!(repo.wt(&unknown).code(5).stderr.contains("nobody knows what `nobodys` costs"));
    assert!(!env.dir().join("shop-worktrees").exists());
}

/// An agent that tells its tokens at its end and never its cost.
fn own_agent(env: &TestEnv) {
    env.program(
        "own",
        r#"#!/bin/sh
echo '{"type":"thread.started","thread_id":"t-1"}'
echo work > work.txt
echo '{"type":"item.completed","item":{"type":"agent_message","text":"Done."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":1000,"cached_input_tokens":400,"output_tokens":100}}'
"#,
    );
    env.write(
        "config/wt/agents/own.toml",
        r#"
about = "our own"
program = ["own"]
dialect = "codex"
metering = "end"
prompt = "stdin"
session = "stream"
start = ["{model...}"]
model = ["--model", "{model}"]
[permissions.read]
[permissions.work]
[permissions.full]
[login]
otherwise = "in"
"#,
    );
}

#[test]
fn a_cost_that_nobody_tells_is_computed_and_marked() {
    let env = at_noon();
    let repo = env.repo("shop");
    own_agent(&env);
    let prices = "[models.house]\ninput = 1000\ncache_read = 100\noutput = 2000\n\
                  source = \"ours\"\ndate = \"2026-11-21\"\n";
    env.write("config/wt/pricing.toml", prices);
    let args = ["spawn", "a", "do", "--agent", "own", "--model", "house", "--budget", "$2"];
    repo.wt(&args).ok();
    repo.wt(&["wait", "a", "--timeout", "60s"]).ok();
    let now = task(&repo, "a");
    assert_eq!((&now["spent"]["tokens"], &now["spent"]["cost_usd"]), (&700.into(), &0.84.into()));
    assert_eq!(now["spent"]["cost_from"], "prices");
    let shown = repo.wt(&["status", "a"]).ok();
    assert!(shown.stdout.contains("$0.84 / $2.00 (42%), then stops"), "{shown}");
    assert!(repo.wt(&["list"]).ok().stdout.contains("≈$0.84"));
    // Without a price the cost is not known, and never nothing.
    repo.wt(&["spawn", "b", "do", "--agent", "own"]).ok();
    repo.wt(&["wait", "b", "--timeout", "60s"]).ok();
    assert_eq!(task(&repo, "b")["spent"]["cost_usd"], Value::Null);
    env.write("config/wt/pricing.toml", "[models.house]\nprice = 1\n");
    let said = repo.wt(&["spawn", "c", "do", "--agent", "own"]).code(2);
    assert!(said.stderr.contains("list of prices `"), "{said}");
}
