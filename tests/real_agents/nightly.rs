//! gemini and qwen, which need Node and are slow to give up: not installed with the others, tried
//! where they are (`npm install --prefix "$WT_AGENTS_DIR" @google/gemini-cli@0.61.0
//! @qwen-code/qwen-code@0.24.4`).

use wt::agents::render::Session;
use wt::domain::attempt::Exit;
use wt::domain::settings::Permissions;
use wt::domain::task::{FailureClass, TaskState};
use wt::domain::usage::Tokens;

use crate::isolation::isolated;
use crate::support::fake_model::{FINAL, Mode, SIDE, TURN1, TURN2};
use crate::world::World;

const NEW: Session = Session::New("11111111-2222-4333-8444-555555555555");

#[test]
fn gemini_is_metered_with_its_router_and_its_thoughts() {
    isolated(
        module_path!(),
        "gemini_is_metered_with_its_router_and_its_thoughts",
        &["gemini"],
        || {
            let world = World::new("gemini", Mode::Ok);
            let first = world.run(&world.rendered("--write hello.txt", NEW, Permissions::Work));
            assert_eq!(first.verdict.state, TaskState::Done, "{:?}", first.verdict);
            let tokens = Tokens {
                input: TURN1.input + TURN2.input + SIDE.input,
                cache_read: TURN1.cache_read + TURN2.cache_read,
                cache_write: 0,
                output: TURN1.output + TURN2.output + TURN1.thinking + TURN2.thinking + SIDE.output,
            };
            assert_eq!(first.report.usage.tokens, tokens);
            let session = first.report.session.unwrap();
            let again = world.rendered("--again", Session::Resume(&session), Permissions::Work);
            let second = world.run(&again);
            assert_eq!(second.verdict.state, TaskState::Done, "{:?}", second.verdict);
            assert_eq!(second.report.session.as_deref(), Some(session.as_str()));
            assert_eq!(
                second.report.usage.tokens.input,
                TURN2.input + SIDE.input,
                "this run alone"
            );
        },
    );
}

#[test]
fn qwen_is_metered_alone_after_a_resume() {
    isolated(module_path!(), "qwen_is_metered_alone_after_a_resume", &["qwen"], || {
        let world = World::new("qwen", Mode::Ok);
        let first = world.run(&world.rendered("--write hello.txt", NEW, Permissions::Work));
        assert_eq!(first.verdict.state, TaskState::Done, "{:?}", first.verdict);
        assert_eq!(first.report.final_text.as_deref(), Some(FINAL));
        let session = first.report.session.unwrap();
        let mut again = world.rendered("--again", Session::Resume(&session), Permissions::Work);
        again.spec.baseline = first.report.cumulative.unwrap();
        let before = calls(&world);
        let second = world.run(&again);
        let made = u64::try_from(calls(&world) - before).unwrap();
        assert_eq!(second.verdict.state, TaskState::Done, "{:?}", second.verdict);
        assert_eq!(second.report.usage.tokens.input, made * TURN2.input, "what the server served");
    });
}

fn calls(world: &World) -> usize {
    world.model.requests().iter().filter(|request| request.is_model_call()).count()
}

#[test]
fn reading_alone_and_refused_keys_are_what_they_are() {
    isolated(
        module_path!(),
        "reading_alone_and_refused_keys_are_what_they_are",
        &["gemini", "qwen"],
        || {
            for (agent, code) in [("gemini", 145), ("qwen", 1)] {
                let world = World::new(agent, Mode::Ok);
                let run = world.run(&world.rendered("write hello.txt", NEW, Permissions::Read));
                assert_eq!(run.verdict.reason, "no changes", "{agent}: {:?}", run.verdict);
                let world = World::new(agent, Mode::Status(401));
                let run = world.run(&world.rendered("write hello.txt", NEW, Permissions::Work));
                assert_eq!(
                    run.verdict.failure,
                    Some(FailureClass::Auth),
                    "{agent}: {:?}",
                    run.verdict
                );
                assert_eq!(run.exit, Exit::Code { code }, "{agent}");
            }
        },
    );
}
