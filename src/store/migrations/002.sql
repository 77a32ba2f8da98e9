-- Syncs that stopped at conflicts, which wait in the variants' own worktrees; at most one for each.
CREATE TABLE syncs (
    variant     INTEGER PRIMARY KEY REFERENCES variants (key),
    repo        TEXT NOT NULL REFERENCES repos (id),
    data        TEXT NOT NULL,          -- JSON: what is brought in, and where the branch stood
    created_at  INTEGER NOT NULL
) STRICT;
