#!/usr/bin/env bash
# Measures sim beside its peers, in one run, and prints the tables:
#   run.sh                          the peers with a seed, the bare loop and tokio, all workloads
#   run.sh '/W[16]$'                only what matches, of names such as madsim/W1; sim's are sim/W1 and so on
#   PEERS=none run.sh               sim alone
# PEERS is the folder of the peers' measurements (their run.sh takes BENCH_OUT and a filter); without it
# sim runs alone. All is written to BENCH_OUT (default: target/bench below the current folder):
# results.jsonl has the lines of this run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peers=${PEERS:-$here/../../shared/bench}
export BENCH_OUT=${BENCH_OUT:-$PWD/target/bench}
export RUST_BACKTRACE=0 CARGO_TERM_QUIET=true
filter=${1:-.}
workloads="W1 W2 W3 W4 W5 W6 W7 W8 W9 W10 W11"
mkdir -p "$BENCH_OUT"
BENCH_OUT=$(cd "$BENCH_OUT" && pwd)
lines=$BENCH_OUT/sim.jsonl
: >"$lines"

pin=""
if command -v taskset >/dev/null; then pin="taskset -c $(($(nproc) - 1))"; fi

# The names that the filter leaves, joined as one expression for the peers' run.sh.
names=()
for peer in limit madsim moonpool shuttle tokio; do
    for workload in $workloads; do
        if [[ $peer/$workload =~ $filter ]]; then names+=("$peer/$workload"); fi
    done
done
if [ -x "$peers/run.sh" ] && [ ${#names[@]} -gt 0 ]; then
    known=$(wc -l <"$peers/results.jsonl" || echo 0) # lines of earlier days, to which it appends
    # It looks for its programs in a target folder of its own.
    env -u CARGO_TARGET_DIR "$peers/run.sh" "^($(IFS='|' && echo "${names[*]}"))\$" >/dev/null
    tail -n "+$((known + 1))" "$BENCH_OUT/results.jsonl" >"$lines"
fi

target=${CARGO_TARGET_DIR:-$BENCH_OUT/target/sim}
cargo build --release --manifest-path "$here/Cargo.toml" --target-dir "$target"
for workload in $workloads; do
    for peer in sim sim-1 sim-portfolio sim-pct; do
        [[ $peer/$workload =~ $filter ]] || continue
        $pin "$target/release/sim-bench" --peer "$peer" "$workload" >>"$lines"
    done
done
mv "$lines" "$BENCH_OUT/results.jsonl"
echo "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), Linux $(uname -r), $(rustc --version)"
echo
"$target/release/sim-bench" --table "$BENCH_OUT/results.jsonl"
