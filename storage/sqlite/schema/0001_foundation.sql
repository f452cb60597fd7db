-- The first schema. Times are microseconds since 1970, NULL for "never" in the
-- past; keys of accounts and sessions are 16 bytes and rise with time.
--
-- No foreign keys between tables: who deletes an account deletes its sessions
-- in the same transaction, and PostgreSQL must be able to keep the same promise
-- without locking the account's row for every rotation.

CREATE TABLE accounts (
  account_id         BLOB NOT NULL PRIMARY KEY CHECK (length(account_id) = 16),
  username           TEXT NOT NULL,
  username_key       TEXT,                -- NULL: none
  email              TEXT NOT NULL,
  email_key          TEXT,                -- NULL: none
  email_verified     INTEGER NOT NULL,
  display_name       TEXT NOT NULL,
  roles              TEXT NOT NULL,       -- a JSON array of strings
  disabled           INTEGER NOT NULL,
  metadata_json      TEXT NOT NULL,
  generation         INTEGER NOT NULL,
  session_floor      INTEGER NOT NULL,
  credential_version INTEGER NOT NULL,
  password_hash      TEXT NOT NULL,       -- '': no password
  create_time        INTEGER,
  update_time        INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX accounts_by_username ON accounts (username_key)
  WHERE username_key IS NOT NULL;
CREATE UNIQUE INDEX accounts_by_email ON accounts (email_key)
  WHERE email_key IS NOT NULL;

-- How many accounts carry a hash of each format and cost. Written in the
-- transaction that writes the account.
CREATE TABLE hash_shapes (
  shape    TEXT NOT NULL PRIMARY KEY,
  accounts INTEGER NOT NULL CHECK (accounts > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  session_id         BLOB NOT NULL PRIMARY KEY CHECK (length(session_id) = 16),
  account_id         BLOB NOT NULL CHECK (length(account_id) = 16),
  client_id          TEXT NOT NULL,
  audience           TEXT NOT NULL,
  scope              TEXT NOT NULL,
  minted_scope       TEXT NOT NULL,
  user_agent         TEXT NOT NULL,
  address            TEXT NOT NULL,
  amr                TEXT NOT NULL,
  opened_generation  INTEGER NOT NULL,
  generation         INTEGER NOT NULL,
  retried_in_row     INTEGER NOT NULL,
  salt               BLOB NOT NULL,
  refresh_key_id     TEXT NOT NULL,
  request_id_hash    BLOB NOT NULL,
  create_time        INTEGER,
  rotated_at         INTEGER,
  minted_at          INTEGER,
  access_expire_time INTEGER,
  idle_expire_time   INTEGER,
  expire_time        INTEGER,
  revoke_time        INTEGER,
  -- When the session ended or will: the first of its three ends.
  end_time           INTEGER NOT NULL AS (min(
                       coalesce(idle_expire_time, 9223372036854775807),
                       coalesce(expire_time, 9223372036854775807),
                       coalesce(revoke_time, 9223372036854775807))) VIRTUAL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_end ON sessions (end_time);

CREATE TABLE ledger (
  sequence       INTEGER PRIMARY KEY,
  kind           INTEGER NOT NULL,
  key            TEXT NOT NULL,
  min_generation INTEGER NOT NULL,        -- 64 bits, the top one as the sign
  issued_before  INTEGER,
  commit_time    INTEGER,
  expire_time    INTEGER,                 -- the greatest integer: never
  reason         TEXT NOT NULL,
  running_check  INTEGER NOT NULL         -- 64 bits, the top one as the sign
) STRICT;

CREATE INDEX ledger_by_key ON ledger (kind, key);
CREATE INDEX ledger_by_expiry ON ledger (expire_time)
  WHERE expire_time < 9223372036854775807;

-- Where the ledger ends. One row: rows of the ledger are forgotten, this is not.
CREATE TABLE ledger_head (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  epoch         INTEGER NOT NULL,
  sequence      INTEGER NOT NULL,
  running_check INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_head VALUES (1, 1, 0, 0);

CREATE TABLE keys (
  key_id        TEXT NOT NULL PRIMARY KEY,
  purpose       TEXT NOT NULL,
  algorithm     TEXT NOT NULL,
  state         TEXT NOT NULL,
  sealed        BLOB NOT NULL,
  public_jwk    TEXT NOT NULL,
  create_time   INTEGER,
  activate_time INTEGER,
  retire_time   INTEGER,
  revoke_time   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_by_purpose ON keys (purpose, create_time);

-- AUTOINCREMENT: an id that was given out is never given out again, also when
-- the newest rows have been deleted.
CREATE TABLE audit (
  audit_id   INTEGER PRIMARY KEY AUTOINCREMENT,
  time       INTEGER,
  action     TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  actor      TEXT NOT NULL,
  account_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  address    TEXT NOT NULL,
  detail     TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_time ON audit (time);

CREATE TABLE facts (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
