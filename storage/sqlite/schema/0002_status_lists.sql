-- Token Status Lists: which slots of which list were given to whom, and which
-- of them say "no longer valid".

CREATE TABLE status_lists (
  list_id     BLOB NOT NULL PRIMARY KEY CHECK (length(list_id) = 16),
  slots       INTEGER NOT NULL CHECK (slots > 0),
  open_time   INTEGER,
  close_time  INTEGER,
  expire_time INTEGER,
  invalidated INTEGER NOT NULL        -- 1: every slot says "not valid"
) STRICT, WITHOUT ROWID;

-- The primary key is the promise that no slot is given to two.
CREATE TABLE status_slots (
  list_id    BLOB NOT NULL CHECK (length(list_id) = 16),
  slot       INTEGER NOT NULL CHECK (slot >= 0),
  session_id BLOB NOT NULL CHECK (length(session_id) = 16),
  client_id  TEXT NOT NULL,
  take_time  INTEGER,
  flipped    INTEGER NOT NULL,
  PRIMARY KEY (list_id, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX status_slots_by_session ON status_slots (session_id);
