"""Fixtures: those of tests/e2e."""

from fixtures import contract, new_house, new_server, programs  # noqa: F401
