"""The table of benches/step_rate.sh, and its raw results as one JSON file.

    step_rate_table.py FOLDER THREADS        FOLDER holds ours.jsonl and jax.jsonl
"""

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys

folder, threads = pathlib.Path(sys.argv[1]), int(sys.argv[2])
lines = lambda name: [json.loads(line) for line in (folder / name).read_text().splitlines()]
command = lambda *words: subprocess.run(words, capture_output=True, text=True).stdout.strip()

workloads = {}
for line in lines("ours.jsonl"):
    found = workloads.setdefault(line["workload"], {"members": line["members"], "ours": [], "ours_undisturbed_thread": []})
    found["ours"] += line["rates"]
    found["ours_undisturbed_thread"].append(line["undisturbed_thread"])
    device = line["device"]
for line in lines("jax.jsonl"):
    if "workload" in line:
        found = workloads[line["workload"]]
        found.update(jax_setup=line, jax=[])
    else:
        found["jax"].append(line["rate"])

cores = len(os.sched_getaffinity(0))
result = {
    "date": datetime.date.today().isoformat(),
    "commit": command("git", "rev-parse", "HEAD") + ("-dirty" if command("git", "status", "--porcelain", "src") else ""),
    "cpu": device,
    "cores": cores,
    "threads": threads,
    "load_average_at_the_end": os.getloadavg(),
    "rustc": command("rustc", "--version"),
    "workloads": workloads,
}
target = pathlib.Path("benches/results") / f"{result['date']}-cpu-{cores}core"
target.mkdir(parents=True, exist_ok=True)
(target / "step_rate.json").write_text(json.dumps(result, indent=1) + "\n")

print(f"config-steps per second, {threads} threads each, {device}; median (min to max)")
print(f"{'workload':<15} {'members':>7}  {'manytune':>32}  {'JAX jit(vmap(scan))':>32}  {'ratio':>5}")
for name, found in workloads.items():
    shown = lambda rates: f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
    ratio = statistics.median(found["ours"]) / statistics.median(found["jax"])
    print(f"{name:<15} {found['members']:>7}  {shown(found['ours']):>32}  {shown(found['jax']):>32}  {ratio:5.2f}")
print(f"raw: {target / 'step_rate.json'}")
