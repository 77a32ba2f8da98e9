//! What a tree or an index holds at a path.

/// A file's content and kind, as git keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version {
    /// In octal: `100644`, `100755`, `120000` (symbolic link) or `160000` (submodule).
    pub mode: String,
    /// The object, in hex.
    pub object: String,
}

impl Version {
    /// `None` for the mode that stands for nothing being there.
    pub fn of(mode: &str, object: &str) -> Option<Self> {
        (mode != "000000").then(|| Self { mode: mode.to_owned(), object: object.to_owned() })
    }

    /// A file, whether it may be run or not.
    pub fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }

    /// A file that may be run.
    pub fn is_executable(&self) -> bool {
        self.mode == "100755"
    }

    /// A symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode == "120000"
    }

    /// A submodule.
    pub fn is_submodule(&self) -> bool {
        self.mode == "160000"
    }
}
