#!/usr/bin/env python3
"""Makes macro_unemployment.csv and nino12_anomalies.csv from the raw series beside them.

    python3 data/prepare.py

Standard library only.
"""

import csv
import math
from pathlib import Path

HERE = Path(__file__).parent


def rows(name):
    with open(HERE / name, newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def write(name, header, table):
    with open(HERE / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([[repr(round(x, 10)) for x in row] for row in table])


def macro():
    """Changes from the same quarter of the year before: of logarithms where growth rates are meant."""
    raw = rows("us_macro_quarterly.csv")
    growth = ["realgdp", "realcons", "realinv", "realgovt", "realdpi", "cpi", "m1", "pop"]
    change = ["tbilrate", "unemp"]

    def year_on_year(t):
        now, then = raw[t], raw[t - 4]
        return [math.log(now[c] / then[c]) for c in growth] + [now[c] - then[c] for c in change]

    write("macro_unemployment.csv", growth + change, map(year_on_year, range(4, len(raw))))


def nino():
    """Deviations of each month from the mean of its calendar month, one row a month."""
    raw = rows("nino12_sst_monthly.csv")
    months = [c for c in raw[0] if c != "YEAR"]
    mean = {m: sum(r[m] for r in raw) / len(raw) for m in months}
    table = [[r["YEAR"] + i / 12, r[m] - mean[m]] for r in raw for i, m in enumerate(months)]
    write("nino12_anomalies.csv", ["time", "anomaly"], table)


macro()
nino()
