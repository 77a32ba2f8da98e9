//! What each task may take of the machine, by the settings.

use crate::domain::resources::Resources;
use crate::store::config::{Config, Origin};

impl Config {
    /// What each task may take of the machine. A repository asks for no more than the user grants:
    /// `own` is what holds without it.
    pub fn resources(&self, own: &Resources) -> Resources {
        let said = self.settings.resources;
        let repository = |key| matches!(self.origin(key), Some(Origin::Repository(_)));
        let least = |own: Option<u64>, said: Option<u64>| own.into_iter().chain(said).min();
        let mut held = said;
        if repository("resources.nice") {
            held.nice = own.nice.max(said.nice);
        }
        if repository("resources.memory") {
            held.memory = least(own.memory, said.memory);
        }
        if repository("resources.processes") {
            held.processes = least(own.processes, said.processes);
        }
        if repository("resources.by") {
            held.by = own.by;
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::config::{text_layer, variable_layers};
    use crate::store::environment::Environment;

    #[test]
    fn a_repository_only_lowers_what_a_task_may_take() {
        let own = text_layer(
            "[resources]\nnice = 5\nmemory = \"8GB\"\nprocesses = 500",
            Origin::User("f".into()),
        )
        .unwrap();
        let joined = |text: &str, variables: &[(&str, &str)]| {
            let repo = text_layer(text, Origin::Repository("wt.toml".into())).unwrap();
            let environment = Environment::of(variables.iter().copied(), "/");
            let mut layers = vec![own.clone(), repo];
            layers.extend(variable_layers(&environment).unwrap());
            let mine = Config::join([own.clone()]).unwrap().settings.resources;
            let held = Config::join(layers).unwrap().resources(&mine);
            (held.nice, held.memory.map(|bytes| bytes / 1_000_000), held.processes)
        };
        assert_eq!(joined("", &[]), (5, Some(8_000), Some(500)));
        let less = "[resources]\nnice = 9\nmemory = \"2GB\"\nprocesses = 90";
        assert_eq!(joined(less, &[]), (9, Some(2_000), Some(90)));
        let more = "[resources]\nnice = 0\nmemory = \"none\"\nprocesses = 9000\nby = \"process\"";
        assert_eq!(joined(more, &[]), (5, Some(8_000), Some(500)));
        let mine = [("WT_RESOURCES_MEMORY", "16GB"), ("WT_RESOURCES_PROCESSES", "600")];
        assert_eq!(joined(less, &mine), (9, Some(16_000), Some(600)));
    }
}
