-- Answers by model and length in tokens; bin b holds the lengths from 2^(b/2) up to 2^((b+1)/2).
SELECT model_id AS model, floor(2 * log2(tokens_out))::INTEGER AS bin, count(*) AS answers
FROM attempts
WHERE tokens_out > 0
GROUP BY ALL
ORDER BY ALL
