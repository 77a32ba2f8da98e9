//! Roles: what an agent is told besides the person's words, and what is expected of it.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::time::Duration;

use serde::Deserialize;

use crate::agents::template::TemplateError;
use crate::domain::budget::Allowance;
use crate::domain::problem::Problem;
use crate::domain::written;

/// The built-in roles, by name.
const BUILT_IN: [(&str, &str); 2] = [
    ("engineer", include_str!("../../templates/roles/engineer.toml")),
    ("explorer", include_str!("../../templates/roles/explorer.toml")),
];

/// One role: `templates/roles/<name>.toml`, or the user's file of that name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The name it is chosen by.
    #[serde(skip)]
    pub name: String,
    /// What it does, in a few words.
    pub about: String,
    /// Said first: who the agent is and what it must not do.
    #[serde(default)]
    pub preamble: String,
    /// Said after the person's words: how to go about it.
    #[serde(default)]
    pub investigation: String,
    /// Said last: what to leave and to answer.
    #[serde(default)]
    pub output: String,
    /// The agent for it, unless another is asked for.
    #[serde(default)]
    pub agent: Option<String>,
    /// The model for it, unless another is asked for.
    #[serde(default)]
    pub model: Option<String>,
    /// How much each of its tasks may use, unless another budget is given.
    #[serde(default)]
    pub budget: Option<Allowance>,
    /// Whether it may write; without, it is never given more than reading.
    pub write: bool,
    /// What must be there when it ends.
    #[serde(default)]
    pub deliverables: Vec<Deliverable>,
    /// How often at most it is tried again without anybody asking.
    #[serde(default = "one")]
    pub retries: u32,
    /// How long it may take, unless another time is asked for.
    #[serde(default, deserialize_with = "written::maybe::deserialize")]
    pub timeout: Option<Duration>,
    /// Whether it is ended when it has said nothing for too long, and then tried again as one that
    /// ran out of time.
    #[serde(default)]
    pub end_stalled: bool,
    /// The command for `sh -c` that must pass after it ended well, unless another is asked for.
    #[serde(default)]
    pub verify: Option<String>,
}

fn one() -> u32 {
    1
}

/// Something that a role promises.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Deliverable {
    /// `change`: a change in its worktree.
    Change,
    /// `answer`: final words.
    Answer,
    /// `file:PATH`: a file, from where it works.
    File(String),
}

impl TryFrom<String> for Deliverable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "change" => return Ok(Self::Change),
            "answer" => return Ok(Self::Answer),
            _ => {}
        }
        let path = text.strip_prefix("file:").map(Path::new);
        let inside = |path: &&Path| {
            path.components().next().is_some()
                && path.components().all(|part| matches!(part, Component::Normal(_)))
        };
        match path.filter(inside) {
            Some(path) => Ok(Self::File(path.display().to_string())),
            None => Err(format!("`{text}` is none of `change`, `answer`, `file:PATH`")),
        }
    }
}

impl Role {
    /// How long it may take: what its file says, else the usual time for a role of its name.
    pub fn limit(&self) -> Duration {
        let minutes = match self.name.as_str() {
            "planner" => 15,
            "engineer" | "implementer" => 30,
            "cleaner" => 10,
            _ => 20,
        };
        self.timeout.unwrap_or(Duration::from_secs(minutes * 60))
    }

    /// True when its worktree must hold a change in the end.
    pub fn needs_change(&self) -> bool {
        self.deliverables.contains(&Deliverable::Change)
    }

    /// What the agent is told at the start of a session: the person's words between the role's.
    pub fn prompt(&self, words: &str) -> String {
        let task = format!("The task, in the words of the person who gave it:\n\n{}", words.trim());
        let parts =
            [self.preamble.trim(), task.as_str(), self.investigation.trim(), self.output.trim()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let mut prompt = parts.join("\n\n");
        prompt.push('\n');
        prompt
    }
}

/// Every role by name; a broken file stands in its name's place as its error.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    roles: BTreeMap<String, Result<Role, TemplateError>>,
}

