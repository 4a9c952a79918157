-- Version 1: what the harness records.

-- Which versions of the schema were applied; the highest is the one it has.
CREATE TABLE budget_schema (
    version BIGINT NOT NULL PRIMARY KEY
);

-- A run of the tests. `run` is a hash of its id and its environment.
CREATE TABLE budget_runs (
    run BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    began BIGINT NOT NULL,          -- seconds since 1970
    commit_id TEXT,                 -- NULL: no repository
    committed BIGINT,               -- the commit's time, seconds since 1970
    dirty BIGINT NOT NULL,          -- 1: the tree had changes that are in no commit
    branch TEXT,                    -- NULL: none, or unknown
    environment TEXT NOT NULL,      -- processor, cores, platform, profile
    version TEXT NOT NULL           -- of perf-budget
);

CREATE INDEX budget_runs_by_time ON budget_runs (began);

-- What is followed over time: one test in one environment on one branch, in one unit.
-- `series` is a hash of these.
CREATE TABLE budget_series (
    series BIGINT NOT NULL PRIMARY KEY,
    test TEXT NOT NULL,
    budget TEXT NOT NULL,
    case_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    environment TEXT NOT NULL,
    branch TEXT
);

CREATE INDEX budget_series_by_budget ON budget_series (budget);
CREATE INDEX budget_series_by_test ON budget_series (test);

CREATE TABLE budget_outcomes (
    series BIGINT NOT NULL REFERENCES budget_series (series),
    run BIGINT NOT NULL REFERENCES budget_runs (run),
    at BIGINT NOT NULL,             -- the commit's time, else when the run began
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    value DOUBLE PRECISION,         -- NULL: nothing was measured
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    exact BIGINT NOT NULL,          -- 1: measuring again gives the same
    bound TEXT,                     -- max, min; NULL: no limit
    limit_value DOUBLE PRECISION,
    PRIMARY KEY (series, run)
);

CREATE INDEX budget_outcomes_by_time ON budget_outcomes (series, at);
CREATE INDEX budget_outcomes_by_run ON budget_outcomes (run);
