#!/usr/bin/env bash
# Time and best score of `manytune tune` on real tables, beside scikit-learn on the same folds.
#
#   benches/real_tables.sh [table=trials_of_scikit-learn …]
#
# Default: penguins=100 titanic=100 diamonds=6 mnist=6. Ours runs 100 trials of random search on the CPU
# engine; scikit-learn takes as many trials as said, since 100 of its trials take hours on the larger
# tables: the table compares the time per trial and names both counts. Needs a Python with scikit-learn and pandas:
# PYTHON=…/bin/python. Writes raw JSON under benches/results/<date>-cpu-<cores>core/.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
engine="${ENGINE:-cpu}"
[ $# -gt 0 ] || set -- penguins=100 titanic=100 diamonds=6 mnist=6
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cargo build --release
cargo bench --bench export_folds --no-run
for pair in "$@"; do
    table="${pair%%=*}" trials="${pair##*=}"
    study="benches/studies/$table.toml"
    cargo bench --quiet --bench export_folds -- "$study" >"$work/$table.folds.json"
    start="$(date +%s.%N)"
    target/release/manytune tune "$study" --strategy random --engine "$engine" --out "$work/$table" --quiet >/dev/null
    end="$(date +%s.%N)"
    target/release/manytune show "$work/$table" --format json >"$work/$table.ours.json"
    echo "$start $end" >"$work/$table.ours.time"
    "$python" benches/peers/sklearn_search.py "$table" "$work/$table.folds.json" "$trials" >"$work/$table.sklearn.json"
    "$python" benches/peers/real_tables_table.py "$work" "$table"
done
