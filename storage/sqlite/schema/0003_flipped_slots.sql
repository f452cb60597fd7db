-- A start reads which slots are flipped and must not look at those that are
-- not: they are a hundred times as many. `flipped` is in it so that SQLite
-- looks at no row to see what the index says.
CREATE INDEX status_slots_flipped ON status_slots (list_id, slot, flipped)
  WHERE flipped = 1;
