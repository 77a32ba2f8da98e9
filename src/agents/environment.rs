//! Which of the caller's environment variables an agent gets.
//!
//! Their values travel apart from everything that is kept (see the store's environment file), so
//! only those go along that tools commonly need, and those that the agent's template names.

use std::ffi::OsStr;

use crate::agents::template::Template;
use crate::store::environment::Environment;

/// What any program may need: who and where the user is, how to reach things, and where the
/// toolchains are that the agent's commands will call.
const COMMON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TMPDIR",
    "TEMP",
    "TMP",
    "XDG_*",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GPG_TTY",
    "GNUPGHOME",
    "GIT_AUTHOR_*",
    "GIT_COMMITTER_*",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "EMAIL",
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_*",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NVM_*",
    "FNM_*",
    "VOLTA_HOME",
    "PNPM_HOME",
    "BUN_INSTALL",
    "DENO_*",
    "COREPACK_*",
    "npm_config_*",
    "NPM_CONFIG_*",
    "CARGO_*",
    "RUSTUP_*",
    "RUSTFLAGS",
    "RUST_*",
    "SCCACHE_*",
    "GOPATH",
    "GOROOT",
    "GOBIN",
    "GOCACHE",
    "GOFLAGS",
    "GOPROXY",
    "GOPRIVATE",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "JDK_HOME",
    "MAVEN_*",
    "GRADLE_*",
    "ANDROID_*",
    "PYENV_*",
    "PYTHON*",
    "VIRTUAL_ENV",
    "CONDA_*",
    "UV_*",
    "PIP_*",
    "POETRY_*",
    "PIPX_*",
    "RBENV_*",
    "GEM_*",
    "BUNDLE_*",
    "RUBY*",
    "COMPOSER_*",
    "DOTNET_*",
    "NUGET_*",
    "ASDF_*",
    "MISE_*",
    "RTX_*",
    "DIRENV_*",
    "NIX_*",
    "IN_NIX_SHELL",
    "LD_LIBRARY_PATH",
    "PKG_CONFIG_*",
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
    "MAKEFLAGS",
    "DOCKER_*",
    "COMPOSE_*",
    "BUILDKIT_*",
    "KUBECONFIG",
    "WSL_*",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "PLAYWRIGHT_*",
    "PUPPETEER_*",
    "CHROME_*",
    "CI",
];

/// What no agent gets, whatever its template says: it would bind git to another repository, or the
/// agent to the attempt that `wt` itself was called from.
const NEVER: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_*",
    "GIT_CONFIG_VALUE_*",
    "GIT_CONFIG_PARAMETERS",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "GIT_EXEC_PATH",
    "WT_*",
    "CLAUDECODE",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
];

/// The variables that an agent of this template gets, sorted by name.
pub fn passed<'e>(
    template: &Template,
    environment: &'e Environment,
) -> Vec<(&'e OsStr, &'e OsStr)> {
    let wanted = |(name, _): &(&OsStr, &OsStr)| {
        name.to_str().is_some_and(|name| passes(&template.pass, name))
    };
    environment.variables().filter(wanted).collect()
}

/// Whether a variable is passed: common or named by the template, taken away by neither.
fn passes(pass: &[String], name: &str) -> bool {
    let any = |globs: &[&str]| globs.iter().any(|glob| matches(glob, name));
    let named = pass.iter().any(|glob| !glob.starts_with('!') && matches(glob, name));
    let taken = pass.iter().filter_map(|glob| glob.strip_prefix('!')).any(|g| matches(g, name));
    (any(COMMON) || named) && !taken && !any(NEVER)
}

/// A glob with at most one `*`, which stands for any text.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    match glob.split_once('*') {
        None => glob == text,
        Some((before, after)) => {
            text.len() >= before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::registry::Registry;

    fn names(agent: &str) -> Vec<String> {
        let all = [
            "PATH",
            "HOME",
            "LC_ALL",
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "DATABASE_PASSWORD",
            "GIT_DIR",
            "WT_ATTEMPT",
            "CLAUDECODE",
            "CLAUDE_CODE_SSE_PORT",
            "GIT_AUTHOR_NAME",
            "http_proxy",
        ];
        let environment = Environment::of(all.map(|name| (name, "x")), "/");
        let registry = Registry::built_in();
        let passed = passed(registry.get(agent).unwrap(), &environment);
        passed.iter().map(|(name, _)| name.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn an_agent_gets_its_own_keys_and_no_other_secret() {
        let common = ["GIT_AUTHOR_NAME", "HOME", "LC_ALL", "PATH", "http_proxy"];
        assert_eq!(names("scripted"), common);
        let claude = names("claude");
        assert!(claude.contains(&"ANTHROPIC_API_KEY".to_owned()));
        for never in ["OPENAI_API_KEY", "GITHUB_TOKEN", "DATABASE_PASSWORD", "CLAUDE_CODE_SSE_PORT"]
        {
            assert!(!claude.contains(&never.to_owned()), "{never}");
        }
    }

    #[test]
    fn a_plain_command_sees_what_the_users_commands_see_but_for_what_binds() {
        let plain = names("plain");
        assert!(plain.contains(&"DATABASE_PASSWORD".to_owned()));
        for never in ["GIT_DIR", "WT_ATTEMPT", "CLAUDECODE"] {
            assert!(!plain.contains(&never.to_owned()), "{never}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (glob, text, fits) in [
            ("LC_*", "LC_ALL", true),
            ("LC_*", "LC_", true),
            ("*_KEY", "A_KEY", true),
            ("A*A", "A", false),
            ("*", "", true),
            ("CC", "CCX", false),
        ] {
            assert_eq!(matches(glob, text), fits, "{glob} {text}");
        }
    }
}
