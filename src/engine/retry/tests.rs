//! The decisions one by one, and all of them against a simple model.

use proptest::prelude::*;

use super::*;
use crate::agents::role::Roles;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rules(retries: u32, park: bool) -> Rules {
    Rules { retries, backoff_ms: 30_000, park, limit_s: Some(1800), end_stalled: false }
}

fn case(class: FailureClass, past: &[Again]) -> Case<'_> {
    Case {
        class,
        why: "it broke",
        rules: rules(2, false),
        past,
        speaks: true,
        resumable: true,
        reset_at: None,
        random: 0,
        now: at(1000),
    }
}

fn plan(case: &Case<'_>) -> Plan {
    match decide(case) {
        Next::Again(plan) => plan,
        Next::Person => panic!("nothing follows {case:?}"),
    }
}

fn made(how: Manner, class: FailureClass) -> Again {
    Again { how, nth: 1, of: 2, class, why: String::new(), base: None }
}

#[test]
fn a_hiccup_is_tried_again_after_pauses_that_double_and_the_second_time_with_its_history() {
    let first = plan(&case(FailureClass::Transient, &[]));
    assert_eq!((first.not_before, first.words), (at(1030), Words::Same));
    assert_eq!((first.again.nth, first.again.of, first.kind), (1, 2, AttemptKind::Retry));
    let past = [first.again];
    let second = plan(&case(FailureClass::Transient, &past));
    assert_eq!((second.not_before, second.words), (at(1060), Words::SameAndHistory));
    let past = [past[0].clone(), second.again];
    assert_eq!(decide(&case(FailureClass::Transient, &past)), Next::Person);
    let other = Case { rules: rules(1, false), ..case(FailureClass::Transient, &past[..1]) };
    assert_eq!(decide(&other), Next::Person, "the maximum is the role's");
}

#[test]
fn jitter_adds_at_most_a_quarter() {
    let most = Case { random: 7500, ..case(FailureClass::Transient, &[]) };
    assert_eq!(plan(&most).not_before, at(1037) + SignedDuration::from_millis(500));
    let around = Case { random: 7501, ..most };
    assert_eq!(plan(&around).not_before, at(1030));
}

#[test]
fn more_time_each_time() {
    let first = plan(&case(FailureClass::TimedOut, &[]));
    assert_eq!((first.times, first.not_before), (2, at(1000)));
    let past = [first.again];
    assert_eq!(plan(&case(FailureClass::Stalled, &past)).times, 3);
    assert_eq!(plan(&case(FailureClass::Transient, &past)).times, 2, "what it had it keeps");
}

#[test]
fn what_is_missing_is_asked_for_once() {
    let class = FailureClass::VerifyFailed;
    let first = plan(&case(class, &[]));
    assert_eq!((first.kind, first.words), (AttemptKind::FollowUp, Words::Missing));
    let past = [first.again];
    assert_eq!(decide(&case(class, &past)), Next::Person);
    assert_ne!(decide(&case(FailureClass::MissingContext, &past)), Next::Person);
    let forgetful = Case { resumable: false, ..case(class, &[]) };
    assert_eq!(plan(&forgetful).words, Words::SameAndMissing);
    let command = Case { speaks: false, ..case(class, &[]) };
    assert_eq!(decide(&command), Next::Person, "a command reads no words");
}

#[test]
fn a_limit_is_waited_for_only_when_asked_and_not_for_ever() {
    let class = FailureClass::Limit;
    assert_eq!(decide(&case(class, &[])), Next::Person);
    let park = Case { rules: rules(0, true), reset_at: Some(at(5000)), ..case(class, &[]) };
    assert_eq!(plan(&park).not_before, at(5000));
    assert_eq!(plan(&Case { reset_at: Some(at(1)), ..park }).not_before, at(1000));
    assert_eq!(plan(&Case { reset_at: None, ..park }).not_before, at(1000 + 3600));
    let far = Case { reset_at: Some(at(1000 + 86_401)), ..park };
    assert_eq!(decide(&far), Next::Person);
    let often = vec![made(Manner::Parked, class); PARKED_MAX as usize];
    assert_eq!(decide(&Case { past: &often, ..park }), Next::Person);
    let other = Case { past: &often, rules: rules(2, true), ..case(FailureClass::Transient, &[]) };
    assert_eq!(plan(&other).again.nth, 1, "parked ones are counted apart");
}

