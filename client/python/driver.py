#!/usr/bin/env python3
"""The driver of tests/behaviour: one verifier, spoken to in lines of JSON."""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from pathlib import Path
from typing import Any, Callable, Optional

try:
    import ostiary
except ModuleNotFoundError:  # not installed: the sources beside this file
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    import ostiary

Answer = dict[str, Any]


class Driver:
    def __init__(self) -> None:
        self._opened: Optional[ostiary.Verifier] = None

    @property
    def _verifier(self) -> ostiary.Verifier:
        if self._opened is None:
            raise ValueError("not opened")
        return self._opened

    def open(self, command: Answer) -> Answer:
        self.close(command)
        given: dict[str, Any] = {}
        for name in ("audience", "policy"):
            if command.get(name):
                given[name] = command[name]
        for name, setting in (
            ("staleness_ms", "staleness_bound"),
            ("leeway_ms", "leeway"),
            ("ask_timeout_ms", "ask_timeout"),
        ):
            if name in command:
                given[setting] = command[name] / 1000
        self._opened = ostiary.Verifier(
            command["target"],
            issuer=command["issuer"],
            state_file=command.get("state_file") or None,
            silence=command["silence_ms"] / 1000 if command.get("silence_ms") else None,
            **given,
        )
        return {"ok": True}

    def verify(self, command: Answer) -> Answer:
        try:
            claims = self._verifier.verify(
                command["token"],
                audience=ostiary.ANY_AUDIENCE if command.get("any_audience") else None,
                scopes=command.get("scopes") or (),
                roles=command.get("roles") or (),
                policy=command.get("policy") or None,
                min_revision=command.get("min_revision") or "",
            )
        except ostiary.TokenError as error:
            return {"valid": False, "reason": error.reason}
        return {
            "valid": True,
            "subject": claims.subject,
            "session_id": claims.session_id,
            "scopes": list(claims.scopes),
            "roles": list(claims.roles),
        }

    def wait_for(self, command: Answer) -> Answer:
        try:
            self._verifier.wait_for(command["revision"], command.get("timeout_ms", 5000) / 1000)
        except TimeoutError:
            return {"reached": False, "reason": "TIMEOUT"}
        except ostiary.RevisionLost as lost:
            return {"reached": False, "reason": lost.reason}
        return {"reached": True}

    def wait_ready(self, command: Answer) -> Answer:
        try:
            self._verifier.wait_ready(command.get("timeout_ms", 5000) / 1000)
        except TimeoutError:
            return {"ready": False}
        return {"ready": True}

    def spin(self, command: Answer) -> Answer:
        token, wanted = command["token"], command["until_reason"]
        deadline = time.monotonic() + command.get("timeout_ms", 5000) / 1000
        verify = self._verifier.verify
        checks = 0
        while True:
            checks += 1
            reason = ""
            try:
                verify(token)
            except ostiary.TokenError as error:
                reason = error.reason
            if reason == wanted:
                at = time.time_ns() // 1000
                return {"seen": True, "at_unix_us": at, "checks": checks}
            if time.monotonic() >= deadline:
                return {"seen": False, "checks": checks}

    def status(self, command: Answer) -> Answer:
        stats = self._verifier.stats()
        stale = stats.staleness_seconds
        return {
            "staleness_ms": round(stale * 1000) if math.isfinite(stale) else -1,
            "entries": stats.entries,
            "epoch": stats.epoch,
            "sequence": stats.sequence,
            "connected": stats.connected,
            "asks": stats.asked,
            "reconnects": stats.reconnects,
            "breaker_open": stats.breaker_open,
        }

    def close(self, command: Answer) -> Answer:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        return {"ok": True}


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    sys.setswitchinterval(0.0005)  # `spin` must not keep the feed waiting
    driver = Driver()
    operations: dict[str, Callable[[Answer], Answer]] = {
        name: getattr(driver, name)
        for name in ("open", "verify", "wait_for", "wait_ready", "spin", "status", "close")
    }
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            command = json.loads(line)
            answer = operations[command["op"]](command)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    driver.close({})
    return 0


if __name__ == "__main__":
    sys.exit(main())
