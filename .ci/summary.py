"""Says what `make test` ran, what it skipped, and what was slow. A test that exists and didn't run is named, and fails.

    summary.py DIRECTORY    with what cargo-nextest reports (*.xml) and lists (*.json), and rustdoc's examples.log
"""

import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

SLOWEST = 10
IGNORED = re.compile(r"^test (.+) \.\.\. ignored", re.MULTILINE)
RESULT = re.compile(r"^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)


def main(directory: Path) -> None:
    seconds, failed = read_reports(directory)
    expected, ignored = read_lists(directory)
    examples = directory / "examples.log"
    said = examples.read_text() if examples.exists() else ""
    counts = [[int(count) for count in found] for found in RESULT.findall(said)]
    example_count, example_failed, _ = map(sum, zip(*counts)) if counts else (0, 0, 0)
    ignored |= set(IGNORED.findall(said))

    print(f"the {SLOWEST} slowest tests:")
    for name in sorted(seconds, key=seconds.get, reverse=True)[:SLOWEST]:
        print(f"{seconds[name]:8.1f} s  {name}")
    for name in sorted(ignored):
        print(f"skipped, as it asks itself: {name}")
    # Without a look at the examples this isn't the end: a stage has failed, and what comes after it didn't run.
    missing = sorted(expected - seconds.keys()) if said else []
    for name in missing:
        print(f"exists and did not run: {name}")
    passed = len(seconds) - len(failed) + example_count
    print(f"total: {passed} passed, {len(failed) + example_failed} failed, {len(ignored)} skipped")
    sys.exit(bool(missing))


def read_reports(directory: Path) -> tuple[dict[str, float], set[str]]:
    """Seconds of each test that ran, and those that failed. A test that ran in two stages counts once."""
    seconds, failed = {}, set()
    for report in sorted(directory.glob("*.xml")):
        for case in xml.parse(report).iter("testcase"):
            name = f"{case.get('classname')} {case.get('name')}"
            seconds[name] = max(seconds.get(name, 0), float(case.get("time")))
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(name)
    return seconds, failed


def read_lists(directory: Path) -> tuple[set[str], set[str]]:
    """The tests that are to run, and those that ask to be ignored."""
    expected, ignored = set(), set()
    for listed in directory.glob("*.json"):
        for suite in json.loads(listed.read_text())["rust-suites"].values():
            for test, about in suite["testcases"].items():
                (ignored if about["ignored"] else expected).add(f"{suite['binary-id']} {test}")
    return expected, ignored


main(Path(sys.argv[1]))
