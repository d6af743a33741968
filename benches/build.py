#!/usr/bin/env python3
"""What a clean release build costs, and what would be saved without each dependency.

    benches/build.py FOLDER            builds everything into FOLDER, which must not exist, and prints the table
    benches/build.py FOLDER --again    only prints it

Processor seconds of rustc (user and system), which other programs on the machine change little; C and assembly, which build
scripts compile, are not in them. A group's share is that of all crates that nothing else needs.
"""

import collections
import json
import os
import pathlib
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOG = "KOKODOKO_BUILD_LOG"
OURS = "kokodoko"
# Direct dependencies that serve one purpose.
GROUPS = [
    ["ort-tract", "tract-onnx", "prost"],
    ["burn", "safetensors", "pytorch-reader"],
    ["serenity"],
    ["teloxide"],
    ["resvg", "tiny-skia"],
    ["image", "fast_image_resize"],
    ["sqlx"],
    ["axum", "reqwest"],
    ["clap"],
    ["ort"],
    ["fluent-bundle", "unic-langid"],
]


def compile_and_note(command):
    """As RUSTC_WRAPPER: runs rustc and notes the crate, its processor time and its memory."""
    status = subprocess.run(command).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    crate = [os.environ.get(f"CARGO_PKG_{key}", "") for key in ("NAME", "VERSION")]
    if all(crate):
        row = json.dumps([*crate, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024])
        with open(os.environ[LOG], "a") as log:
            log.write(row + "\n")
    return status


def read(log):
    """Seconds and mebibytes by name and version."""
    seconds, memory = collections.Counter(), collections.Counter()
    for line in log.read_text().splitlines():
        name, version, used, peak = json.loads(line)
        seconds[name, version] += used
        memory[name] = max(memory[name], peak)
    return seconds, memory


class Graph:
    """What is compiled for the default features, without tests and benchmarks."""

    def __init__(self):
        command = ["cargo", "metadata", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"]
        data = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        self.crates = {package["id"]: (package["name"], package["version"]) for package in data["packages"]}
        self.needs = {
            node["id"]: [need["pkg"] for need in node["deps"] if any(k["kind"] != "dev" for k in need["dep_kinds"])]
            for node in data["resolve"]["nodes"]
        }
        self.direct = self.needs[data["resolve"]["root"]]

    def without(self, names):
        """Crates that are needed if these direct dependencies are not."""
        found, left = set(), [need for need in self.direct if self.crates[need][0] not in names]
        while left:
            crate = left.pop()
            if crate not in found:
                found.add(crate)
                left += self.needs[crate]
        return {self.crates[crate] for crate in found}


def table(log):
    seconds, memory = read(log)
    graph = Graph()
    everything = graph.without([])
    rows = []
    for names in GROUPS:
        gone = sorted(everything - graph.without(names), key=lambda crate: -seconds[crate])
        largest = ", ".join(f"{name} {seconds[name, version]:.0f}" for name, version in gone[:4])
        count = sum(crate in seconds for crate in gone)
        rows.append((sum(seconds[crate] for crate in gone), " + ".join(names), count, largest))
    for used, names, count, largest in sorted(rows, reverse=True):
        print(f"{used:7.1f} s {count:4} crates   {names:34} {largest}")
    ours = sum(used for (name, _), used in seconds.items() if name == OURS)
    print(f"{ours:7.1f} s                {OURS}, {memory[OURS]:.0f} MiB at most")
    print(f"{sum(seconds.values()):7.1f} s {len(seconds):4} crates   everything")


def main(arguments):
    if LOG in os.environ:
        sys.exit(compile_and_note(arguments))
    folder = pathlib.Path(arguments[0]).resolve()
    log = folder / "build.jsonl"
    if "--again" not in arguments:
        folder.mkdir(parents=True)
        environment = {**os.environ, "RUSTC_WRAPPER": __file__, LOG: str(log), "CARGO_TARGET_DIR": str(folder)}
        subprocess.run(["cargo", "build", "--release", "--timings"], cwd=ROOT, env=environment, check=True)
    table(log)


main(sys.argv[1:])
