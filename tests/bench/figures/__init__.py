"""The figures that tests/bench/run prints, a file for each kind."""
