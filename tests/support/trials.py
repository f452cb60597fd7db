"""How often a test by chance tries, from which seeds, and how to see a failure
again: the same two variables as trials.h. tests/campaign sets OSTIARY_TRIALS;
OSTIARY_SEED makes the trial that failed the only one."""

import os
import random
import sys


def trials(usual):
    """Yields seeds. Each is printed, so that of a test that fails the last is told."""
    only = os.environ.get("OSTIARY_SEED")
    if only is not None:
        seeds = [int(only, 0)]
    else:
        first = random.SystemRandom().randrange(1 << 32)
        seeds = range(first, first + times(usual))
    for seed in seeds:
        print(f"to see it again: OSTIARY_SEED={seed}", file=sys.stderr)
        yield seed


def times(usual):
    """`usual`, or what the campaign makes of it; at least once."""
    return max(1, int(usual * float(os.environ.get("OSTIARY_TRIALS", "1"))))
