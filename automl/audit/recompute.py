"""Compute every counts-based number of an audit again:  python3 recompute.py [FOLDER]
Reads evidence.json and counts.csv in FOLDER (default: here), as they are attached to the report; needs Python 3.9 or later and no library. From the counts alone:
rates (Wilson), impact ratios (MOVER-R) and their labels, differences, gaps and comparisons of error rates (Newcombe, MOVER-R; several at once from Clopper and Pearson's limits), Fisher's exact test, mid-p, z, Holm, shortfall, flip-flop, unknown bands.
Not again: what needs rows (AUC, calibration, means), omnibus tests, detectable ratios and, where rows have weights or repeat a person, all but the counts. Exit code 0: all equal; 1: some differ; 2: unreadable."""
from __future__ import annotations

import csv
import json
import sys
from fractions import Fraction
from functools import cache
from math import erfc, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

Count = tuple[int, int]
equal, differences = list[str](), list[str]()
holm_tests: list[tuple[str, dict, float]] = []

def compare(pointer: str, said: object, computed: object, relative: float = 1e-9, smallest: float = 1.0) -> None:
    same = said == computed or (isinstance(said, (int, float)) and isinstance(computed, (int, float)) and abs(said - computed) <= relative * max(abs(computed), smallest))
    (equal if same else differences).append(f"{pointer}: evidence.json says {said}, the counts give {computed}")

def check(pointer: str, said: dict, computed: dict | None) -> None:
    if computed is None or "reason" in said:  # nothing could be measured: both must say so
        return compare(f"{pointer} is measured", "reason" not in said, computed is not None)
    for name, number in computed.items():
        compare(f"{pointer}/{name}", said[name], number)

def wilson(c: Count, one_sided: float = 0.025) -> tuple[float, float]:
    (k, n), z = c, NormalDist().inv_cdf(1 - one_sided)
    middle, half = (k + z * z / 2) / (n + z * z), z / (n + z * z) * sqrt(k * (n - k) / max(n, 1) + z * z / 4)
    return (0.0 if k == 0 else max(0.0, middle - half)), (1.0 if k == n else min(1.0, middle + half))

def rate(c: Count) -> dict | None:
    return {"value": c[0] / c[1], "low": wilson(c)[0], "high": wilson(c)[1], "k": c[0], "n": c[1], "low_precision": c[1] < 30} if c[1] else None

@cache
def least(k: int, n: int, one_sided: float) -> float:  # Clopper and Pearson's lower limit: the rate at which k of n or more has that chance
    low, high = 0.0, k / max(n, 1)
    for _ in range(60 if k else 0):
        p, x, chance = (low + high) / 2, k, 0.0
        term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
        while term > chance * 1e-17:
            chance, term, x = chance + term, term * (n - x) / (x + 1) * p / (1 - p), x + 1
        low, high = (p, high) if chance < one_sided else (low, p)
    return low

def limits(c: Count, one_sided: float, exact: bool) -> tuple[float, float]:
    return (least(c[0], c[1], one_sided), 1 - least(c[1] - c[0], c[1], one_sided)) if exact else wilson(c, one_sided)

def newcombe(a: Count, b: Count, level: float = 0.95) -> dict | None:
    (l1, u1), (l2, u2), p1, p2 = *(limits(c, (1 - level) / 2, level > 0.951) for c in (a, b)), a[0] / max(a[1], 1), b[0] / max(b[1], 1)
    return {"value": p1 - p2, "low": p1 - p2 - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2), "high": p1 - p2 + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)} if a[1] and b[1] else None

def mover_r(a: Count, b: Count, one_sided: float = 0.025, exact: bool = False) -> tuple[float, float]:
    (l1, u1), (l2, u2) = [limits(c, one_sided, exact) for c in (a, b)]
    p1, p2 = a[0] / a[1], b[0] / b[1]
    low = p1 * p2 + sqrt(max(0.0, (p1 * p2) ** 2 - l1 * u2 * (2 * p1 - l1) * (2 * p2 - u2)))
    high = p1 * p2 + sqrt(max(0.0, (p1 * p2) ** 2 - u1 * l2 * (2 * p1 - u1) * (2 * p2 - l2)))
    return (l1 * (2 * p1 - l1) / low if l1 > 0 else 0.0), (high / (l2 * (2 * p2 - l2)) if l2 > 0 else float("inf"))

