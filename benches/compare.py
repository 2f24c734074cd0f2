#!/usr/bin/env python3
"""Compares Stormglass with ripgrep and jq on the same files, in turn, and prints one table.

    cargo build --release
    python3 benches/compare.py CORPUS [--rg PROGRAM] [--pairs 5] [--only ual.jsonl,iis.log]

CORPUS holds ual.jsonl, ual.csv, iis.log and syslog.log, with `truth/FILE.tsv` (columns record, indicator, hit) for each,
and `iocs/s50.txt` to `iocs/s1m.txt`, one indicator a line, each set a part of the next, all hits from the smallest.

CPU is user and system time of the whole process; of each pair the ratio is taken, and the median of the ratios is shown.
A run counts only if its sightings are those of the truth.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SETS = {50: "s50", 1_000: "s1k", 10_000: "s10k", 100_000: "s100k", 1_000_000: "s1m"}
MIB = 1 << 20


class Run:
    """What one process cost, and what it wrote."""

    def __init__(self, command, output=None):
        with open(output or os.devnull, "wb") as out, open(os.devnull, "wb") as errors:
            pid = os.posix_spawn(
                command[0], command, os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)],
            )
            _, status, usage = os.wait4(pid, 0)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mib = usage.ru_maxrss / 1024
        self.status = os.waitstatus_to_exitcode(status)


class Bench:
    def __init__(self, arguments):
        self.corpus = Path(arguments.corpus)
        self.stormglass = shutil.which(arguments.stormglass) or sys.exit(f"no {arguments.stormglass}: build it first")
        self.rg = shutil.which(arguments.rg) or sys.exit("ripgrep is needed: cargo install ripgrep --version 15.2.0")
        self.jq = shutil.which("jq")
        self.pairs = arguments.pairs
        self.only = arguments.only.split(",") if arguments.only else None
        self.folder = Path(tempfile.mkdtemp(prefix="stormglass-bench-"))

    def file(self, name):
        path = self.corpus / name
        return path if path.exists() and (self.only is None or name in self.only) else None

    def set(self, count):
        return str(self.corpus / "iocs" / f"{SETS[count]}.txt")

    def ours(self, path, rules, threads=1, cache=None):
        return [self.stormglass, "scan", str(path), "--no-builtin", "--rules", rules, "--no-digest",
                "--threads", str(threads), "--format", "jsonl", *(["--cache", cache] if cache else [])]

    def peer(self, path, rules, *more):
        return [self.rg, "--no-config", "-j1", "-a", "-c", "-F", *more, "-f", rules, str(path)]

    def checked(self, path, rules, threads=1, cache=None):
        """Runs Stormglass and compares its sightings with the truth; what is beyond it must not be of the smallest set."""
        output = self.folder / "report.jsonl"
        run = Run(self.ours(path, rules, threads, cache), output)
        if not hasattr(self, "smallest"):
            self.smallest = {line.lower() for line in Path(self.set(50)).read_text().split()}
        truth = path.parent / "truth" / f"{path.name}.tsv"
        wanted = set()
        for row in truth.read_text().splitlines()[1:]:
            record, _, _, indicator, _, hit = row.split("\t")
            if hit == "1":
                wanted.add((int(record), indicator.lower()))
        found = set()
        for line in output.read_text().splitlines():
            line = json.loads(line)
            if line["type"] == "sighting" and line["kind"] == "sighting":
                value = line["observable"]["value"].lower()
                if value in self.smallest:
                    found.add((line["record"], value))
        missing, extra = wanted - found, found - wanted
        if missing or extra:
            sys.exit(f"{path.name} with {rules}: {len(missing)} missing {sorted(missing)[:3]}, "
                     f"{len(extra)} beyond the truth {sorted(extra)[:3]}; the run does not count")
        return run

    def ratio(self, ours, theirs):
        """Returns the median and the range of theirs/ours over pairs run in turn, and both medians in seconds."""
        rows = [(ours(), theirs()) for _ in range(self.pairs)]
        ratios = sorted(b / a for a, b in rows)
        return (statistics.median(ratios), ratios[0], ratios[-1],
                statistics.median(a for a, _ in rows), statistics.median(b for _, b in rows))


def warm(path):
    """Reads a file, so that it is in the page cache, and keeps none of it: a child begins with its parent's peak of memory."""
    with open(path, "rb") as file:
        while file.read(MIB):
            pass


def row(work, against, floor, goal, measured, note=""):
    print(f"| {work} | {against} | {floor} | {goal} | {measured} | {note} |", flush=True)


def ratio_row(bench, work, against, floor, goal, ours, theirs):
    middle, least, most, a, b = bench.ratio(ours, theirs)
    row(work, against, floor, goal, f"**{middle:.2f}** [{least:.2f}-{most:.2f}]", f"{a:.2f} s, {b:.2f} s")


