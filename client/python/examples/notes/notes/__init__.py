"""A protected notes API: FastAPI, SQLite, and Ostiary for everything about users."""
