-- The metadata store, version 9. JSON columns hold JSON text; times are seconds since the epoch.
-- A change here needs a step in migrations.py that brings older databases to the same shape.

-- Texts that come back again and again (cell sources, parts of keys, stack snapshots, notebook paths), kept once.
CREATE TABLE texts (
    id      INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,           -- blake2b, 16 bytes, of the UTF-8 text
    text    TEXT NOT NULL
);

CREATE TABLE settings (
    key     TEXT PRIMARY KEY,
    value   TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE components (
    type    TEXT NOT NULL,
    name    TEXT NOT NULL,
    flavor  TEXT NOT NULL,
    config  TEXT NOT NULL,                  -- JSON object: option -> text
    PRIMARY KEY (type, name)
) WITHOUT ROWID;

CREATE TABLE stacks (
    name    TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE stack_components (
    stack     TEXT NOT NULL REFERENCES stacks (name) ON UPDATE CASCADE ON DELETE CASCADE,
    type      TEXT NOT NULL,
    component TEXT NOT NULL,
    PRIMARY KEY (stack, type),
    FOREIGN KEY (type, component) REFERENCES components (type, name) ON UPDATE CASCADE ON DELETE RESTRICT
) WITHOUT ROWID;
CREATE INDEX stacks_by_component ON stack_components (type, component);

CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    notebook   INTEGER NOT NULL REFERENCES texts (id),
    stack      TEXT NOT NULL,               -- name at the time; no reference: stacks may be deleted
    status     TEXT NOT NULL,
    started    REAL NOT NULL,
    seconds    REAL NOT NULL,
    host       TEXT NOT NULL,
    process    INTEGER NOT NULL,
    snapshot   INTEGER NOT NULL REFERENCES texts (id),  -- JSON of the whole stack
    parameters TEXT NOT NULL,               -- JSON object
    versions   INTEGER NOT NULL REFERENCES texts (id)   -- JSON object
);
CREATE INDEX runs_by_time ON runs (started);
CREATE INDEX runs_by_stack ON runs (stack, started);
CREATE INDEX runs_by_notebook ON runs (notebook, started);
CREATE INDEX runs_by_kind ON runs (kind, started);
CREATE INDEX runs_by_status ON runs (status, started);

CREATE TABLE steps (
    id               INTEGER PRIMARY KEY,
    run              INTEGER REFERENCES runs (id),
    name             TEXT NOT NULL,
    notebook         INTEGER NOT NULL REFERENCES texts (id),
    cell             TEXT NOT NULL,
    status           TEXT NOT NULL,
    reusable         INTEGER NOT NULL,
    key              TEXT NOT NULL,
    started          REAL NOT NULL,
    seconds          REAL NOT NULL,
    reused           INTEGER REFERENCES steps (id),
    displays         TEXT NOT NULL,
    reason           TEXT NOT NULL,
    unusable_because TEXT NOT NULL,
    defines          TEXT NOT NULL,         -- JSON array
    deletes          TEXT NOT NULL,         -- JSON array
    source           INTEGER NOT NULL REFERENCES texts (id),
    parts            INTEGER REFERENCES texts (id),     -- JSON object
    failure          TEXT                   -- JSON object
);
CREATE INDEX steps_by_run ON steps (run, status);
CREATE INDEX steps_by_name ON steps (notebook, name);
CREATE INDEX steps_by_key ON steps (key) WHERE status = 'completed' AND reusable = 1;

CREATE TABLE artifacts (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    digest       TEXT NOT NULL,
    blob         TEXT NOT NULL,
    item         TEXT,
    materializer TEXT NOT NULL,
    size         INTEGER NOT NULL,
    type         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    step         INTEGER NOT NULL REFERENCES steps (id),
    created      REAL NOT NULL,
    needs        TEXT NOT NULL,             -- JSON array
    packages     TEXT NOT NULL,             -- JSON array
    summary      TEXT NOT NULL,             -- JSON object
    UNIQUE (name, version)
);
CREATE INDEX artifacts_by_digest ON artifacts (digest);

-- The latest version of each name.
CREATE TABLE heads (
    name     TEXT PRIMARY KEY,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    kind     TEXT NOT NULL                  -- of that version, for listings by kind
) WITHOUT ROWID;
CREATE INDEX heads_by_time ON heads (artifact, kind);

CREATE TABLE inputs (
    step     INTEGER NOT NULL REFERENCES steps (id),
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (step, position)
) WITHOUT ROWID;
CREATE INDEX inputs_by_artifact ON inputs (artifact, step);

CREATE TABLE outputs (
    step     INTEGER NOT NULL REFERENCES steps (id),
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (step, position)
) WITHOUT ROWID;
CREATE INDEX outputs_by_artifact ON outputs (artifact, step);

-- What each notebook's steps made, or took over, last under each name: the value the name stands for now.
CREATE TABLE current (
    name     TEXT NOT NULL,
    notebook INTEGER NOT NULL REFERENCES texts (id),
    step     INTEGER NOT NULL REFERENCES steps (id),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (name, notebook)
) WITHOUT ROWID;

-- What else is known of a step; no row where nothing is.
CREATE TABLE step_details (
    step       INTEGER PRIMARY KEY REFERENCES steps (id),
    observed   INTEGER REFERENCES texts (id),   -- JSON object: kind -> name -> state
    carried    TEXT,                            -- JSON object: where the settings are that it changed
    attempts   TEXT,                            -- JSON array: attempts that failed before the last one
    saved      REAL NOT NULL,                   -- seconds that reuse spared
    expires    REAL,                            -- when its results stop being reused
    provenance INTEGER REFERENCES texts (id),   -- JSON object: name -> where its value came from
    seal       TEXT,                            -- signature over what reuse takes from the record
    ran_on     TEXT,                            -- what ran it in place of the stack's orchestrator
    metrics    INTEGER REFERENCES texts (id)    -- JSON object: name -> what it logged
);

-- What else is known of an artifact; no row where nothing is.
CREATE TABLE artifact_details (
    artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
    parts    INTEGER REFERENCES texts (id)      -- JSON array: further blobs that hold its large memory
);

-- Versions that are never deleted to free space.
CREATE TABLE pins (
    artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
    created  REAL NOT NULL
);

-- Blobs that somebody deleted on purpose, per artifact store.
CREATE TABLE freed (
    store   TEXT NOT NULL,
    blob    TEXT NOT NULL,
    size    INTEGER NOT NULL,
    created REAL NOT NULL,
    PRIMARY KEY (blob, store)
) WITHOUT ROWID;

-- Names of deleted versions: the highest number that was given, so that none is given twice.
CREATE TABLE retired (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- What else is known of a run; no row where nothing is.
CREATE TABLE run_details (
    run        INTEGER PRIMARY KEY REFERENCES runs (id),
    parent     INTEGER REFERENCES runs (id),    -- the run that started it
    git_commit TEXT NOT NULL,                   -- of the notebook's folder
    dirty      INTEGER,                         -- whether that tree had changes; NULL when unknown
    computed   REAL NOT NULL,                   -- seconds of work in its steps
    saved      REAL NOT NULL                    -- seconds that reuse spared
);
CREATE INDEX runs_by_parent ON run_details (parent) WHERE parent IS NOT NULL;

-- What tells the process of a run from another one that gets its number later; no row where the system does not say.
CREATE TABLE run_processes (
    run  INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    mark TEXT NOT NULL
);

-- Registered models, and the highest number that a version of each got, so that none is given twice.
CREATE TABLE models (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;

-- What the versions of a model stand for. Their artifacts are never deleted to free space.
CREATE TABLE model_versions (
    model    TEXT NOT NULL REFERENCES models (name),
    version  INTEGER NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    created  REAL NOT NULL,
    note     TEXT NOT NULL,
    tags     TEXT NOT NULL,                 -- JSON object
    PRIMARY KEY (model, version)
) WITHOUT ROWID;
CREATE INDEX model_versions_by_artifact ON model_versions (artifact);

CREATE TABLE model_aliases (
    model   TEXT NOT NULL,
    alias   TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON DELETE CASCADE
) WITHOUT ROWID;

-- Tags and notes that users gave to runs and artifacts. Those of models are with their versions.
CREATE TABLE tags (
    kind   TEXT NOT NULL,                   -- `run` or `artifact`
    number INTEGER NOT NULL,                -- its id
    key    TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (kind, number, key)
) WITHOUT ROWID;
CREATE INDEX tags_by_key ON tags (kind, key, text);

CREATE TABLE notes (
    kind   TEXT NOT NULL,
    number INTEGER NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
