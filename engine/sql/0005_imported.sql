-- Where imported problems and traces come from, and what others measured on the problems.
CREATE TABLE origins (
    record_id VARCHAR,
    source VARCHAR,
    "row" VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    PRIMARY KEY (record_id, source)
);
CREATE TABLE priors (
    problem_id VARCHAR,
    model_id VARCHAR,
    pass_rate DOUBLE NOT NULL,
    source VARCHAR NOT NULL,
    PRIMARY KEY (problem_id, model_id)
);

-- A first guess at difficulty where we have measured nothing; `basis` says which it is, so that the two never mix.
CREATE VIEW seeded_difficulty AS
SELECT problem_id, model_id, pass_at_1 AS pass_rate, 'measured' AS basis FROM difficulty
UNION ALL
SELECT problem_id, model_id, pass_rate, 'prior' FROM priors
WHERE NOT EXISTS (FROM difficulty WHERE difficulty.problem_id = priors.problem_id);
