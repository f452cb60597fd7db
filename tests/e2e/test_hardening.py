"""What the compiler and the linker put around the programs, looked for in the
programs themselves.

A check is a function of a Program that says what is missing, or nothing. Each is
also tried on a program that was built without any of it, and must notice.

Control-flow protection: our code has what it needs (every function that may be
called through a pointer begins with ENDBR64), and yet the programs do not carry
the note "IBT, SHSTK", nor can they on Debian 12. The linker gives the note only
if every object has it, and the C library's own start files (Scrt1.o, crti.o) do
not; no shared library of Debian 12 has it either, its C library never turns
shadow stacks on, and Linux has no IBT for programs. `-z ibt` and `-z shstk`
would write the note over that: a claim about code that was not compiled for it.
So the note is not asked for, and ENDBR64 is.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = ["ostiaryd", "ostiary"]
ENDBR64 = bytes.fromhex("f30f1efa")
# sub $0x1000,%rsp; orq $0x0,(%rsp): a page of stack is touched before the next
# one is taken, so that no frame steps over the guard page.
STACK_PROBE = bytes.fromhex("4881ec00100000" "48830c2400")


class Program:
    """An ELF file as readelf tells of it."""

    def __init__(self, path):
        self.path = Path(path)
        self.header = self._tell("--file-header")
        self.segments = self._tell("--program-headers")
        self.dynamic = self._tell("--dynamic")
        self.imports = set(re.findall(r" UND ([^@\s]+)",
                                      self._tell("--dyn-syms")))
        self._bytes = self.path.read_bytes()

    def _tell(self, what):
        return subprocess.run(["readelf", "--wide", what, self.path],
                              capture_output=True, text=True, check=True,
                              env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
                              ).stdout

    @property
    def is_x86_64(self):
        return "X86-64" in self.header

    def flags_of_segments(self, kind):
        """"RW", "R E": one for each segment of this kind."""
        return [match[1].strip() for match in re.finditer(
            rf"^\s+{kind}\s+(?:0x[0-9a-f]+\s+){{5}}([RWE ]{{3}})",
            self.segments, re.MULTILINE)]

    def section(self, name):
        """Address and bytes."""
        place = re.search(rf"\] {re.escape(name)}\s+\S+\s+([0-9a-f]+) "
                          r"([0-9a-f]+) ([0-9a-f]+)",
                          self._tell("--section-headers"))
        address, offset, size = (int(number, 16) for number in place.groups())
        return address, self._bytes[offset:offset + size]

    def functions(self):
        """(name, bytes) of every function of .text that other files can see."""
        start, text = self.section(".text")
        for line in self._tell("--syms").splitlines():
            words = line.split()
            if len(words) != 8 or words[3] != "FUNC" or words[4] == "LOCAL":
                continue
            at = int(words[1], 16) - start
            if words[6] != "UND" and 0 <= at < len(text):
                yield words[7], text[at:]


def pie(program):
    if "DYN (Position-Independent Executable" not in program.header:
        return "is loaded at the same address every time"


def relro(program):
    if not program.flags_of_segments("GNU_RELRO"):
        return "has no segment that becomes read-only"


def bind_now(program):
    if not re.search(r"FLAGS_1\).*\bNOW\b", program.dynamic):
        return "leaves the table of library functions writable"


def stack_not_executable(program):
    if program.flags_of_segments("GNU_STACK") != ["RW"]:
        return f"has the stack {program.flags_of_segments('GNU_STACK')}"


def nothing_writable_and_executable(program):
    loads = program.flags_of_segments("LOAD")
    assert loads, "no segments were read"
    if any("W" in flags and "E" in flags for flags in loads):
        return f"has a segment to write and to run: {loads}"


def no_search_path(program):
    """Who owns a folder that is looked through for libraries owns us."""
    found = re.findall(r"\((?:RPATH|RUNPATH)\).*", program.dynamic)
    if found:
        return f"looks for libraries in {found}"


def stack_protector(program):
    if "__stack_chk_fail" not in program.imports:
        return "has no canaries on the stack"


def fortified(program):
    if not {name for name in program.imports if name.endswith("_chk")}:
        return "copies memory unchecked"


def library_assertions(program):
    if not any("__glibcxx_assert_fail" in name for name in program.imports):
        return "indexes past the end without noticing"


def stack_clash(program):
    if program.is_x86_64 and STACK_PROBE not in program.section(".text")[1]:
        return "takes large frames without touching every page"


def branch_targets(program):
    # The C library's, and not compiled for it.
    elsewhere = {"_start", "_dl_relocate_static_pie"}
    bare = [name for name, code in program.functions()
            if name not in elsewhere and not code.startswith(ENDBR64)]
    if program.is_x86_64 and bare:
        return f"has {len(bare)} functions without ENDBR64, as {bare[:3]}"


CHECKS = [pie, relro, bind_now, stack_not_executable,
          nothing_writable_and_executable, no_search_path, stack_protector,
          fortified, library_assertions, stack_clash, branch_targets]


@pytest.fixture(scope="module")
def read(programs):
    if shutil.which("readelf") is None:
        pytest.skip("readelf IS NOT INSTALLED: hardening is not proved here")
    build = settings_of(programs.parent)
    if build.get("CMAKE_BUILD_TYPE", "Release") != "Release" or build.get(
            "OSTIARY_SANITIZE"):
        pytest.skip("these programs are not a release build: they do not ship")
    return {name: Program(programs / name) for name in PROGRAMS}


def settings_of(build):
    """Of CMake, if the programs lie where it built them."""
    cache = build / "CMakeCache.txt"
    if not cache.exists():
        return {}
    return dict(re.findall(r"^(\w+):\w+=(.*)$", cache.read_text(),
                           re.MULTILINE))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_hardened(read, name, check):
    assert check(read[name]) is None


UNPROTECTED = """
#include <stdio.h>
#include <string.h>
#include <vector>
__asm__(".section .writable,\\"awx\\"\\n.byte 0\\n.previous");
int main(int argc, char** argv) {
  char large[3 * 4096], small[8];
  std::vector<int> numbers(argc);
  strcpy(small, argv[0]);
  memset(large, argc, sizeof large);
  printf("%d %s %d\\n", large[argc], small, numbers[argc - 1]);
}
"""
WITHOUT = ["-O1", "-no-pie", "-fno-pie", "-fno-stack-protector",
           "-fcf-protection=none", "-fno-stack-clash-protection",
           "-U_FORTIFY_SOURCE", "-U_GLIBCXX_ASSERTIONS",
           "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp"]


@pytest.fixture(scope="module")
def unprotected(tmp_path_factory, read):
    if shutil.which("g++") is None or not read["ostiaryd"].is_x86_64:
        pytest.skip("NO g++ FOR x86-64: that the checks can fail is not proved")
    folder = tmp_path_factory.mktemp("unprotected")
    (folder / "program.cc").write_text(UNPROTECTED)
    subprocess.run(["g++", *WITHOUT, "program.cc", "-o", "program"], cwd=folder,
                   check=True, capture_output=True)
    return Program(folder / "program")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_program_without_it_is_noticed(unprotected, check):
    assert check(unprotected) is not None


REQUIRED = ["-D_FORTIFY_SOURCE=3", "-D_GLIBCXX_ASSERTIONS", "-O2",
            "-fstack-protector-strong", "-fstack-clash-protection",
            "-fcf-protection"]


def test_every_file_that_ships_is_compiled_so(programs, read):
    """Level 3 of _FORTIFY_SOURCE leaves no trace that level 2 does not."""
    commands = programs.parent / "compile_commands.json"
    if not commands.exists():
        pytest.skip("the programs do not lie where they were built")
    build = settings_of(programs.parent)
    if "clang" in build["CMAKE_CXX_COMPILER"]:
        pytest.skip("another compiler than GCC has other words for it")
    tests = [Path(build["CMAKE_HOME_DIRECTORY"]) / "tests",
             programs.parent / "tests"]
    # A test may compile a file of the server's once more, for itself.
    shipped = [entry for entry in json.loads(commands.read_text())
               if " -o tests/" not in entry["command"]
               and not any(Path(entry["file"]).is_relative_to(folder)
                           for folder in tests)]
    assert len(shipped) > 200
    lacking = {entry["file"]: missing for entry in shipped if (
        missing := [flag for flag in REQUIRED
                    if flag not in entry["command"].split()])}
    assert lacking == {}
