//! What a person sees of work in every state: `wt status` and `wt logs`.

use crate::support::env::TestEnv;
use crate::support::repo::TestRepo;
use crate::support::wait::wait_until;

/// A world whose clock stands still, with the scripted agent as the usual one.
fn still() -> TestEnv {
    let mut env = TestEnv::new();
    env.set("WT_TEST_NOW", "2026-11-21T10:00:00Z");
    env.config("[limits]\ntasks = 1\n[agent]\ndefault = \"scripted\"\n");
    env
}

/// Lets the scripted agent act these steps out.
fn spawn(env: &TestEnv, shop: &TestRepo<'_>, name: &str, turn: &str) {
    let usage = "usage = { input = 1000, output = 200 }";
    let scenario =
        env.write(format!("{name}.toml"), format!("about = '{name}'\n{usage}\n[[turn]]\n{turn}\n"));
    shop.wt(&["spawn", name, &format!("Do it @{}", scenario.display())]).ok();
}

/// Waits for its end, whichever that is.
fn ended(shop: &TestRepo<'_>, name: &str) {
    let said = shop.wt(&["wait", name, "--timeout", "60s"]);
    assert!(matches!(said.exit, Some(0 | 1)), "{said}");
}

/// What is said, without what differs from one time to the next: a session's name, and how many of
/// its tokens a running agent has told by now.
fn told(said: &str) -> String {
    let mut words: Vec<&str> = said.split(' ').collect();
    for at in 1..words.len() {
        if words[at - 1].ends_with("session") {
            words[at] = "[id]";
        }
        if words[at].starts_with("tokens") {
            words[at - 1] = "[n]";
        }
    }
    let text = words.join(" ");
    let lines = text.lines().map(|line| match line.rsplit_once(" · ") {
        Some((counts, used)) if used.contains(" tokens") => format!("{counts} · [n] tokens"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

const WORK: &str = "{ write = { path = 'src/new.css', text = 'x' } }";

#[test]
fn status_of_every_state() {
    let env = still();
    let shop = env.repo("shop");
    insta::assert_snapshot!(told(&shop.wt(&["status"]).ok().to_string()), @r#"
    Nothing runs and nothing waits.  → wt spawn NAME "what to do"
    "#);
    let ending = [
        ("done", format!("answer = 'Added new.css.'\nstep = [{WORK}]")),
        ("idle", "answer = 'There was nothing to do.'".to_owned()),
        ("asks", format!("answer = 'Tailwind or CSS modules?'\nstep = [{WORK}]")),
        (
            "denied",
            format!(
                "answer = 'Not all.'\nstep = [{WORK}, {{ deny = {{ name = 'Bash', detail = 'rm -rf /' }} }}]"
            ),
        ),
        (
            "fails",
            format!(
                "step = [{WORK}, {{ fail = {{ status = 400, message = 'prompt is too long' }} }}]"
            ),
        ),
    ];
    for (name, turn) in &ending {
        spawn(&env, &shop, name, turn);
        ended(&shop, name);
    }
    shop.wt(&["spawn", "plain", "--exec", "--", "sh", "-c", "echo no >&2; exit 3"]).ok();
    ended(&shop, "plain");
    spawn(
        &env,
        &shop,
        "runs",
        &format!(
            "step = [{{ todo = {{ done = ['read'], now = 'write tests', next = ['finish'] }} }}, {WORK}, {{ hang = true }}]"
        ),
    );
    let said = || shop.wt(&["status", "runs", "--json"]).ok().json()["activity"].clone();
    wait_until("it has written its file", || said() == "Write src/new.css");
    spawn(&env, &shop, "waits", "answer = 'never'");
    let why = || shop.wt(&["status", "waits", "--json"]).ok().json()["reason"].clone();
    wait_until("it is said what it waits for", || why().is_string());
    insta::assert_snapshot!(told(&shop.wt(&["status"]).ok().to_string()), @r#"
    NEEDS YOU  asks    asks, [time]  → wt send asks "…"
               Tailwind or CSS modules?
               denied  asks, [time]  was denied: Bash rm -rf /  → wt send denied "…"
               may it use Bash rm -rf /?
               fails   failed, [time]  prompt is too long  → wt logs fails
    FAILED     plain   failed, [time]  exit 3: no  → wt logs plain
    RUNNING    runs  [time]  step 1/3 Write src/new.css  [n] tokens
    WAITING    waits   for an agent slot (1 of 1 busy)
    TODAY      2 done · 2 asking · 2 failed · [n] tokens
    "#);
    insta::assert_snapshot!(*shop.wt(&["status", "--needs-you"]).ok(), @r#"
    NEEDS YOU  asks    asks, [time]  → wt send asks "…"
               Tailwind or CSS modules?
               denied  asks, [time]  was denied: Bash rm -rf /  → wt send denied "…"
               may it use Bash rm -rf /?
               fails   failed, [time]  prompt is too long  → wt logs fails
    "#);
    insta::assert_snapshot!(*shop.wt(&["stop", "--all"]).ok(), @r#"
    runs  stopped, 1 process ended  → wt send runs "…"
    waits  taken out of the queue
    "#);
    insta::assert_snapshot!(told(&shop.wt(&["status"]).ok().to_string()), @r#"
    NEEDS YOU  asks    asks, [time]  → wt send asks "…"
               Tailwind or CSS modules?
               denied  asks, [time]  was denied: Bash rm -rf /  → wt send denied "…"
               may it use Bash rm -rf /?
               fails   failed, [time]  prompt is too long  → wt logs fails
    FAILED     plain   failed, [time]  exit 3: no  → wt logs plain
    TODAY      2 done · 2 asking · 2 failed · 2 stopped · [n] tokens
    "#);
}

#[test]
fn logs_of_every_kind() {
    let env = still();
    let shop = env.repo("shop");
    let all = format!(
        "answer = 'Added new.css.'\nstep = [{{ say = 'I look first.' }}, \
         {{ todo = {{ done = ['read'], now = 'write', next = ['test'] }} }}, {WORK}, \
         {{ tool = {{ name = 'Bash', detail = 'npm test', answer = '142 passed' }} }}, \
         {{ retry = 529 }}, {{ noise = 'no event' }}, \
         {{ deny = {{ name = 'Bash', detail = 'rm -rf /' }} }}]"
    );
    spawn(&env, &shop, "talks", &all);
    ended(&shop, "talks");
    insta::assert_snapshot!(told(&shop.wt(&["logs", "talks"]).ok().to_string()), @r"
    session [id] · scripted-1
    I look first.
    · step 1/3 write
      ✓ ok
    ▸ Write src/new.css
      ✓ src/new.css written
    ▸ Bash npm test
      ✓ 142 passed
    ! tries again: 529 scripted, 1 of 10
    no event
    ▸ Bash rm -rf /
    ! denied Bash: Bash is not permitted
      ✗ Bash is not permitted
    Added new.css.
    ✓ finished
    --- stderr ---
    talks  asks, [time]  was denied: Bash rm -rf /
    ");
    spawn(
        &env,
        &shop,
        "fails",
        "step = [{ fail = { status = 400, message = 'prompt is too long' } }]",
    );
    ended(&shop, "fails");
    insta::assert_snapshot!(told(&shop.wt(&["logs", "fails"]).ok().to_string()), @r"
    session [id] · scripted-1
    ✗ prompt is too long
    ✗ finished with an error
    --- stderr ---
    fails  failed, [time]  prompt is too long
    ");
    shop.wt(&["spawn", "plain", "--exec", "--", "sh", "-c", "echo one; echo two >&2; exit 3"]).ok();
    ended(&shop, "plain");
    insta::assert_snapshot!(told(&shop.wt(&["logs", "plain"]).ok().to_string()), @r"
    one
    stderr │ two
    --- stderr ---
    plain  failed, [time]  exit 3: two
    ");
    spawn(&env, &shop, "runs", "step = [{ hang = true }]");
    let begun = || shop.wt(&["logs", "runs"]).ok().stdout.contains("session");
    wait_until("it has said who it is", begun);
    insta::assert_snapshot!(told(&shop.wt(&["logs", "runs"]).ok().to_string()), @r"
    session [id] · scripted-1
    --- stderr ---
    runs  running  [time]
    there is more to come: `wt logs -f runs`
    ");
    spawn(&env, &shop, "waits", "answer = 'never'");
    insta::assert_snapshot!(told(&shop.wt(&["logs", "waits"]).ok().to_string()), @r"
    --- stderr ---
    waits  waiting  for an agent slot (1 of 1 busy)
    there is more to come: `wt logs -f waits`
    ");
    shop.wt(&["stop", "--all"]).ok();
}
