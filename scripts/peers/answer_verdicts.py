"""Verdicts of Math-Verify (PyPI math-verify), and its own regression cases.

Usage: python answer_verdicts.py cases SDIST prints the cases of an unpacked source distribution as JSON: [{test, gold, text, want}]
       python answer_verdicts.py judge      reads a JSON list of [gold, text] from stdin, prints a JSON list of booleans
"""

import ast
import json
import math
import pathlib
import sys

FILES = ["test_all", "test_numina_cases", "test_open_thoughts", "test_yujianll", "test_boxed", "test_strict"]


def cases(sdist):
    for name in FILES:
        tree = ast.parse(pathlib.Path(sdist, "tests", f"{name}.py").read_text())
        for test in tree.body:
            for mark in getattr(test, "decorator_list", []):
                if isinstance(mark, ast.Call) and getattr(mark.func, "attr", "") == "parametrize":
                    rows = eval(compile(ast.Expression(mark.args[1]), name, "eval"), {"math": math})
                    names = [part.strip() for part in mark.args[0].value.split(",")]
                    for row in rows:
                        given = dict(zip(names, row))
                        want = given.get("expected", given.get("result"))
                        yield {"test": test.name, "gold": given["gold"], "text": given["pred"], "want": bool(want)}


def judge(pairs):
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, StringExtractionConfig, parse, verify

    targets = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig(), StringExtractionConfig()]

    patience = 60  # seconds; with the usual 5, a busy machine would decide

    def right(gold, text):
        # Math-Verify reads a formula as LaTeX only between dollar signs.
        dressed = gold if "$" in gold or "\\boxed" in gold or "\\(" in gold else f"${gold}$"
        golds = [parse(one, targets, parsing_timeout=patience) for one in (gold, dressed)]
        said = parse(text, targets, parsing_timeout=patience)
        return any(verify(parsed, said, timeout_seconds=patience) for parsed in golds)

    return [bool(right(gold, text)) for gold, text in pairs]


if sys.argv[1] == "cases":
    print(json.dumps(list(cases(sys.argv[2]))))
else:
    print(json.dumps(judge(json.load(sys.stdin))))