def wall(command):
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return os.times().elapsed - before.elapsed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--stormglass", default="target/release/stormglass")
    parser.add_argument("--rg", default="rg")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", help="names of evidence files, with commas between them")
    bench = Bench(parser.parse_args())

    def version(program):
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        return text.splitlines()[0] if text else "?"

    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())
    print(f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; load {os.getloadavg()[0]:.1f}")
    print(f"{version(bench.stormglass)}; {version(bench.rg)}; {version(bench.jq) if bench.jq else 'no jq'}; "
          f"median of {bench.pairs} pairs; instructions: {os.environ.get('STORMGLASS_SIMD', 'the best found')}\n")
    # A child begins with its parent's peak of memory, so this is measured while there is hardly any.
    first = bench.file("ual.jsonl")
    peaks = {count: Run(bench.ours(first, bench.set(count))).peak_mib for count in (10_000, 1_000_000)} if first else {}
    row("work", "against", "floor", "goal", "measured", "CPU of ours, theirs")
    row("---", "---", "---", "---", "---", "---")
    floors = {"ual.jsonl": ("5", "8", "2", "3.5"), "ual.csv": ("5", "8", "2", "3.5"), "iis.log": ("5", "8", "2", "3.5"),
              "syslog.log": ("4", "5", "-", "-")}
    for name, (floor, goal, word_floor, word_goal) in floors.items():
        if not (path := bench.file(name)):
            continue
        rules = bench.set(10_000)
        warm(path)
        ours = lambda: bench.checked(path, rules).cpu
        ratio_row(bench, f"{name}, 10,000", "rg -F", floor, goal, ours, lambda: Run(bench.peer(path, rules)).cpu)
        ratio_row(bench, f"{name}, 10,000", "rg -w -F", word_floor, word_goal, ours,
                  lambda: Run(bench.peer(path, rules, "-w")).cpu)
    path = bench.file("ual.jsonl")
    if path:
        warm(path)
        for count, floor, goal in [(50, "0.6", "1.0"), (1_000, "2", "3"), (100_000, "15", "25"), (1_000_000, "60", "100")]:
            rules = bench.set(count)
            pairs, bench.pairs = bench.pairs, bench.pairs if count < 100_000 else min(bench.pairs, 3 if count < 1_000_000 else 1)
            theirs = lambda: Run(bench.peer(path, rules)).cpu
            ratio_row(bench, f"ual.jsonl, {count:,}", "rg -F", floor, goal, lambda: bench.checked(path, rules).cpu, theirs)
            if count == 1_000_000:
                cache = str(bench.folder / "cache")
                bench.checked(path, rules, cache=cache)
                ratio_row(bench, f"ual.jsonl, {count:,}, kept with --cache", "rg -F", "-", "-",
                          lambda: bench.checked(path, rules, cache=cache).cpu, theirs)
            bench.pairs = pairs
        empty = bench.folder / "empty.log"
        empty.write_text("-\n")
        times = {}
        for count in (50, 1_000_000):
            rules = bench.set(count)
            load = statistics.median(Run(bench.ours(empty, rules)).cpu for _ in range(bench.pairs))
            scan = statistics.median(bench.checked(path, rules).cpu for _ in range(bench.pairs))
            times[count] = (load, scan - load)
        row("throughput at 1,000,000, load excluded", "that at 50", "0.7", "0.8",
            f"**{times[50][1] / times[1_000_000][1]:.2f}**",
            f"{path.stat().st_size / 1e6 / times[50][1]:.0f} and {path.stat().st_size / 1e6 / times[1_000_000][1]:.0f} MB/s")
        rules = bench.set(1_000_000)
        peer = Run(bench.peer(empty, rules)).cpu
        row("load of 1,000,000", "rg -F on an empty file", "15", "30", f"**{peer / times[1_000_000][0]:.1f}**",
            f"{times[1_000_000][0]:.2f} s, {peer:.2f} s (one run)")
        for count, floor, goal in [(10_000, "64 MiB", "32 MiB"), (1_000_000, "256 MiB", "128 MiB")]:
            row(f"peak memory at {count:,}", "-", floor, goal, f"**{peaks[count]:.0f} MiB**")
        if bench.jq:
            values = json.dumps([line for line in Path(bench.set(50)).read_text().split()])
            jq = [bench.jq, "-c", "--argjson", "set", values, 'select(.ClientIPAddress as $a | $set | index($a))', str(path)]
            rules = bench.set(50)
            middle, a, b = None, bench.checked(path, rules).cpu, Run(jq).cpu
            middle = b / a
            row("record and field of every hit", "jq on one field", "8", "15", f"**{middle:.0f}**", f"{a:.2f} s, {b:.2f} s (one run)")
        if (os.cpu_count() or 1) > 1:
            rules = bench.set(10_000)
            rows = [(wall(bench.ours(path, rules, 1)), wall(bench.ours(path, rules, 2))) for _ in range(bench.pairs)]
            ratios = sorted(a / b for a, b in rows)
            row("2 threads on one file, wall clock", "1 thread", "1.7", "1.9",
                f"**{statistics.median(ratios):.2f}** [{ratios[0]:.2f}-{ratios[-1]:.2f}]",
                f"load {os.getloadavg()[0]:.1f}")
    shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
