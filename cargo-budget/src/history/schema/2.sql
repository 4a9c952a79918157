-- Version 2: values from other tools. They have no limit, hence no verdict of ours.

ALTER TABLE budget_runs ADD COLUMN source TEXT NOT NULL DEFAULT 'perf-budget';
