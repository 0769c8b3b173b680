-- Every try to make a new problem from old ones: what was asked, and how many solutions agreed on its answer.
CREATE TABLE variants (
    id VARCHAR PRIMARY KEY,
    way VARCHAR NOT NULL,
    "group" VARCHAR NOT NULL,
    parents VARCHAR[] NOT NULL,
    prompt VARCHAR NOT NULL,
    problem_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    num_solutions INTEGER NOT NULL,
    num_agreed INTEGER NOT NULL,
    share DOUBLE
);
