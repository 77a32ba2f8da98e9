//! What the real programs use: its sums are those that the server counted, and a budget ends them.

use wt::domain::usage::Tokens;

use crate::isolation::isolated;
use crate::launch::{AGENTS, both};
use crate::support::fake_model::{Mode, TURN1};
use crate::support::wait::wait_until;
use crate::world::World;

#[test]
fn the_sums_are_those_that_were_served() {
    isolated(module_path!(), "the_sums_are_those_that_were_served", &AGENTS, || {
        let world = World::of(&AGENTS, Mode::Ok);
        let repo = world.env.at(&world.dir);
        for agent in AGENTS {
            let args = ["spawn", agent, "-", "--agent", agent];
            world.env.wt_fed(&world.dir, &args, "--write hello.txt").ok();
        }
        repo.wt(&["wait", "claude", "codex", "opencode", "--timeout", "60s"]).ok();
        let told = repo.wt(&["budget", "--json"]).ok().json();
        let served = both();
        let count = AGENTS.len() as u64;
        assert_eq!(told["spent"]["tokens"], count * served.billable());
        assert_eq!(told["spent"]["cache_read"], count * served.cache_read);
        assert_eq!(told["spent"]["certainty"], "exact");
        for agent in told["agents"].as_array().unwrap() {
            let spent = &agent["spent"];
            let number = |kind: &str| spent[kind].as_u64().unwrap();
            let tokens = Tokens {
                input: number("input"),
                cache_read: number("cache_read"),
                cache_write: number("cache_write"),
                output: number("output"),
            };
            assert_eq!(tokens, served, "{}", agent["name"]);
        }
        // codex tells no cost, nor which model it was: what is known of the sum is a part.
        assert_eq!(told["spent"]["cost_from"], "part");
    });
}

#[test]
fn claude_is_ended_in_a_tool_by_its_budget() {
    isolated(module_path!(), "claude_is_ended_in_a_tool_by_its_budget", &["claude"], || {
        let world = World::new("claude", Mode::SleepTool);
        let repo = world.env.at(&world.dir);
        let budget = (TURN1.input + TURN1.cache_write).to_string();
        let args = ["spawn", "greeting", "-", "--agent", "claude", "--budget", &budget];
        world.env.wt_fed(&world.dir, &args, "--write hello.txt").ok();
        let now = || repo.wt(&["status", "greeting", "--json"]).ok().json();
        wait_until("its budget ends it", || now()["state"] == "cancelled");
        let now = now();
        assert_eq!(now["reason"], format!("stopped: its budget of {budget} tokens"));
        assert_eq!(now["spent"]["output"], TURN1.output, "interrupted first, it still told");
        assert_eq!(now["spent"]["certainty"], "exact");
    });
}
