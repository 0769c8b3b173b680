SELECT excluded, weight, labels FROM curated WHERE record_id = $id
