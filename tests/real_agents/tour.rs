//! The main job with two real agents, as a person sees it: one idea in two variants, compared, the
//! better one merged, the other cleared away.

use crate::isolation::isolated;
use crate::support::fake_model::Mode;
use crate::world::World;

#[test]
fn one_idea_by_two_agents_compared_and_merged() {
    isolated(
        module_path!(),
        "one_idea_by_two_agents_compared_and_merged",
        &["claude", "codex"],
        || {
            let mut world = World::of(&["claude", "codex"], Mode::Ok);
            world.env.set("WT_TEST_NOW", "2026-11-21T10:00:00Z");
            world.env.set("TZ", "UTC");
            let shop = world.env.at(&world.dir);
            for agent in ["claude", "codex"] {
                let name = format!("hello-{agent}");
                let prompt = "Greet whoever reads hello.txt";
                let args = ["spawn", &name, prompt, "--agent", agent, "--idea", "hello"];
                let said = shop.wt(&args).ok();
                assert!(said.stdout.contains(agent), "{said}");
            }
            shop.wt(&["wait", "--all"]).ok();
            // A person adds a word of their own to one of them.
            let codex = world.env.at(world.env.dir().join("shop-worktrees/hello-codex"));
            codex.write("hello.txt", "hello, shop\n");
            insta::assert_snapshot!(*shop.wt(&["list"]).ok(), @r"
            VARIANT       STATE    CHANGES  MAIN  TOKENS   COST
            hello-claude  done [time]  1f +1    ↑1      3.1k  $0.02
            hello-codex   done [time]  1f +1    ↑1      3.1k      –
            ");
            insta::assert_snapshot!(*shop.wt(&["compare"]).ok(), @r"
            idea hello, the newest
            VARIANT       STATE  FILES  +/−  TOKENS   COST  WITH MAIN  CLAUDE  CODEX
            hello-claude  done       1  1/0    3.1k  $0.02  clean      ·       1 file
            hello-codex   done       1  1/0    3.1k      –  clean      1 file  ·
            overlap  hello.txt  (both)
            included uncommitted work of hello-codex (1 file)
            suggest  hello-claude or hello-codex: equal by all that is known (finished, clean with main, conflicts with 1 other, 1 line in 1 file)
            ");
            insta::assert_snapshot!(*shop.wt(&["diff", "hello-claude", "hello-codex"]).ok(), @r"
            diff --git a/hello.txt b/hello.txt
            index #######..####### 100644
            --- a/hello.txt
            +++ b/hello.txt
            @@ -1 +1 @@
            -hello from the scripted model
            +hello, shop
            ");
            insta::assert_snapshot!(*shop.wt(&["merge", "hello-claude"]).ok(), @r"
             hello.txt | 1 +
             1 file changed, 1 insertion(+), 0 deletions(−)
            ✓ merged
            next  wt cleanup --losers
            --- stderr ---
            Step 1  check     1 commit, 1 file, clean with main #######
            Step 2  merge     main #######..#######  fast-forward
            ");
            insta::assert_snapshot!(*shop.wt(&["merge", "hello-codex"]).code(3), @r#"
            --- stderr ---
            First   commit    1 uncommitted file of hello-codex
            ✗ 1 file conflicts with main #######; main untouched
              hello.txt:1–5
                main:        "hello from the scripted model"
                hello-codex: "hello, shop"
            1 yourself   cd "$(wt path hello-codex --merge)"; edit; wt merge --continue
            2 the agent  wt sync hello-codex --resolve
            3 one side   wt merge hello-codex --favor variant [-- PATH…]
            4 forget it  wt merge --abort
            [exit 3]
            "#);
            shop.wt(&["merge", "--abort"]).ok();
            insta::assert_snapshot!(*shop.wt(&["cleanup", "--losers", "--yes"]).ok(), @r"
            ✓ hello-codex  removed, branch feature/hello-codex deleted at #######
            it comes back until 21 Dec 2026 → wt restore hello-codex
            ");
            assert!(shop.has("hello.txt") && !codex.dir.exists());
        },
    );
}
