#!/usr/bin/env bash
# Runs a sweep as a job array of a real Slurm on this machine alone: starts munged, slurmctld and slurmd
# with everything in a temporary folder, submits with `rmt sweep submit`, interrupts the array once,
# submits again, collects, compares with a single run, and takes everything down again.
#   tests/slurm/run.sh [RMT]      the program to test [default: target/release/rmt]
# Needs root and Debian's packages slurm-wlm and munge; says so loudly and stops without failing where
# they are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
rmt=$(realpath "${1:-target/release/rmt}")

skip() {
  printf '\n!! Slurm job arrays were NOT checked: %s\n!! (nothing else is affected)\n\n' "$1" >&2
  exit 0
}
for tool in munged mungekey slurmctld slurmd sbatch squeue scancel scontrol sinfo; do
  [ -n "$(PATH=$PATH:/usr/sbin command -v $tool)" ] \
    || skip "there is no $tool (on Debian: apt install slurm-wlm munge)"
done
[ "$(id -u)" = 0 ] || skip "slurmctld and slurmd need root here"
PATH=$PATH:/usr/sbin
[ -x "$rmt" ] || { echo "$rmt is not there: cargo build --release"; exit 1; }

dir=$(mktemp -d /tmp/rmt-slurm.XXXXXX)
chmod 755 "$dir"
pids=()
finish() {
  status=$?
  trap - EXIT
  if [ $status != 0 ]; then
    for log in "$dir"/*.log "$dir"/*/slurm-*.log; do
      [ -f "$log" ] && { echo "--- $log"; tail -n 15 "$log"; }
    done
  fi
  # What is left of the jobs hangs on slurmd's step daemons, which end with them.
  scancel --user=root 2>/dev/null || true
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
  exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() {
  python3 - <<'PY' 2>/dev/null || echo $((20000 + RANDOM % 20000))
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
PY
}

# munge: a key and a socket of its own.
mkdir -m 700 "$dir/munge"
mungekey --create --keyfile="$dir/munge/key" --bits=1024
munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge.socket" \
  --pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" \
  --num-threads=2 > "$dir/munged.log" 2>&1 &
pids+=($!)

host=$(hostname -s)
mkdir "$dir/spool" "$dir/state"
cat > "$dir/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0
KillWait=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
# Nothing here uses control groups; only newer versions can be told so.
version=$(slurmd -V | grep -o '[0-9][0-9]*' | head -n 1)
echo "CgroupPlugin=$([ "$version" -ge 23 ] && echo disabled || echo cgroup/v1)" > "$dir/cgroup.conf"
export SLURM_CONF=$dir/slurm.conf

until_true() { # seconds, what, command
  local seconds=$1 what=$2
  shift 2
  for ((i = 0; i < 5 * seconds; i++)); do
    "$@" > /dev/null 2>&1 && return 0
    sleep 0.2
  done
  echo "no $what within $seconds s"
  return 1
}
until_true 20 "munge" munge --socket="$dir/munge.socket" --no-input
slurmctld -D -f "$SLURM_CONF" > "$dir/slurmctld.out.log" 2>&1 &
pids+=($!)
until_true 30 "slurmctld" scontrol ping
slurmd -D -f "$SLURM_CONF" -N "$host" > "$dir/slurmd.out.log" 2>&1 &
pids+=($!)
ready() { sinfo --noheader --format=%T | grep -Eq '^(idle|mixed|allocated)$'; }
until_true 30 "idle node" ready

cat > "$dir/sweep.toml" <<'SWEEP'
model = "ridge"
draws = 3
observables = ["risk", "gcv"]

[inputs]
spectrum = { kind = "power_law", p = 40, alpha = 1.2 }
target = { kind = "constant", p = 40, total = 1.0 }
n = 100
lambda = 0.01
noise_variance = 0.1

[axes]
n = "50..249:200"
lambda = "1e-3..1:log:20"
SWEEP

echo "slurm $(slurmctld -V | cut -d' ' -f2), node $host with $(nproc) processors, folder $dir"
out="$dir/results of the array"
submit() {
  "$rmt" sweep submit "$dir/sweep.toml" --out "$out" --shards 5 --time 5 --partition all \
    | tee "$dir/submit.txt"
  job=$(sed -n 's/^job \([0-9]*\):.*/\1/p' "$dir/submit.txt")
  [ -n "$job" ] || { echo "no job number"; exit 1; }
}
count() { cat "$out"/points-*.jsonl 2>/dev/null | wc -l; }
over() { [ -z "$(squeue --noheader --job "$job" 2>/dev/null)" ]; }

submit
begun() { [ "$(count)" -gt 50 ]; }
until_true 60 "point of job $job" begun
scancel --signal=KILL --full "$job" || true
scancel "$job"
until_true 60 "end of the cancelled job $job" over
there=$(count)
echo "cancelled with $there of 4000 points"
[ "$there" -lt 4000 ] || { echo "the array was done before it could be cancelled"; exit 1; }
if "$rmt" sweep collect "$out" --out "$dir/early.csv" > /dev/null 2> "$dir/early.txt"; then
  echo "collect is content with missing points"; exit 1
fi
grep -q "of 4000 points are missing" "$dir/early.txt"

submit
until_true 120 "end of job $job" over
"$rmt" sweep collect "$out" --out "$dir/array.csv" > /dev/null
"$rmt" sweep run "$dir/sweep.toml" --out "$dir/single"
"$rmt" sweep collect "$dir/single" --out "$dir/single.csv" > /dev/null
cmp "$dir/array.csv" "$dir/single.csv"
[ "$(wc -l < "$dir/array.csv")" = 4001 ]
echo "the array of 5 tasks, cancelled once, equals the single run: $(wc -c < "$dir/array.csv") bytes"
