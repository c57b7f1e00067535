"""A line of the table of benches/real_tables.sh, and its raw results as a JSON file.

    real_tables_table.py FOLDER TABLE        FOLDER holds what the script wrote
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys

folder, table = pathlib.Path(sys.argv[1]), sys.argv[2]
command = lambda *words: subprocess.run(words, capture_output=True, text=True).stdout.strip()
ours = json.loads((folder / f"{table}.ours.json").read_text())
start, end = map(float, (folder / f"{table}.ours.time").read_text().split())
peer = json.loads((folder / f"{table}.sklearn.json").read_text())
epochs = sum(trial["epochs"] for trial in ours["trials"])
mine = {"trials": len(ours["trials"]), "seconds": end - start, "best": ours["best"]["value"], "epochs": epochs}

cores = len(os.sched_getaffinity(0))
result = {
    "date": datetime.date.today().isoformat(), "commit": command("git", "rev-parse", "HEAD"), "device": ours["device"],
    "engine": ours["engine"], "cores": cores, "load_average_at_the_end": os.getloadavg(), "table": table,
    "objective": ours["objective"], "ours": mine | {"hyperparameters": ours["best"]["hyperparameters"]}, "sklearn": peer,
}
target = pathlib.Path("benches/results") / f"{result['date']}-cpu-{cores}core"
target.mkdir(parents=True, exist_ok=True)
(target / f"{table}.json").write_text(json.dumps(result, indent=1) + "\n")

print(f"{table}, {peer['folds']} fold{'s' * (peer['folds'] > 1)}, {ours['objective']}, same rows held out:")
# An epoch of a trial is one of each of its folds. scikit-learn stops on its training loss, ours on its
# validation score: the time of an epoch compares the work, that of a trial what a user waits for.
ratios = {}
for unit in ["trials", "epochs"]:
    ratios[unit] = (peer["seconds"] / peer[unit]) / (mine["seconds"] / mine[unit])
for name, found in [("manytune", mine), (f"scikit-learn {peer['sklearn']}", peer)]:
    trial, epoch = found["seconds"] / found["trials"], found["seconds"] / found["epochs"]
    print(f"  {name:<20} {found['trials']:>4} trials, {found['epochs']:>6.0f} epochs in {found['seconds']:7.1f} s: {trial:7.3f} s a trial, {1000 * epoch:7.2f} ms an epoch, best {found['best']:.4f}")
print(f"  {ratios['trials']:.1f} times less time a trial, {ratios['epochs']:.1f} times less an epoch")
