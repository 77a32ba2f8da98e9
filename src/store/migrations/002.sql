-- Syncs that stopped at conflicts, which wait in the variants' own worktrees; at most one for each.
CREATE TABLE syncs (
    variant     INTEGER PRIMARY KEY REFERENCES variants (key),
    repo        TEXT NOT NULL REFERENCES repos (id),
    data        TEXT NOT NULL,          -- JSON: what is brought in, and where the branch stood
    created_at  INTEGER NOT NULL
) STRICT;

-- What a task's start depends on besides its place in the queue; a task without a row has no terms.
CREATE TABLE terms (
    task        TEXT PRIMARY KEY REFERENCES tasks (id),
    not_before  INTEGER,                -- it starts at this moment or later
    why         TEXT,                   -- what that moment is for, in words; NULL: the person chose it
    until       INTEGER,                -- from this moment on it neither starts nor goes on
    unattended  INTEGER NOT NULL DEFAULT 0, -- nobody sat in front of it when it was queued
    onto        TEXT                    -- the branch that its own starts from, as that stands then
) STRICT;

-- Tasks that wait for others.
CREATE TABLE dependencies (
    task        TEXT NOT NULL REFERENCES tasks (id),
    on_task     TEXT NOT NULL REFERENCES tasks (id),
    any_end     INTEGER NOT NULL,       -- 0: only its success counts
    skipped     INTEGER NOT NULL DEFAULT 0, -- a person decided to go on without it
    PRIMARY KEY (task, on_task)
) STRICT;

-- What does not start until a person says so.
CREATE TABLE pauses (
    scope       TEXT PRIMARY KEY,       -- all, lane:build, repo:r-…
    at          INTEGER NOT NULL
) STRICT;

-- How much may run at once, where that is not as in the settings.
CREATE TABLE parallel (
    what        TEXT PRIMARY KEY,       -- tasks, agent, build, e2e
    at_once     INTEGER NOT NULL
) STRICT;

-- Failures that may hold an agent's queue; forgotten once they are old or the queue is released.
CREATE TABLE failures (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    agent       TEXT NOT NULL,
    class       TEXT NOT NULL,
    at          INTEGER NOT NULL
) STRICT;

-- Agents that start no more until a person says so.
CREATE TABLE holds (
    agent       TEXT PRIMARY KEY,
    class       TEXT NOT NULL,          -- of the newest failure
    failures    INTEGER NOT NULL,       -- how many there were
    at          INTEGER NOT NULL
) STRICT;

-- What follows a bad end without anybody asking, and how each attempt was judged.
ALTER TABLE attempts ADD COLUMN again TEXT;            -- JSON: Again, for those nobody asked for
ALTER TABLE attempts ADD COLUMN not_before INTEGER;    -- it does not start before
ALTER TABLE attempts ADD COLUMN failure TEXT;          -- the kind of failure it ended with
ALTER TABLE attempts ADD COLUMN reason TEXT;           -- why it ended as it did, in one line

-- How much tasks may use, all their attempts together; the tasks of one fan-out share one.
CREATE TABLE budgets (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tokens      INTEGER,                -- one of these two is set
    micro_usd   INTEGER,
    given       INTEGER NOT NULL,       -- 1: by a person, with --budget; 0: by the settings or a role
    stops       INTEGER NOT NULL,       -- 1: work is ended when it is used up
    created_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE budget_tasks (
    task        TEXT PRIMARY KEY REFERENCES tasks (id),
    budget      INTEGER NOT NULL REFERENCES budgets (id)
) STRICT;
CREATE INDEX budget_tasks_by_budget ON budget_tasks (budget);

-- Which percentages of a budget were told; those of all work anew in each period.
CREATE TABLE budget_told (
    scope       TEXT NOT NULL,          -- own-7, total-day, background-week
    since       INTEGER NOT NULL,       -- when the period began; 0 for a task's own
    percent     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (scope, since, percent)
) STRICT;

-- What came of today is asked with every `wt status`.
CREATE INDEX tasks_by_end ON tasks (ended_at);
CREATE INDEX attempts_by_end ON attempts (ended_at);

-- What an agent has told of itself.
ALTER TABLE attempts ADD COLUMN told TEXT;             -- JSON: Report

-- What agents at work are told once their present attempt has ended.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    task        TEXT NOT NULL REFERENCES tasks (id),
    words       TEXT NOT NULL,
    at          INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_task ON messages (task);
