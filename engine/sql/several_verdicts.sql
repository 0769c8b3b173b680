-- Places of the verdicts of attempts that have several, one of which came in after the place $place.
INSERT INTO several_verdicts
WITH new AS (
    SELECT DISTINCT "key" FROM verdicts_of WHERE place > $place
), several AS (
    SELECT "key" FROM verdicts_of SEMI JOIN new USING ("key") GROUP BY "key" HAVING count(*) > 1
)
SELECT place FROM verdicts_of SEMI JOIN several USING ("key");
