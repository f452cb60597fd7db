#!/usr/bin/env python3
"""Adds up test results: prints `passed failed skipped`.

  count_results.py xml FILE...     JUnit files, as GoogleTest and pytest write them
  count_results.py ctest LOG DIR   what ctest printed, and the folder where its
                                   binaries left their XML
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def count_xml(paths):
    passed = failed = skipped = 0
    for path in paths:
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except (ElementTree.ParseError, OSError):
            failed += 1  # cut off in the middle: its program died
            continue
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def count_silent_failures(log, xml_folder):
    """Binaries ctest calls failed whose XML has no failure: crashes, time-outs,
    sanitizer reports after the last case."""
    with open(log, errors="replace") as lines:
        text = lines.read()
    listed = text.partition("The following tests FAILED:")[2]
    failed = 0
    for name in re.findall(r"^\s+\d+ - (\S+) \(", listed, re.MULTILINE):
        path = os.path.join(xml_folder, name + ".xml")
        if not os.path.exists(path) or count_xml([path])[1] == 0:
            failed += 1
    return failed


def main():
    if len(sys.argv) >= 3 and sys.argv[1] == "xml":
        print(*count_xml(sys.argv[2:]))
    elif len(sys.argv) == 4 and sys.argv[1] == "ctest":
        folder = sys.argv[3]
        files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        passed, failed, skipped = count_xml(files)
        print(passed, failed + count_silent_failures(sys.argv[2], folder), skipped)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
