-- A start reads which slots are flipped and must not look at those that are
-- not: they are a hundred times as many.
CREATE INDEX status_slots_flipped ON status_slots (list_id, slot)
  WHERE flipped = 1;