#[test]
fn what_was_parked_goes_on_only_over_the_same_base() {
    let parked =
        Again { base: Some("aaaaaaaa".into()), ..made(Manner::Parked, FailureClass::Limit) };
    assert_eq!(may_go_on(Some(&parked), Some("aaaaaaaa")), Ok(()));
    let moved = may_go_on(Some(&parked), Some("bbbbbbbb")).unwrap_err();
    assert_eq!(moved, "its base moved from aaaaaaa to bbbbbbb while it was parked");
    assert!(may_go_on(Some(&parked), None).is_err());
    assert_eq!(may_go_on(None, None), Ok(()));
}

#[test]
fn the_role_and_the_settings_both_have_a_say() {
    let roles = Roles::built_in();
    let engineer = roles.get("engineer").unwrap();
    let settings = RetrySettings { max: 5, backoff: Duration::from_secs(30), park: false };
    let of = |settings: &RetrySettings, asked| super::rules(engineer, settings, asked);
    let usual = of(&settings, Asked::default());
    assert_eq!(
        usual,
        Rules {
            retries: 2,
            backoff_ms: 30_000,
            park: false,
            limit_s: Some(1800),
            end_stalled: false
        }
    );
    let none = RetrySettings { max: 0, ..settings.clone() };
    assert_eq!(of(&none, Asked::default()).retries, 0);
    let command = of(&settings, Asked { is_command: true, park: true, timeout: None });
    assert_eq!((command.backoff_ms, command.limit_s, command.park), (2000, None, true));
    let timeout = Some(Duration::from_secs(90));
    assert_eq!(of(&settings, Asked { timeout, ..Asked::default() }).limit_s, Some(90));
}

fn classes() -> impl Strategy<Value = FailureClass> {
    use FailureClass as F;
    prop::sample::select(vec![
        F::Auth,
        F::Transient,
        F::Limit,
        F::MissingContext,
        F::DeliverableMissing,
        F::VerifyFailed,
        F::TimedOut,
        F::Stalled,
        F::Crash,
        F::SetupFailed,
        F::Permanent,
    ])
}

/// The model: what may happen to a chain of failures, counted by hand.
#[derive(Default)]
struct Model {
    made: u32,
    parked: u32,
    longer: u32,
    corrected: Vec<FailureClass>,
}

impl Model {
    /// Whether one more follows such a failure.
    fn follows(&mut self, class: FailureClass, rules: Rules, speaks: bool) -> bool {
        use FailureClass as F;
        if class == F::Limit {
            self.parked += 1;
            return rules.park && self.parked <= PARKED_MAX;
        }
        let corrective =
            matches!(class, F::MissingContext | F::DeliverableMissing | F::VerifyFailed);
        let worth = matches!(class, F::Transient | F::TimedOut | F::Stalled)
            || speaks && (class == F::Crash || corrective && !self.corrected.contains(&class));
        self.made += 1;
        self.longer += u32::from(matches!(class, F::TimedOut | F::Stalled));
        if corrective {
            self.corrected.push(class);
        }
        worth && self.made <= rules.retries
    }
}

proptest! {
    #[test]
    fn a_chain_of_failures_ends_as_the_model_says(
        failures in prop::collection::vec(classes(), 1..30),
        (retries, park, speaks, resumable) in (0u32..4, any::<bool>(), any::<bool>(), any::<bool>()),
        randoms in prop::collection::vec(any::<u64>(), 30),
    ) {
        let (mut past, mut model) = (vec![], Model::default());
        let mut now = at(0);
        for (class, random) in failures.into_iter().zip(randoms) {
            let rules = rules(retries, park);
            let next = decide(&Case {
                rules, speaks, resumable, random, now, ..case(class, &past)
            });
            let follows = model.follows(class, rules, speaks);
            let Next::Again(plan) = next else {
                prop_assert!(!follows, "{class:?} after {past:?}");
                return Ok(());
            };
            prop_assert!(follows, "{class:?} after {past:?}");
            prop_assert!(plan.not_before >= now);
            prop_assert!((1..=3).contains(&plan.times));
            prop_assert_eq!(plan.times, (1 + model.longer).min(3));
            if plan.again.how == Manner::Retry {
                let pause = plan.not_before.duration_since(now).as_millis();
                let least = 30_000 * (1 << (plan.again.nth - 1));
                prop_assert!((least..=least + least / 4).contains(&pause), "{pause}");
            }
            prop_assert_eq!(plan.kind == AttemptKind::FollowUp, plan.words == Words::Missing);
            now = plan.not_before;
            past.push(plan.again);
        }
        prop_assert!(past.len() <= (retries + PARKED_MAX) as usize, "never for ever");
    }

    #[test]
    fn the_same_case_is_decided_the_same_way(class in classes(), random in any::<u64>()) {
        let one = Case { random, ..case(class, &[]) };
        prop_assert_eq!(decide(&one), decide(&one));
    }
}
