"""Servers that run, what they cost, and the load on them."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from contract import CACHE, HERE, MEMORY_KIB, PASSES, PASSWORD, Unavailable

TICKS = os.sysconf("SC_CLK_TCK")
STARTS_WITHIN = 120


def say(text):
    print(text, file=sys.stderr, flush=True)


def compile_load():
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(["g++", "-std=c++20", "-O2", str(HERE / "http_load.cc"), "-o",
                    str(CACHE / "http_load")], check=True)


def family(pid):
    """The process and all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(stat(entry.name)[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def stat(pid):
    """The fields of /proc/PID/stat after the name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid):
    """User and system time of a process and all below it, ended ones included."""
    ticks = 0
    for one in family(pid):
        try:
            fields = stat(one)
        except OSError:
            continue
        ticks += sum(map(int, fields[11:13] if one != pid else fields[11:15]))
    return ticks / TICKS


def memory_mb(pid):
    """Resident memory of a process and all below it. Each peer serves from one."""
    kib = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                kib += int(line.split()[1])
    return kib * 1024 / 1e6


def own_cpu_us(work, rounds):
    """CPU microseconds of `work()` in this process."""
    work()
    began = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - began) * 1e6 / rounds


def library(name):
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise Unavailable(str(error)) from None


def argon2id_us():
    """CPU microseconds of the common hash in libsodium."""
    sodium = library("libsodium.so.23")
    sodium.sodium_init()  # finds out what the processor can do
    out, salt = ctypes.create_string_buffer(32), b"y" * 16
    return own_cpu_us(lambda: sodium.crypto_pwhash(
        out, ctypes.c_ulonglong(32), PASSWORD.encode(), ctypes.c_ulonglong(len(PASSWORD)), salt,
        ctypes.c_ulonglong(PASSES), ctypes.c_size_t(MEMORY_KIB * 1024), 2), 40)


def is_ready(peer):
    call = peer.ready
    request = urllib.request.Request(f"http://127.0.0.1:{peer.port}{call.path}",
                                     call.body.encode() or None, call.headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == peer.ready_status
    except urllib.error.HTTPError as error:
        return error.code == peer.ready_status
    except OSError:
        return False


def start(peer):
    """Starts a peer on its folder; seconds until the first good answer."""
    command, environment = peer.command()
    log = open(peer.folder / "log", "ab")
    began = time.monotonic()
    peer.process = subprocess.Popen([str(word) for word in command], cwd=peer.folder,
                                    env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, start_new_session=True)
    log.close()
    while time.monotonic() < began + STARTS_WITHIN:
        if is_ready(peer):
            return time.monotonic() - began
        if peer.process.poll() is not None:
            break
        time.sleep(0.002)
    stop(peer)
    said = (peer.folder / "log").read_text(errors="replace")[-600:]
    raise Unavailable(f"did not start: {said}")


def is_alive(pid):
    try:
        return stat(pid)[0] != "Z"
    except OSError:
        return False


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def stop(peer):
    """Ends a peer and all that it started."""
    process, peer.process = getattr(peer, "process", None), None
    if process is None:
        return
    # A server may be the child of its script; both are told, and given time.
    all_of_it = family(process.pid)
    end = time.monotonic() + 30
    signal_all(all_of_it, signal.SIGTERM)
    while time.monotonic() < end and any(map(is_alive, all_of_it)):
        process.poll()
        time.sleep(0.02)
    signal_all(filter(is_alive, all_of_it), signal.SIGKILL)
    process.wait()


def load(peer, action, seconds):
    """One round of HTTP. Carried values stay in the calls for the next."""
    lines = "".join(" ".join(part.encode().hex() or "-"
                             for part in (call.head(peer.port), call.body, call.carry)) + "\n"
                    for call in action.calls)
    used = cpu_seconds(peer.process.pid)
    # The program gives up by itself where an answer does not come.
    done = subprocess.run([str(CACHE / "http_load"), str(peer.port), str(seconds), action.mark,
                           *([action.member] if action.member else [])],
                          input=lines, capture_output=True, text=True)
    used = cpu_seconds(peer.process.pid) - used
    if done.returncode != 0:
        raise Unavailable(f"{peer.name}, {action.what}: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    for call, carried in zip(action.calls, found.pop("carried")):
        call.carry = bytes.fromhex(carried).decode()
    found["first_error"] = bytes.fromhex(found["first_error"]).decode(errors="replace")
    good_calls = found["calls"] - found["errors"]
    found["cpu_us"] = used * 1e6 / max(good_calls, 1)
    return found
