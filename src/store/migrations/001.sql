-- Version 1. Times are milliseconds since 1970 (UTC), paths absolute, ids text.
-- Migrations only ever add (tables, columns with defaults, indexes): an older `wt` may still be
-- running against the same file.

CREATE TABLE repos (
    id          TEXT PRIMARY KEY,
    common_dir  TEXT NOT NULL UNIQUE,   -- what its worktrees share
    root        TEXT NOT NULL,          -- what relative settings count from
    name        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE variants (
    key            INTEGER PRIMARY KEY AUTOINCREMENT,
    repo           TEXT NOT NULL REFERENCES repos (id),
    name           TEXT NOT NULL,
    folded         TEXT NOT NULL,       -- the name under which it is unique
    branch         TEXT NOT NULL,
    path           TEXT NOT NULL,
    admin_dir      TEXT NOT NULL,
    base_branch    TEXT,
    fork_commit    TEXT NOT NULL,
    idea           TEXT,
    idea_suggested INTEGER NOT NULL DEFAULT 0,
    state          TEXT NOT NULL,
    made_branch    INTEGER NOT NULL,
    made_worktree  INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    merged_into    TEXT,
    merged_commit  TEXT,
    merged_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX variants_present ON variants (repo, folded)
    WHERE state IN ('creating', 'ready', 'removing');
CREATE INDEX variants_by_path ON variants (path);

-- What cleanup put aside, one row for each variant in the trash.
CREATE TABLE trash (
    variant     INTEGER PRIMARY KEY REFERENCES variants (key),
    path        TEXT NOT NULL,          -- where the worktree is now
    commit_id   TEXT NOT NULL,          -- where its branch stood
    backup_ref  TEXT,                   -- keeps its objects alive
    removed_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE tasks (
    id          TEXT PRIMARY KEY,
    repo        TEXT NOT NULL REFERENCES repos (id),
    variant     INTEGER REFERENCES variants (key),
    role        TEXT NOT NULL,
    agent       TEXT NOT NULL,
    model       TEXT,
    prompt      TEXT NOT NULL,
    lane        TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT,
    failure     TEXT,
    question    TEXT,
    changed     INTEGER,
    verify      TEXT,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    ended_at    INTEGER
) STRICT;
CREATE INDEX tasks_by_state ON tasks (state);
CREATE INDEX tasks_by_variant ON tasks (variant);

CREATE TABLE attempts (
    id             TEXT PRIMARY KEY,
    task           TEXT NOT NULL REFERENCES tasks (id),
    number         INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    prompt         TEXT NOT NULL,
    state          TEXT NOT NULL,
    holder         TEXT,                -- JSON: ProcessIdentity
    agent          TEXT,                -- JSON: ProcessIdentity
    session        TEXT,
    baseline       TEXT NOT NULL,       -- JSON: SessionTotals
    usage          TEXT NOT NULL,       -- JSON: Usage
    exit           TEXT,                -- JSON: Exit
    containment    TEXT,
    stop           TEXT,                -- JSON: StopRequest
    stream         TEXT,                -- JSON: Progress
    created_at     INTEGER NOT NULL,
    started_at     INTEGER,
    ended_at       INTEGER,
    UNIQUE (task, number)
) STRICT;
CREATE INDEX attempts_by_state ON attempts (state);

CREATE TABLE events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    repo     TEXT,
    variant  INTEGER,
    task     TEXT,
    attempt  TEXT,
    data     TEXT NOT NULL              -- JSON object
) STRICT;
CREATE INDEX events_by_task ON events (task);

-- An effect about to happen. A row without a living owner is finished or reversed by the next
-- process that comes by.
CREATE TABLE intents (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,          -- spawn, adopt, merge, cleanup, restore, …
    repo        TEXT NOT NULL REFERENCES repos (id),
    variant     INTEGER,
    data        TEXT NOT NULL,          -- JSON, by kind
    owner       TEXT NOT NULL,          -- JSON: ProcessIdentity
    created_at  INTEGER NOT NULL
) STRICT;

-- Merges that stopped at conflicts and wait for a person, at most one for each variant.
CREATE TABLE merges (
    variant     INTEGER PRIMARY KEY REFERENCES variants (key),
    repo        TEXT NOT NULL REFERENCES repos (id),
    data        TEXT NOT NULL,          -- JSON: what is merged, and where it waits
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE undo (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    repo        TEXT NOT NULL REFERENCES repos (id),
    kind        TEXT NOT NULL,          -- merge, cleanup, sync, restore
    summary     TEXT NOT NULL,          -- one line for people
    data        TEXT NOT NULL,          -- JSON, by kind
    at          INTEGER NOT NULL,
    undone_at   INTEGER
) STRICT;

CREATE TABLE trust (
    repo         TEXT NOT NULL REFERENCES repos (id),
    hash         TEXT NOT NULL,         -- of the text that was approved
    text         TEXT NOT NULL,
    approved_at  INTEGER NOT NULL,
    PRIMARY KEY (repo, hash)
) STRICT;

CREATE TABLE meta (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT;
