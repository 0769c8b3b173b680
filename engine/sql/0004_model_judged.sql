-- What models said of attempts, beside the rules' verdict. Nothing else of ours reads it.
CREATE VIEW model_judged AS
SELECT judged.id AS attempt_id, judged.problem_id, judged.domain, judged.model_id,
       judged.outcome AS rule_outcome, judged.reason AS rule_reason,
       said.version AS judge, said.outcome, said.score, said.reason
FROM judged
JOIN verdicts AS said ON said.attempt_id = judged.id AND said.verifier = 'model_judge';
