#!/usr/bin/env bash
# All there is to measure on a machine with a GPU, from a built binary: no network, no cargo.
#
#   benches/gpu.sh [--device NAME] [--only STEP,STEP,…] [--quick] [--out FOLDER] [BINARY]
#
# BINARY: $MANYTUNE, else target/release/manytune. PYTHON (python3 unless set) runs the peers: whichever of jax,
# torch and scikit-learn it has, with numpy and safetensors; PYTHON_TORCH, where torch is in another. --device
# is handed to manytune; without it the adapter that `--engine gpu` takes. --quick: few members, one short
# round, three times the patience, no diamonds (54,000 rows), to test this script (llvmpipe will do). COMMIT names the commit where there is no .git. A loader or a
# driver in another place: LD_LIBRARY_PATH and VK_DRIVER_FILES are passed on as they are.
#
# Steps: devices gradcheck bench job curve tables_penguins tables_diamonds peers_W1 peers_W2 peers_W3 peers_W4
# peers_W7; `--only peers` means all that begin with it. Each has a time limit of its own (27 minutes in all at
# the very most), and writes <step>.json or .txt under benches/results/<date>-<device>/; one that fails does
# not stop the others, and the exit code is then 1. Where a call may last ten minutes only:
#   --only devices,gradcheck,bench,job,curve      --only tables,peers_W1      --only peers_W2,peers_W3
#   --only peers_W4,peers_W7
# shellcheck disable=SC2317 # the functions of steps are called through "$@"
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

steps="devices gradcheck bench job curve tables_penguins tables_diamonds peers_W1 peers_W2 peers_W3 peers_W4 peers_W7"
device="" only="" quick="" out="" binary=""
while [ $# -gt 0 ]; do
    case "$1" in
    --device | --only | --out)
        [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
        declare "${1#--}=$2"
        shift 2
        ;;
    --quick) quick=yes; shift ;;
    --help | -h) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//p}' benches/gpu.sh; exit 0 ;;
    -*) echo "unknown option $1; known are --device, --only, --quick, --out and --help" >&2; exit 2 ;;
    *) binary="$1"; shift ;;
    esac
done
binary="${binary:-${MANYTUNE:-target/release/manytune}}"
[ -x "$binary" ] || { echo "$binary: no such program; build it (cargo build --release) or name another" >&2; exit 2; }
binary="$(realpath "$binary")"
python="${PYTHON:-python3}"
export MANYTUNE="$binary"
for step in ${only//,/ }; do
    [[ " $steps" == *" $step"[\ _]* || "$steps" == *" $step" ]] || { echo "--only $step: known are $steps" >&2; exit 2; }
done

# The folder is named for the adapter: that of --device, else NVIDIA's, else the first.
adapter="$device"
[ -n "$adapter" ] || adapter="$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)"
[ -n "$adapter" ] || adapter="$("$binary" devices 2>/dev/null | sed -n 's/^gpu 0: \(.*\) (.*/\1/p')"
slug="$(printf %s "${adapter:-gpu}" | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-' | sed 's/^-*//; s/-*$//')"
out="${out:-benches/results/$(date +%F)-$slug}"
mkdir -p "$out" || exit 1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
on=(--engine gpu)
[ -z "$device" ] || on+=(--device "$device")

if [ -n "$quick" ]; then
    level=--quick members=(--members 4) trials=2 patience=3
    rounds=(--rounds 1 --seconds 0.05) peers=(--members 4 --setup-limit 100 --round-limit 60)
else
    level=--full members=() trials=100 patience=1
    rounds=(--rounds 5 --seconds 1) peers=(--trials 16 --setup-limit 140 --round-limit 90)
fi

devices() {
    date --iso-8601=seconds
    echo "commit ${COMMIT:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}"
    "$binary" --version
    "${limited[@]}" "$binary" devices --format json || "${limited[@]}" "$binary" devices || return
    if command -v nvidia-smi >/dev/null; then
        nvidia-smi
        nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv
    fi
    if command -v vulkaninfo >/dev/null; then "${limited[@]}" vulkaninfo --summary || true; fi
}

gradcheck() { "${limited[@]}" "$binary" --gradcheck "$level" "${on[@]}" --format json; }

# bench WORKLOADS [--curve]
bench() { "${limited[@]}" "$binary" bench --workload "$@" "${on[@]}" "${members[@]}" "${rounds[@]}" --format json; }

# table FILE TARGET: a whole study, from the command to the leaderboard.
table() {
    local run="$work/$2" start end
    start="$(date +%s.%N)"
    "${limited[@]}" "$binary" tune "examples/data/$1" --target "$2" "${on[@]}" --out "$run" --quiet --trials "$trials" >/dev/null || return
    end="$(date +%s.%N)"
    echo "{\"table\": \"$1\", \"trials\": $trials, \"wall_seconds\": $(awk "BEGIN {print $end - $start}"), \"study\":"
    "$binary" show "$run" --format json || return
    echo "}"
}

compare() { "${limited[@]}" "$python" benches/compare.py --workloads "$1" "${on[@]}" --out "$out" "${rounds[@]}" "${peers[@]}"; }

summary=() failed=0
# step NAME LIMIT FILE FUNCTION …: if asked for, standard output to FILE and standard error beside it. The
# limit, in seconds, is on each command that may take long.
step() {
    local name="$1" limit="$2" file="$out/$3" start code one asked=""
    shift 3
    for one in ${only//,/ }; do [[ "$name" != "$one" && "$name" != "$one"_* ]] || asked=yes; done
    [ -z "$only" ] || [ -n "$asked" ] || return
    limit=$((limit * patience))
    echo "== $name, at most $limit s: $file" >&2
    limited=(timeout --foreground --kill-after=10 "$limit")
    start="$(date +%s)"
    "$@" >"$file" 2>"$out/$name.stderr"
    code=$?
    if [ "$code" -eq 0 ]; then
        summary+=("ok      $name, $(($(date +%s) - start)) s")
        return
    fi
    failed=1
    tail -3 "$out/$name.stderr" >&2
    case "$code" in
    124 | 137) summary+=("TIMEOUT $name, after $limit s: $file, $out/$name.stderr") ;;
    *) summary+=("FAILED  $name, exit code $code: $out/$name.stderr") ;;
    esac
}

step devices 20 devices.txt devices
step gradcheck 180 gradcheck.json gradcheck
step bench 100 bench.json bench W1,W2,W3,W4
step job 80 job.json bench W7
step curve 80 curve.json bench W1 --curve
step tables_penguins 40 table_penguins.json table penguins.csv species
[ -n "$quick" ] || step tables_diamonds 200 table_diamonds.json table diamonds.csv.gz price
step peers_W1 170 peers_W1.txt compare W1
step peers_W2 170 peers_W2.txt compare W2
step peers_W3 120 peers_W3.txt compare W3
step peers_W4 270 peers_W4.txt compare W4
step peers_W7 180 peers_W7.txt compare W7

printf '%s\n' "${summary[@]}" | tee -a "$out/summary.txt"
echo "results: $out"
exit "$failed"
