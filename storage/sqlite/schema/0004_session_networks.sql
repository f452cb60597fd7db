-- From which networks a session's refresh tokens came lately.
ALTER TABLE sessions ADD COLUMN networks INTEGER NOT NULL DEFAULT 0;
