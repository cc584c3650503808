"""Sum JUnit files over several builds.

tally.py note FILE passed|failed NAME LOG   write a result of one case, with the end of its log
tally.py meson FILE TESTLOG.JSON            write what meson knows of a run, TAP case by TAP case
tally.py sum FOLDER                         show every failure with its output, then, as the last
                                            line, "N passed, N failed"; exit status 1 if any failed
"""
import json
import os
import re
import sys
import xml.etree.ElementTree as ET

SHOWN = 6000  # characters of a failure's output
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


def note(path, result, name, log):
    suite = ET.Element("testsuite", name=name)
    case = ET.SubElement(suite, "testcase", classname=name, name=name)
    if result != "passed":
        with open(log, encoding="utf-8", errors="replace") as f:
            text = NOT_XML.sub("?", f.read()[-SHOWN:])
        ET.SubElement(case, "failure", message="see the log").text = text
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


TAP_CASE = re.compile(r"(not )?ok \d+(?: -)? ?(.*)")


def tap_cases(text):
    """(name, failed, comments) of each case of a TAP stream."""
    cases = []
    for line in text.splitlines():
        match = TAP_CASE.match(line)
        if match:
            cases.append([match.group(2), bool(match.group(1)), ""])
        elif cases and line.startswith("#"):
            cases[-1][2] += line + "\n"
    return cases


def both_ends(text):
    half = SHOWN // 2
    return text if len(text) <= SHOWN else f"{text[:half]}\n[...]\n{text[-half:]}"


def meson(path, log):
    """Meson's own JUnit file forgets a program that crashed after its last good case."""
    root = ET.Element("testsuites")
    with open(log, encoding="utf-8", errors="replace") as f:
        tests = [json.loads(line) for line in f]
    for test in tests:
        out, err = test.get("stdout") or "", test.get("stderr") or ""
        suite = ET.SubElement(root, "testsuite", name=test["name"])
        cases = tap_cases(out)
        bad = test["result"] not in ("OK", "EXPECTEDFAIL", "SKIP")
        if not cases or (bad and not any(failed for _, failed, _ in cases)):
            end = f"{test['result'].lower()}, exit status {test.get('returncode')}\n"
            cases.append(["as a whole", bad, end + ("" if cases else out[-SHOWN:])])
        for name, failed, comments in cases:
            case = ET.SubElement(suite, "testcase", classname=test["name"], name=name)
            if failed:
                text = comments[:SHOWN] + "\n" + both_ends(err)
                ET.SubElement(case, "failure", message="see the text").text = NOT_XML.sub("?", text)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def total(folder):
    passed = failed = 0
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".xml"):
            continue
        for suite in ET.parse(os.path.join(folder, file)).getroot().iter("testsuite"):
            for case in suite.findall("testcase"):
                wrong = [e for e in case if e.tag in ("failure", "error")]
                skipped = case.find("skipped")
                if skipped is not None:
                    print(f"-- skipped {file[:-4]}: {case.get('name')}: {skipped.get('message')}")
                    continue
                passed += not wrong
                failed += bool(wrong)
                if wrong:
                    print(f"-- FAILED {file[:-4]}: {suite.get('name')} {case.get('name')}")
                for line in "\n".join(e.text or "" for e in wrong)[-2 * SHOWN:].splitlines():
                    print("   " + line)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] == "note":
        note(*sys.argv[2:])
    elif len(sys.argv) == 4 and sys.argv[1] == "meson":
        meson(*sys.argv[2:])
    elif len(sys.argv) == 3 and sys.argv[1] == "sum":
        sys.exit(total(sys.argv[2]))
    else:
        sys.exit(__doc__)
