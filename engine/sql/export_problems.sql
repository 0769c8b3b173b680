-- Every problem with what was measured on it, why it is left out if it is, and where it comes from.
WITH why AS (
    SELECT record_id, min(split_part(reason, ':', 1)) AS kind FROM dropped GROUP BY record_id
), origin AS (
    SELECT record_id, min_by("row", source) AS "row", min_by(licence, source) AS licence FROM origins GROUP BY record_id
), measured AS (
    SELECT problem_id,
           list({model_id: model_id, policy_version: policy_version, sampler: sampler,
                 num_attempts: num_attempts, num_passed: num_passed, pass_rate: pass_at_1}
                ORDER BY model_id, policy_version, sampler) AS difficulty
    FROM difficulty
    GROUP BY problem_id
), prior AS (
    SELECT problem_id, list({model_id: model_id, pass_rate: pass_rate} ORDER BY model_id) AS priors
    FROM priors
    GROUP BY problem_id
)
SELECT problems.*, coalesce(origin."row", '') AS "row", coalesce(origin.licence, '') AS licence,
       coalesce(measured.difficulty, []) AS difficulty, coalesce(prior.priors, []) AS priors,
       why.kind AS dropped, list_contains(problems.tags, $heldout) AS heldout
FROM problems
LEFT JOIN origin ON origin.record_id = problems.id
LEFT JOIN measured ON measured.problem_id = problems.id
LEFT JOIN prior ON prior.problem_id = problems.id
LEFT JOIN why ON why.record_id = problems.id
WHERE $ids IS NULL OR list_contains($ids, problems.id)
