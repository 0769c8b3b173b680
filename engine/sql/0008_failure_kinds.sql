-- Kinds of failures, and what corrections come to.
CREATE OR REPLACE VIEW judged AS
SELECT attempts.*, problems.domain, verdicts.version AS verifier_version, verdicts.outcome, verdicts.score, verdicts.reason
FROM attempts
JOIN problems ON problems.id = attempts.problem_id
JOIN verdicts ON verdicts.attempt_id = attempts.id AND verdicts.verifier = problems.verifier
QUALIFY row_number() OVER (
    PARTITION BY attempts.id
    ORDER BY try_cast(verdicts.version AS DOUBLE) DESC NULLS LAST, verdicts.version DESC
) = 1;

-- `version` is of the domain's rules, `verdict` the version under which the attempt was judged.
CREATE TABLE failure_kinds (
    attempt_id VARCHAR,
    version INTEGER,
    verdict VARCHAR,
    kinds VARCHAR[] NOT NULL,
    detail VARCHAR NOT NULL,
    PRIMARY KEY (attempt_id, version, verdict)
);
-- First tries alone: a failed correction has its kind in failure_kinds.
CREATE VIEW failures AS
SELECT judged.id AS attempt_id, judged.problem_id, judged.domain, judged.model_id, judged.policy_version,
       judged.sampler, judged."index", judged.finish_reason, judged.outcome, judged.reason, judged.answer,
       known.kinds[1] AS kind, known.kinds, known.detail
FROM judged
JOIN failure_kinds AS known ON known.attempt_id = judged.id AND known.verdict = judged.verifier_version
WHERE judged.outcome IN ('fail', 'unparseable') AND judged.failed_attempt_id IS NULL
QUALIFY row_number() OVER (PARTITION BY judged.id ORDER BY known.version DESC) = 1;

-- A correction that passed, read: of the failed answer the first `kept` characters stay, `shown` go up to the end of
-- the first wrong step, and `text` comes instead of what follows. No step: text is a whole answer. A fault: not kept.
CREATE TABLE revisions (
    attempt_id VARCHAR,
    version INTEGER,
    step INTEGER,
    kept INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    why VARCHAR NOT NULL,
    "text" VARCHAR NOT NULL,
    fault VARCHAR NOT NULL,
    PRIMARY KEY (attempt_id, version)
);
CREATE VIEW revised AS
FROM revisions QUALIFY row_number() OVER (PARTITION BY attempt_id ORDER BY version DESC) = 1;

-- Pairs of a failed answer and its correction.
CREATE VIEW corrections AS
SELECT fixed.id AS attempt_id, fixed.failed_attempt_id, fixed.problem_id, fixed.domain, problems.prompt,
       failed.model_id AS failed_by, failed.answer AS failed, failures.kind, failures.detail, revised.step, revised.why,
       "left"(failed.answer, revised.kept) || revised."text" AS corrected, fixed.model_id AS teacher, fixed.sampler
FROM judged AS fixed
JOIN revised ON revised.attempt_id = fixed.id AND revised.fault = ''
JOIN problems ON problems.id = fixed.problem_id
JOIN attempts AS failed ON failed.id = fixed.failed_attempt_id
LEFT JOIN failures ON failures.attempt_id = failed.id
WHERE fixed.outcome = 'pass';
