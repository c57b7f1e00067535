#!/usr/bin/env bash
# Config-steps per second of the CPU engine beside JAX's jit(vmap(scan)), interleaved in one run.
#
#   benches/step_rate.sh [rounds]        (5 unless given)
#
# Needs a Python with jax, numpy and safetensors: PYTHON=…/bin/python. Both get THREADS threads (2 unless
# given). JAX's losses are compared with ours before it is timed, ours with the f64 reference. Writes raw
# JSON under benches/results/<date>-cpu-<cores>core/.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds="${1:-5}"
python="${PYTHON:-python3}"
threads="${THREADS:-2}"
seconds="${SECONDS_A_ROUND:-2}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cargo bench --bench step_rate --no-run
ours() { cargo bench --quiet --bench step_rate -- --threads "$threads" "$@"; }
ours --export "$work" >/dev/null

for workload in 64-128-128-10 16-32-2; do
    coproc JAX { "$python" benches/peers/jax_vmap.py "$work" "$workload" --threads "$threads" --seconds "$seconds"; }
    jax_in="${JAX[1]}" jax_out="${JAX[0]}" jax_pid="$JAX_PID"
    read -r line <&"$jax_out"
    echo "$line" >>"$work/jax.jsonl"
    for ((round = 0; round < rounds; round++)); do
        ours --only "$workload" --rounds 1 --seconds "$seconds" --json >>"$work/ours.jsonl"
        echo go >&"$jax_in"
        read -r line <&"$jax_out"
        echo "$line" >>"$work/jax.jsonl"
    done
    exec {jax_in}>&-
    wait "$jax_pid"
done
"$python" benches/peers/step_rate_table.py "$work" "$threads"
