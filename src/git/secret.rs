//! What looks like a secret: names that hold one by custom, and texts in the form of a known key.

use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::RegexSet;

/// Endings and whole names that hold keys by custom, in lower case.
const ENDINGS: &[&str] =
    &[".pem", ".p12", ".pfx", ".p8", ".ppk", ".jks", ".keystore", ".kdbx", ".key", ".tfstate"];
const NAMES: &[&str] = &[
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_ecdsa_sk",
    "id_ed25519_sk",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".pgpass",
    ".pypirc",
    ".htpasswd",
    ".dev.vars",
    "credentials.json",
    "client_secret.json",
    "auth.json",
];
/// What follows `.env.` in a file that is made to be shared.
const SHARED_ENV: &[&str] = &["example", "sample", "template", "dist", "defaults", "schema"];

/// What each form of key is called, and how its text looks: the issuers' published prefixes.
const FORMS: &[(&str, &str)] = &[
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a private key", r"PuTTY-User-Key-File-[0-9]"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("a GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{40,}\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_\-]{20,}"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9\-]{10,}|\bxapp-[0-9]-[A-Za-z0-9\-]{10,}"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_\-]{35}"),
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_\-]{20,}"),
    ("an OpenAI key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_\-]*[A-Za-z0-9]{32,}"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS[A-Za-z0-9_\-]{40,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}\b"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
];

/// True when a file of this name holds secrets by custom. Only the last part of the path counts.
pub fn named(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy().to_ascii_lowercase();
    if let Some(rest) = name.strip_prefix(".env") {
        let kind = rest.rsplit('.').next().unwrap_or("");
        let shared = rest.starts_with('.') && SHARED_ENV.contains(&kind);
        return !shared && (rest.is_empty() || rest.starts_with(['.', '-', '_']));
    }
    NAMES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What known forms of keys a text holds, each once: `a GitHub token`.
pub fn held(text: &[u8]) -> Vec<&'static str> {
    static SET: LazyLock<Option<RegexSet>> =
        LazyLock::new(|| RegexSet::new(FORMS.iter().map(|(_, form)| format!("(?-u){form}"))).ok());
    let Some(set) = &*SET else { return vec![] };
    let mut found: Vec<_> = set.matches(text).iter().map(|form| FORMS[form].0).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hold_keys_by_custom() {
        for secret in [
            ".env",
            "a/.env.local",
            ".ENV",
            "srv.pem",
            "id_rsa",
            ".env.prod",
            "x/tls.key",
            ".netrc",
        ] {
            assert!(named(Path::new(secret)), "{secret}");
        }
        for open in
            [".env.example", ".environment.md", "id_rsa.pub", "env.rs", "keys.rs", "a.pem/x"]
        {
            assert!(!named(Path::new(open)), "{open}");
        }
    }

    #[test]
    fn every_form_compiles_and_finds_its_key() {
        let z = |n: usize| "z".repeat(n);
        let keys = [
            ("a private key", format!("x\n-----BEGIN OPENSSH {} KEY-----\n", "PRIVATE")),
            ("a private key", format!("-----BEGIN PGP {} KEY BLOCK-----", "PRIVATE")),
            ("an AWS access key", format!("key = {}{}", "AKIA", "QYLPMN5HFIEXAMPL")),
            ("a GitHub token", format!("ghp_{}", z(36))),
            ("a GitHub token", format!("github_pat_{}", z(50))),
            ("a GitLab token", format!("glpat-{}", z(20))),
            ("a Slack token", format!("xoxb-{}", z(20))),
            ("a Google API key", format!("AIza{}", z(35))),
            ("an OpenAI key", format!("\"sk-proj-{}\"", z(48))),
            ("a Stripe key", format!("sk_live_{}", z(24))),
            ("an npm token", format!("//registry/:_authToken=npm_{}", z(36))),
            ("a Hugging Face token", format!("hf_{}", z(34))),
        ];
        for (what, text) in keys {
            assert!(held(text.as_bytes()).contains(&what), "{what}: {text}");
        }
        assert_eq!(held(b"sk-learn, task-list, AKIA, ghp_short \xff\xfe"), Vec::<&str>::new());
    }
}