impl Roles {
    /// The built-in roles alone.
    pub fn built_in() -> Self {
        let parse = |&(name, text): &(&str, &str)| {
            (name.to_owned(), parse(name, &format!("templates/roles/{name}.toml"), text))
        };
        Self { roles: BUILT_IN.iter().map(parse).collect() }
    }

    /// The built-in roles, and those of `<config_dir>/roles/*.toml`, which add or override.
    pub fn load(config_dir: &Path) -> Self {
        let mut roles = Self::built_in();
        for (name, path) in crate::agents::registry::user_files(&config_dir.join("roles")) {
            let role = crate::agents::registry::read(&path)
                .and_then(|text| parse(&name, &path.display().to_string(), &text));
            roles.roles.insert(name, role);
        }
        roles
    }

    /// The role of a name.
    ///
    /// # Errors
    /// A [`Problem`] that names the known roles, or what is wrong with the user's file.
    pub fn get(&self, name: &str) -> Result<&Role, Problem> {
        match self.roles.get(name) {
            Some(Ok(role)) => Ok(role),
            Some(Err(error)) => {
                let hint = format!("mend `{}`, or remove it to use what is built in", error.file);
                Err(Problem::usage(format!("role: {error}")).hint(hint))
            }
            None => {
                let known: Vec<&str> = self.names().collect();
                Err(Problem::usage(format!("there is no role `{name}`"))
                    .detail(format!("known roles: {}", known.join(", "))))
            }
        }
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }
}

fn parse(name: &str, file: &str, text: &str) -> Result<Role, TemplateError> {
    let mut role: Role = TemplateError::parse(file, text)?;
    name.clone_into(&mut role.name);
    Ok(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_words_stand_between_the_roles() {
        let roles = Roles::built_in();
        let prompt = roles.get("engineer").unwrap().prompt("  Make it dark.\n");
        let place = |part: &str| prompt.find(part).unwrap_or_else(|| panic!("{part}: {prompt}"));
        assert!(place("You are an engineer") < place("Make it dark."));
        assert!(place("Make it dark.") < place("what is left open"));
        assert!(!prompt.contains("\\\n") && !prompt.contains("\n\n\n"), "{prompt}");
        assert!(roles.get("engineer").unwrap().needs_change());
    }

    #[test]
    fn a_role_may_promise_a_file_in_its_worktree() {
        let of = |text: &str| Deliverable::try_from(text.to_owned());
        assert_eq!(of("file:docs/plan.md"), Ok(Deliverable::File("docs/plan.md".into())));
        for bad in ["file:", "file:../x", "file:/etc/passwd", "essay"] {
            assert!(of(bad).unwrap_err().contains("`answer`"), "{bad}");
        }
    }

    #[test]
    fn times_and_retries_are_the_roles_own_or_the_usual() {
        let role = |name, text| parse(name, "x.toml", text).unwrap();
        let minutes = |role: Role| role.limit().as_secs() / 60;
        let plain = "about = 'x'\nwrite = false\n";
        assert_eq!(minutes(role("planner", plain)), 15);
        assert_eq!(minutes(role("cleaner", plain)), 10);
        assert_eq!(minutes(role("auditor", plain)), 20);
        assert_eq!(minutes(role("poet", "about = 'x'\nwrite = false\ntimeout = '1h'\n")), 60);
        assert_eq!(role("poet", plain).retries, 1);
        assert_eq!(Roles::built_in().get("engineer").unwrap().retries, 2);
    }

    #[test]
    fn an_unknown_role_names_the_known_ones_and_a_users_file_counts() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("roles")).unwrap();
        let mine = "about = 'mine'\nwrite = false\n";
        std::fs::write(dir.path().join("roles/poet.toml"), mine).unwrap();
        std::fs::write(dir.path().join("roles/bad.toml"), "about = 'x'\nwrite = 3\n").unwrap();
        let roles = Roles::load(dir.path());
        assert_eq!(
            roles.get("poet").unwrap().prompt("x"),
            "The task, in the words of the person who gave it:\n\nx\n"
        );
        let error = roles.get("wizard").unwrap_err();
        assert_eq!(error.details, ["known roles: bad, engineer, explorer, poet"]);
        let error = roles.get("bad").unwrap_err();
        assert!(error.message.contains("line 2"), "{error}");
    }
}
