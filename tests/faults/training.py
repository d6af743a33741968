"""Trainings, promotions and what becomes of model files, for the runs that train."""

import contextlib
import csv
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import tomllib

from telegram import ADMIN

# Photos of each of the seven areas; each comes from a town of its split.
PHOTOS = {"train": 28, "validation": 14, "test": 14}
# A whole network in seconds: it learns nothing, but has epochs to be killed between.
RECIPE = """
arch = "resnet18"
batch = 4
optimiser = "sgd"
learning_rate = 0.01
warm_up = 0.0
schedule = "constant"
weight_decay = 0.0
label_smoothing = 0.0
ema = 0.0
mixed_precision = false
balanced = true

[[stages]]
epochs = 3
side = 32
"""


def draw(program, folder):
    """Photos to train on and a recipe, once for all runs."""
    rows = []
    for split, count in PHOTOS.items():
        drawn = pathlib.Path(folder) / f"drawn-{split}"
        subprocess.run([program, "world", "render", "--out", drawn, "--count", str(count), "--split", split], check=True,
                       stdout=subprocess.DEVNULL)
        with open(drawn / "truth.csv", newline="") as table:
            for row in csv.DictReader(table):
                place = pathlib.Path(folder, "photos", split, row["area"], f"{split}-{row['file']}")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(drawn / row["file"], place)
                name = place.relative_to(pathlib.Path(folder, "photos"))
                rows.append((name, row["area"], row["town"], split, "MIT"))
    with open(pathlib.Path(folder, "photos", "metadata.csv"), "w", newline="") as table:
        csv.writer(table).writerows([("file_name", "area", "town", "split", "licence"), *rows])
    pathlib.Path(folder, "tiny.toml").write_text(RECIPE)


def environment(run):
    return {
        "TRAIN__DATA": "folder", "TRAIN__DATA_FOLDER": run.drawn / "photos", "TRAIN__RECIPE": run.drawn / "tiny.toml",
        "TRAIN__FOLDER": run.folder / "training", "TRAIN__MODE": run.dice.choice(["head", "full"]),
    }


def order(run):
    """An admin orders a training in the chat."""
    before = len(jobs(run))
    for _ in range(4):
        asked = run.telegram.post(ADMIN, ADMIN, text="/train")
        offered = lambda: [n for n, face in run.telegram.faces.items() if n > asked and face["buttons"]]
        if run.telegram.wait(offered, 15):
            number = offered()[0]
            run.telegram.press(number, ADMIN, run.telegram.faces[number]["buttons"][0][0]["callback_data"])
            if run.telegram.wait(lambda: len([job for job in jobs(run) if job[1] != "offered"]) > before, 8):
                return


def jobs(run):
    """Trainings: number, state, whether the chat knows its end."""
    return run.rows("SELECT id, state, told FROM jobs WHERE kind = 'train' AND state <> 'offered' ORDER BY id")


def kill_child(run):
    """The training alone is ended, as the system does when memory runs out; whether there was one."""
    with contextlib.suppress(OSError):
        for thread in pathlib.Path(f"/proc/{run.child.pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
                return True
    return False


def promote(run):
    """Another model goes live, or the one before comes back, while somebody may kill the program."""
    names = [folder.name for folder in finished(run)]
    if names and run.dice.random() < 0.7:
        text = f"/promote {run.dice.choice(names)} force because"
    else:
        text = "/rollback"
    run.telegram.post(ADMIN, ADMIN, text=text)
    time.sleep(run.dice.uniform(0, 0.6))


def finished(run):
    folder = run.folder / "models"
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def half_written(run):
    """What is wrong with the models that anybody may make live now."""
    for folder in finished(run):
        try:
            manifest = tomllib.loads((folder / "manifest.toml").read_text())
            files = {"model.onnx": manifest["sha256"]} | ({"index.bin": manifest["index"]["sha256"]} if "index" in manifest else {})
            for name, digest in files.items():
                if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                    return f"{folder.name}/{name} is not what its manifest says"
        except (OSError, ValueError, KeyError) as error:
            return f"{folder.name}: {error!r}"
    return None


def ended(run):
    """All trainings have an end that the chat knows."""
    return all(state not in ("queued", "running") and told for _, state, told in jobs(run))


def live(run):
    """The model that the database says is live, by the name in its manifest."""
    rows = run.rows("SELECT name FROM promotions ORDER BY id DESC LIMIT 1")
    return rows[0][0] if rows else "drawn-world"


def started_with(run):
    """The model that the program said at its last start."""
    return re.findall(r'model ready model="([^"]+)"', run.log())[-1]


def wrong(run):
    """Which promise is broken, in words; None when all hold."""
    states = [state for _, state, _ in jobs(run)]
    if states[-1:] != ["done"]:
        return f"no training came to an end: {jobs(run)}, {run.rows('SELECT outcome FROM jobs')}"
    names = {f"-{number}" for number, state, _ in jobs(run) if state == "done"}
    missing = [name for name in names if not any(folder.name.endswith(name) for folder in finished(run))]
    if missing:
        return f"trainings without a model: {missing}"
    doubled = run.rows("SELECT folder FROM promotions WHERE kind = 'better' GROUP BY folder HAVING count(*) > 1")
    if doubled:
        return f"promoted twice for one comparison: {doubled}"
    if live(run) != started_with(run):
        return f"{live(run)} is live by the database, {started_with(run)} answers"
    return half_written(run)