def check_comparison(pointer: str, said: dict, name: str, i: int, counts: list[Count], names: list[str]) -> None:
    have, c = [j for j, (_, n) in enumerate(counts) if n], counts[i]
    if i not in have or len(have) < 2:
        return check(f"{pointer}/minus_all", said["minus_all"], None)
    best = max([j for j in have if counts[j][1] >= 30] or have, key=lambda j: ((-1 if name in ("fpr", "fnr") else 1) * Fraction(*counts[j]), counts[j][1]))
    rest, alpha = (sum(counts[j][0] for j in have if j != i), sum(counts[j][1] for j in have if j != i)), 0.05 / (1 if len(have) == 2 else len(have))
    check(pointer, said, {"best": names[best]})
    for to, other, level, share in (("all", rest, 1 - alpha, c[1] / (c[1] + rest[1])), ("best", counts[best], 1 - 0.05 / (len(have) * (len(have) - 1) // 2), 0.0)):
        found = zip(("value", "low", "high"), (c[0] / c[1] / (other[0] / other[1]) if other[0] else float("inf"), *mover_r(c, other, (1 - level) / 2, level > 0.951)))  # noqa: B905 - of Python 3.10
        ratios = {key: 1 / share if number == float("inf") and share else number / (share * number + 1 - share) for key, number in found} if other[0] or (c[0] and share) else None
        check(f"{pointer}/minus_{to}", said[f"minus_{to}"], None if (to, i) == ("best", best) else {key: (1 - share) * number for key, number in (newcombe(c, other, level) or {}).items()})
        check(f"{pointer}/over_{to}", said[f"over_{to}"], None if (to, i) == ("best", best) else ratios)

def highest(counts: list[Count], names: list[str]) -> int | None:
    return min(range(len(counts)), key=lambda i: (-Fraction(*counts[i]), -counts[i][1], names[i])) if any(k for k, _ in counts) else None

def ratio(i: int, counts: list[Count], names: list[str], reference: int | None, named: bool, limit: float) -> dict | None:
    if len(counts) < 2 or reference is None or counts[reference][0] == 0:
        return None
    a, (k_ref, n_ref), many, found = counts[i], counts[reference], len(counts) - 1, []
    below, equal_rates = (0.025, 0.01 / many) if named else (0.025 / many, 0.01 / many / (many + 1))
    for b, name in [(counts[h], names[h]) for h in ([reference] if named else range(len(counts))) if i not in (h, reference)]:
        quotient = least(*a, 0.0125) / (1 - least(b[1] - b[0], b[1], 0.0125)) if b[1] - b[0] < 10 else float("inf")
        found.append((min(mover_r(a, b)[0], mover_r(a, b, exact=True)[0], quotient), max(mover_r(a, b, below)[1], mover_r(a, b, below, True)[1]), mover_r(a, b, equal_rates, True)[1] < 1, name))
    shown, weakest = [one for one in found if one[1] < limit and one[2]], min(found, key=lambda one: one[0], default=(0.0, 0.0, False, ""))
    upper, not_below = min(shown or found, key=lambda one: one[1], default=weakest), bool(found) and weakest[0] >= limit and not shown
    (low, high), word = (mover_r(a, counts[reference]), "not_below" if not_below else "below" if shown else "inconclusive") if found else ((1.0, 1.0), "reference")
    return {"value": a[0] * n_ref / (a[1] * k_ref), "low": low, "high": high, "k": a[0], "n": a[1], "k_ref": k_ref, "n_ref": n_ref, "label": word,
            "label_level": (0.025 if not_below else below) if found else None, "label_contrast": (weakest if not_below else upper)[3], "label_low": weakest[0] if found else None, "label_high": upper[1] if found else None,
            "below_limit_exact": Fraction(*a) < Fraction(repr(limit)) * Fraction(k_ref, n_ref)}

def check_outcome(pointer: str, group: dict, names: tuple[str, str, str], c: Count, found: dict | None, theirs: Count | None, unknown: Count) -> None:
    for name, computed in {names[0]: rate(c), names[1]: found}.items():
        check(f"{pointer}/{name}", group[name], computed)
    if group[names[2]] and theirs:
        (k, n), (k_ref, n_ref), yes, no = c, theirs, unknown[0], unknown[1] - unknown[0]
        check(f"{pointer}/{names[2]}", group[names[2]], {"low": k / (n + no) / ((k_ref + yes) / (n_ref + yes)), "high": (k + yes) / (n + yes) / (k_ref / (n_ref + no))})

def fisher(a: Count, b: Count) -> tuple[float, float]:
    (k, n1), n2, total = a, b[1], a[0] + b[0]
    first, last = max(0, total - n2), min(total, n1)
    mode = min(max((n1 + 1) * (total + 1) // (n1 + n2 + 2), first), last)
    weights = {mode: 1.0}  # hypergeometric, outwards from the mode
    for step in (1, -1):
        x, w = mode, 1.0
        while first <= x + step <= last and w > 0:
            w *= (total - x) * (n1 - x) / ((x + 1) * (n2 - total + x + 1)) if step > 0 else x * (n2 - total + x) / ((total - x + 1) * (n1 - x + 1))
            weights[x := x + step] = w
    mine, whole, same_as = weights.get(k, 0.0), sum(weights.values()), 1 + 1e-7
    less, same = sum(w for w in weights.values() if w < mine / same_as), sum(w for w in weights.values() if mine / same_as <= w <= mine * same_as)
    return min(1.0, (less + same) / whole), min(1.0, (less + same / 2) / whole)

def check_tests(pointer: str, tests: list[dict], a: Count, b: Count) -> None:
    pooled, (p, mid) = (a[0] + b[0]) / (a[1] + b[1]), fisher(a, b)
    z = (a[0] / a[1] - b[0] / b[1]) / sqrt(pooled * (1 - pooled) * (1 / a[1] + 1 / b[1])) if 0 < pooled < 1 else 0.0
    for at, test in enumerate(tests):
        compare(f"{pointer}/{at}/p", test["p"], {"fisher": p, "mid_p": mid, "z": erfc(abs(z) / sqrt(2))}[test["name"]], 1e-6, 1e-6)
        compare(f"{pointer}/{at}/statistic", test["statistic"], z if test["name"] == "z" else None)
        if test["p_adjusted"] is not None:
            holm_tests.append((f"{pointer}/{at}/p_adjusted", test, p))

def errors(row: dict[str, int]) -> dict[str, Count]:
    tp, fp, fn, tn = (row[name] for name in ("true_positives", "false_positives", "false_negatives", "true_negatives"))
    return {"tpr": (tp, tp + fn), "fpr": (fp, fp + tn), "fnr": (fn, tp + fn), "tnr": (tn, fp + tn), "ppv": (tp, tp + fp), "npv": (tn, tn + fn), "accuracy": (tp + tn, row["n"])}

def check_table(pointer: str, table: dict, rows: dict[str, dict[str, int]], limit: float, exact: bool) -> None:
    groups, names = table["groups"], [group["group"] for group in table["groups"]]
    mine, unknown = [rows[f"{pointer}/groups/{i}"] for i in range(len(groups))], rows[f"{pointer}/unknown"] if groups else {"n": table["unknown"]}
    check(pointer, table, {"unknown": unknown["n"]})
    for i, group in enumerate(groups):
        check(f"{pointer}/groups/{i}", group, {"n": mine[i]["n"], "selected": mine[i].get("selected"), "share": mine[i]["n"] / sum(row["n"] for row in mine)})
        if exact and "above_median" in group["score"]:
            check(f"{pointer}/groups/{i}/score/above_median", group["score"]["above_median"], rate((mine[i]["above_median"], mine[i]["n"])))
    if not exact or not mine or "selected" not in mine[0]:
        return
    counts, named = [(row["selected"], row["n"]) for row in mine], table["reference_named"]
    reference, pool = names.index(table["reference"]) if named else highest(counts, names), (sum(k for k, _ in counts), sum(n for _, n in counts))
    check(pointer, table, {"reference": None if reference is None else names[reference]})
    for i, group in enumerate(groups):
        here, (k, n), rest, theirs = f"{pointer}/groups/{i}", counts[i], (pool[0] - counts[i][0], pool[1] - counts[i][1]), None if reference in (i, None) else counts[reference]
        check_outcome(here, group, ("selection_rate", "impact_ratio", "unknown_band"), (k, n), ratio(i, counts, names, reference, named, limit), theirs, (unknown.get("selected", 0), unknown["n"]))
        if rest[1]:
            check(f"{here}/versus_rest/difference", group["versus_rest"]["difference"], newcombe((k, n), rest))
            check_tests(f"{here}/versus_rest/tests", group["versus_rest"]["tests"], (k, n), rest)
        check(f"{here}/shortfall", group["shortfall"], {f"to_{name}": n * c[0] / c[1] - k if c and c[1] else None for name, c in (("pool", pool), ("rest", rest), ("reference", theirs))})
        against = {"gaps": mine[reference or 0] if theirs else {}, "gaps_to_rest": {name: sum(row.get(name, 0) for row in mine[:i] + mine[i + 1:]) for name in mine[i]}}
        for name, c in errors(mine[i]).items() if "tpr" in group["error_rates"] else ():
            check(f"{here}/error_rates/{name}", group["error_rates"][name], rate(c))
            if name in group["error_rates"].get("compared", {}):
                check_comparison(f"{here}/error_rates/compared/{name}", group["error_rates"]["compared"][name], name, i, [errors(row)[name] for row in mine], names)
            for key in [key for key in against if against[key] and name in group["error_rates"].get(key, {})]:
                check(f"{here}/error_rates/{key}/{name}", gap := group["error_rates"][key][name], newcombe(c, errors(against[key])[name], gap.get("level", 0.95)))
        (low_k, low_n), (high_k, high_n) = sorted(((k, n), theirs or (k, n)), key=lambda c: Fraction(*c))
        check(here, group, {"flip_flop": high_k > 0 and low_k < low_n and Fraction(low_k + 1, low_n) > Fraction(high_k - 1, high_n) if theirs else None})

def check_law(pointer: str, table: dict, rows: dict[str, dict[str, int]], limit: float, exact: bool) -> None:
    mine = [rows[f"{pointer}/rows/{i}"] for i in range(len(table["rows"]))]
    included = [i for i, row in enumerate(table["rows"]) if mine[i]["n"] and not row["excluded"]]
    check(pointer, table, {"unknown": rows[f"{pointer}/unknown"]["n"], "people": sum(row["n"] for row in mine)})
    for i, row in enumerate(table["rows"]):
        check(f"{pointer}/rows/{i}", row, {"n": mine[i]["n"]})
        compare(f"{pointer}/rows/{i} may be left out", bool(row["excluded"]), bool(row["excluded"]) and mine[i]["n"] * 50 < table["people"])
    for hits, name, of in (("selected", "selection_rate", ""), ("above_median", "scoring_rate", "scoring_")):
        counts, names = [(mine[i].get(hits, 0), mine[i]["n"]) for i in included], [table["rows"][i]["category"] for i in included]
        best, unknown = highest(counts, names), (rows[f"{pointer}/unknown"].get(hits, 0), rows[f"{pointer}/unknown"]["n"])
        for i, row in enumerate(table["rows"]) if exact and hits in mine[0] else ():
            check(f"{pointer}/rows/{i}", row, {hits: mine[i][hits]})
            found = ratio(included.index(i), counts, names, best, False, limit) if i in included else None
            check_outcome(f"{pointer}/rows/{i}", row, (name, f"{of}impact_ratio", f"{of}unknown_band"), (mine[i][hits], mine[i]["n"]), found, None if best is None else counts[best], unknown)

def main(folder: str) -> int:
    try:
        with open(f"{folder}/evidence.json", encoding="utf-8") as file, open(f"{folder}/counts.csv", encoding="utf-8", newline="") as counts:
            document = json.load(file)
            rows = {row["pointer"]: {name: int(cell) for name, cell in row.items() if name not in ("pointer", "group") and cell} for row in csv.DictReader(counts)}
        fairness, design, limit = document["fairness"], document["design"], document["spec"]["limit"]["ratio"]
        exact = design["independent"] and design["weights"] is None
        for pointer, part in [(f"/{room}{at}", one) for room in ("fairness", "local_law_144") for at, one in [("", document[room]), *((f"/by_class/{i}", one) for i, one in enumerate(document[room].get("by_class", ())))]]:
            for name, i, table in [(each, at, found) for each in ("attributes", "intersections") for at, found in enumerate(part.get(each, ()))]:
                check_table(f"{pointer}/{name}/{i}", table, rows, limit, exact)
            for name in [each for each in ("sex", "race", "intersectional") if "rows" in part.get(each, ())]:
                check_law(f"{pointer}/{name}", part[name], rows, limit, design["independent"])
        p_of, adjusted = {test["contrast"]: p for _, test, p in holm_tests}, {"": 0.0}
        for rank, (contrast, p) in enumerate(sorted(p_of.items(), key=lambda item: item[1])):
            adjusted[contrast] = max(*adjusted.values(), min(1.0, (len(p_of) - rank) * p))
        for pointer, test, _ in holm_tests:
            compare(pointer, test["p_adjusted"], adjusted[test["contrast"]], 1e-6, 1e-6)
        if exact and "family" in fairness:
            compare("/fairness/family/tests", fairness["family"]["tests"], len(p_of))
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"evidence.json and counts.csv cannot be read as a pair: {type(error).__name__} {error}", file=sys.stderr)
        return 2
    print(*differences, f"{'NOT EQUAL' if differences else 'equal'}: {len(equal):,} values of evidence.json agree with counts.csv, {len(differences):,} do not"
          + ("" if exact else "; rows are weighted or repeat a person, so that of the fairness tables only the counts were compared"), sep="\n")
    return 1 if differences else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
