"""Sum JUnit files over several builds.

tally.py note FILE passed|failed NAME LOG   write a result of one case, with the end of its log
tally.py sum FOLDER                         show every failure with its output, then, as the last
                                            line, "N passed, N failed"; exit status 1 if any failed
"""
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


def tap_failures(text):
    """Each "not ok" line of a TAP stream with the comments that belong to it."""
    kept, keep = [], False
    for line in text.splitlines():
        if not line.startswith("#"):
            keep = line.startswith("not ok")
        if keep:
            kept.append(line)
    return "\n".join(kept)


def output_of(suite, case):
    """What the case itself says, else what its program said: failures first, then the end."""
    own = "\n".join(e.text for e in case.iter() if e.text and e.text.strip())
    if own:
        return own[-SHOWN:]
    said = "\n".join(e.text for e in suite.findall("system-out") if e.text)
    errors = "\n".join(e.text for e in suite.findall("system-err") if e.text)
    return (tap_failures(said) or said)[:SHOWN] + "\n" + errors[-SHOWN // 2:]


def total(folder):
    passed = failed = 0
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".xml"):
            continue
        for suite in ET.parse(os.path.join(folder, file)).getroot().iter("testsuite"):
            shown = set()
            for case in suite.findall("testcase"):
                if case.find("skipped") is not None:
                    continue
                if case.find("failure") is None and case.find("error") is None:
                    passed += 1
                    continue
                failed += 1
                print(f"-- FAILED {file[:-4]}: {suite.get('name')} {case.get('name')}")
                text = output_of(suite, case)
                if text not in shown:  # the same for all cases of one program
                    shown.add(text)
                    print("\n".join("   " + line for line in text.splitlines()))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] == "note":
        note(*sys.argv[2:])
    elif len(sys.argv) == 3 and sys.argv[1] == "sum":
        sys.exit(total(sys.argv[2]))
    else:
        sys.exit(__doc__)
