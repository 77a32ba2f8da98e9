//! Every recorded stream, read and judged, against what `testdata/streams/expected.toml` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::agents::dialect::Reader;
use crate::agents::lines::LineSplitter;
use crate::agents::registry::Registry;
use crate::agents::template::Template;
use crate::domain::attempt::Exit;
use crate::domain::event::StreamReport;
use crate::domain::task::FailureClass;
use crate::domain::usage::{Certainty, MicroUsd, SessionTotals, Tokens, Usage};
use crate::engine::evidence::{Evidence, Verdict, judge};

/// What one stream must be read as.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    note: String,
    after: Option<String>,
    exits: Vec<String>,
    verdict: String,
    terminal: String,
    certainty: Certainty,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    cost: Option<u64>,
    session: Option<String>,
    model: Option<String>,
    #[serde(rename = "final")]
    final_text: Option<String>,
    final_contains: Option<String>,
    error: Option<String>,
    status: Option<u16>,
    class: Option<FailureClass>,
    #[serde(default)]
    denied: Vec<String>,
}

pub(super) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/streams")
}

fn expectations() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(directory().join("expected.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

/// The built-in template that a stream's name begins with.
pub(super) fn template(file: &str) -> Template {
    let agent = file.split('-').next().unwrap();
    Registry::built_in().get(agent).unwrap().clone()
}

/// A recorded stream, read as the named template says, after the baseline.
pub(super) fn read(file: &str, baseline: SessionTotals) -> StreamReport {
    let template = template(file);
    let mut reader = Reader::new(template.dialect, baseline, template.failures);
    let mut lines = LineSplitter::default();
    let bytes = std::fs::read(directory().join(file)).unwrap();
    for line in lines.push(&bytes).into_iter().chain(lines.finish()) {
        reader.line(&line.bytes);
    }
    reader.report().clone()
}

pub(super) fn judged(file: &str, report: &StreamReport, exit: &Exit) -> Verdict {
    let template = template(file);
    let stderr = Path::new(file).with_extension("stderr");
    let stderr = std::fs::read_to_string(directory().join(stderr)).unwrap_or_default();
    judge(&Evidence {
        dialect: template.dialect,
        report,
        exit,
        stderr_tail: &stderr,
        patterns: &template.failures,
        needs_change: true,
        changed: Some(true),
        stop: None,
        starved: None,
        blocked: None,
        missing: None,
        verify: None,
    })
}

fn exit(text: &str) -> Exit {
    match text.strip_prefix("signal ") {
        Some(signal) => Exit::Signal { signal: signal.parse().unwrap() },
        None => Exit::Code { code: text.parse().unwrap() },
    }
}

fn in_words(verdict: &Verdict) -> String {
    match verdict.failure {
        Some(class) => format!("{} {}", verdict.state.as_str(), class.as_str()),
        None => verdict.state.as_str().to_owned(),
    }
}

#[test]
fn every_recorded_stream_is_read_and_judged_as_written_down() {
    let expectations = expectations();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(directory()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file.ends_with(".stderr") || file == "expected.toml" {
            continue;
        }
        seen += 1;
        match expectations.get(&file) {
            Some(expected) => compare(&file, expected, &mut wrong),
            None => wrong.push(format!("{file}: no expectation is written down")),
        }
    }
    assert_eq!(seen, expectations.len(), "expectations without a stream");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(file: &str, expected: &Expected, wrong: &mut Vec<String>) {
    let before = expected.after.as_deref().map(|file| read(file, SessionTotals::default()));
    let baseline = before.and_then(|report| report.cumulative).unwrap_or_default();
    let report = read(file, baseline);
    let mut check = |what: &str, got: String, wanted: String| {
        if got != wanted {
            wrong.push(format!("{file}: {what} is {got}, not {wanted}"));
        }
    };
    let usage = Usage {
        tokens: Tokens {
            input: expected.input,
            cache_read: expected.cache_read,
            cache_write: expected.cache_write,
            output: expected.output,
        },
        cost: expected.cost.map(MicroUsd),
        certainty: expected.certainty,
        ..Usage::default()
    };
    check("usage", format!("{:?}", report.usage), format!("{usage:?}"));
    check("session", format!("{:?}", report.session), format!("{:?}", expected.session));
    check("model", format!("{:?}", report.model), format!("{:?}", expected.model));
    check("denied", format!("{:?}", report.denied), format!("{:?}", expected.denied));
    let terminal = match report.terminal {
        None => "none",
        Some(true) => "ok",
        Some(false) => "error",
    };
    check("terminal", terminal.to_owned(), expected.terminal.clone());
    match (&expected.final_contains, &report.final_text) {
        (Some(part), Some(text)) if text.contains(part.as_str()) => {}
        (_, text) => check("final", format!("{text:?}"), format!("{:?}", expected.final_text)),
    }
    let error = report.error.clone();
    let begins = error.as_ref().zip(expected.error.as_ref());
    if begins.is_none_or(|(error, wanted)| !error.message.contains(wanted.as_str())) {
        let message = error.as_ref().map(|error| error.message.clone());
        check("error", format!("{message:?}"), format!("{:?}", expected.error));
    }
    let status = error.as_ref().and_then(|error| error.status);
    check("status", format!("{status:?}"), format!("{:?}", expected.status));
    let class = error.map(|error| error.class);
    check("class", format!("{class:?}"), format!("{:?}", expected.class));
    for text in &expected.exits {
        let verdict = judged(file, &report, &exit(text));
        check(&format!("verdict of {text}"), in_words(&verdict), expected.verdict.clone());
    }
}
