-- Which verdicts are on which attempts, by where both stand: rows of attempts that stand together have theirs together, which
-- their hashes in verdicts_of do not. Two attempts may have one hash, so who reads checks the verdict's own attempt_id.
CREATE TABLE verdict_places (attempt BIGINT NOT NULL, place BIGINT NOT NULL);

-- What the view `difficulty` shows, sorted by the hash of the problem, batch by batch: a row is found by its number where
-- texts of 64 digits would all have to be read.
DROP TABLE difficulty;
CREATE TABLE measured (
    problem_id VARCHAR NOT NULL,
    domain VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    policy_version VARCHAR NOT NULL,
    sampler VARCHAR NOT NULL,
    num_attempts INTEGER NOT NULL,
    num_passed INTEGER NOT NULL,
    num_unparseable INTEGER NOT NULL,
    pass_at_1 DOUBLE NOT NULL,
    pass_at_2 DOUBLE,
    pass_at_4 DOUBLE,
    pass_at_8 DOUBLE,
    pass_at_16 DOUBLE,
    wilson_low DOUBLE NOT NULL,
    wilson_high DOUBLE NOT NULL,
    "key" UBIGINT NOT NULL
);
CREATE VIEW difficulty AS SELECT * EXCLUDE ("key") FROM measured;
