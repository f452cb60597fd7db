"""Bad input on every RPC: a clear error with a reason, at once, and no crash."""

import json
import random
import zlib

import pytest

from doors import Refused, refused_by_connect
