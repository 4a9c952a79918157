-- Version 3: whether an outcome was red. The verdict alone does not say it, since a setting decides about inconclusive
-- outcomes. When they were still called `unsure`, they were always red; later ones are warnings by default.

ALTER TABLE budget_outcomes ADD COLUMN red BIGINT NOT NULL DEFAULT 0;
UPDATE budget_outcomes SET red = 1 WHERE verdict IN ('fail', 'unmeasured', 'unsure');
