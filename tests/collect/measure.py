#!/usr/bin/env python3
"""Collects from the drawn world's stand-in for Street View, and compares the ledger with the seller's own books.

    cargo build --release
    python3 tests/collect/measure.py rate  [--images 5000] [--rate 200]   # rate held, peak memory
    python3 tests/collect/measure.py kills [--kills 200] [--seed 1]       # kill -9 at random moments of one run

Both use the program's own command line, as an admin would. Exits with 1 when anything does not hold.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

# Drawing costs the stand-in about 3 ms at this size and 70 ms at 640 pixels: two cores shall do for both sides.
SIDE = 64
PRICE = 0.007


class Failed(Exception):
    """Something does not hold."""


def require(holds, words):
    if not holds:
        raise Failed(words)


@contextlib.contextmanager
def stand_in(program):
    """The drawn world's services; gives their base URL."""
    server = subprocess.Popen([program, "world", "serve", "--bind", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"http://\S+", server.stdout.readline()).group()
    finally:
        server.kill()
        server.wait()


def books(url):
    with urllib.request.urlopen(f"{url}/_books") as answer:
        return json.load(answer)["streetview"]


def environment(folder, url, **settings):
    """The configuration of an admin who collects from the stand-in."""
    keys = {
        "QUIZ__DATABASE": f"{folder}/db.sqlite",
        "COLLECT__DATA_FOLDER": f"{folder}/images",
        "COLLECT__SOURCE": "streetview",
        "COLLECT__WIDTH": SIDE,
        "COLLECT__HEIGHT": SIDE,
        "COLLECT__CAP_PER_DAY": 10_000,
        "COLLECT__CAP_PER_MONTH": 10_000,
        "STREETVIEW__ACCEPT_GOOGLE_TERMS": "true",
        "STREETVIEW__KEY": "drawn-world",
        "STREETVIEW__API_URL": url,
        "GEOLONIA__VERSION": 1,
        "GEOLONIA__API_URL": f"{url}/geolonia/v1",
        "LOG__FILTER": "warn",
        **settings,
    }
    return {**os.environ, **{f"KOKODOKO_{key}": str(value) for key, value in keys.items()}}


def peak_megabytes(pid):
    """Peak of the resident memory so far (VmHWM of proc(5))."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


def run(program, env, *words, accept=(0,)):
    done = subprocess.run([program, *words], env=env, capture_output=True, text=True)
    require(done.returncode in accept, f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def rate(program, options):
    """A run that its cap ends at so many images."""
    with tempfile.TemporaryDirectory() as folder, stand_in(options.server or program) as url:
        env = environment(
            folder, url, COLLECT__REQUESTS_PER_SECOND=options.rate, COLLECT__CONCURRENCY=32,
            COLLECT__POINTS_PER_TOWN=2, COLLECT__HEADINGS_PER_POINT=36, COLLECT__CAP_PER_RUN=options.images * PRICE)
        collector = subprocess.Popen([program, "collect"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        seen, peak, checkpoint = [], {}, options.images // 5
        try:
            while collector.poll() is None:
                now, book = time.monotonic(), books(url)
                images = book["images_billed"]
                seen.append((now, images))
                with contextlib.suppress(FileNotFoundError, AttributeError):
                    megabytes = peak_megabytes(collector.pid)
                    peak["all"] = megabytes
                    if images <= checkpoint:
                        peak[checkpoint] = megabytes
                time.sleep(0.1)
        finally:
            collector.kill()
        book = books(url)
        require(book["images_billed"] == options.images, f"{book['images_billed']} images: {collector.stderr.read()[-400:]}")
        # From the first image to the last.
        busy = [at for at in seen if 0 < at[1] < options.images]
        seconds = busy[-1][0] - busy[0][0]
        held = (busy[-1][1] - busy[0][1]) / seconds
        print(f"{options.images} images in {seconds:.1f} s: {held:.1f} images/s of {options.rate:.0f}/s set")
        print(f"peak memory: {peak[checkpoint]:.0f} MB at {checkpoint} images, {peak['all']:.0f} MB at {options.images}")
        compare(program, env, folder, url)
        require(0.95 * options.rate < held < 1.02 * options.rate, "the rate was not held")
        require(peak["all"] < 1.25 * peak[checkpoint], "memory grows with the images")


def kills(program, options):
    """One run that is killed again and again, and then finished."""
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder, stand_in(options.server or program) as url:
        env = environment(
            folder, url, COLLECT__REQUESTS_PER_SECOND=1000, COLLECT__CONCURRENCY=16, COLLECT__POINTS_PER_TOWN=8,
            COLLECT__HEADINGS_PER_POINT=36, COLLECT__CAP_PER_RUN=10_000)
        begun = time.monotonic()
        bought = 0
        for number in range(options.kills):
            collector = subprocess.Popen([program, "collect"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            before = books(url)["images_billed"]
            # Every fifth is killed while it starts; the others some images later, at any moment of a purchase.
            patience = time.monotonic() + (dice.uniform(0, 1.0) if number % 5 == 0 else 60)
            wanted = before + dice.randint(1, 40)
            while time.monotonic() < patience and collector.poll() is None and books(url)["images_billed"] < wanted:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.02))
            require(collector.poll() is None, f"the run ended by itself before kill {number + 1}: more points are needed")
            collector.send_signal(signal.SIGKILL)
            collector.wait()
            bought += books(url)["images_billed"] > before
        print(f"{options.kills} kills ({bought} of them of a run that had bought something) in {time.monotonic() - begun:.0f} s")
        # What the last ones left on the server's side is drawn and billed by and by.
        settled = -1
        while settled != (settled := books(url)["images_billed"]):
            time.sleep(1)
        compare(program, env, folder, url)
        # The next start goes on, buys none of the old ones again, and stops at a cap.
        limit = books(url)["images_billed"] + 200
        run(program, {**env, "KOKODOKO_COLLECT__CAP_PER_RUN": str(limit * PRICE)}, "collect", accept=(0, 1))
        compare(program, env, folder, url)


def compare(program, env, folder, url):
    """The seller's books against the ledger, picture by picture, then in total."""
    sold = {}
    for item, count in books(url)["images"].items():
        require(count == 1, f"bought {count} times: {item}")
        pano, heading, fov, pitch, size = re.fullmatch(r"(\S+) heading=(\S+) fov=(\S+) pitch=(\S+) size=(\S+)", item).groups()
        sold[pano, f"{float(heading):.0f}/{float(fov):.0f}/{float(pitch):.0f}/{size}"] = count
    with contextlib.closing(sqlite3.connect(f"{folder}/db.sqlite")) as ledger:
        rows = ledger.execute("SELECT image, look, state FROM purchases WHERE source = 'streetview'").fetchall()
        kept = ledger.execute("SELECT count(*) FROM images").fetchone()[0]
    states = collections.Counter(state for *_, state in rows)
    billed = {(image, look) for image, look, state in rows if state == "billed"}
    doubtful = {(image, look) for image, look, state in rows if state in ("open", "lost", "written_off")}
    require(len(billed | doubtful) == states.total() - states["free"], "two rows for one picture")
    # Once a reconciliation has guessed which of several were billed, only the total is exact.
    if not states["written_off"]:
        require(billed <= sold.keys(), f"settled, but not sold: {sorted(billed - sold.keys())[:3]}")
    require(sold.keys() <= billed | doubtful, f"sold, but not in the ledger: {sorted(sold.keys() - billed - doubtful)[:3]}")
    print(f"server: {len(sold)} images, none twice; ledger: {states['billed']} billed, {states['open'] + states['lost']} in doubt; "
          f"{kept} pictures kept")
    spend = json.loads(run(program, env, "data", "spend", "--json"))
    require(len(spend["in_doubt"]) == states["open"] + states["lost"], "not all that is in doubt is listed")
    for wrong in (states["billed"] - 1, states["billed"] + states["open"] + states["lost"] + 1):
        if wrong >= 0:
            run(program, env, "data", "reconcile", "--billed", str(wrong), accept=(1,))
    run(program, env, "data", "reconcile", "--billed", str(len(sold)))
    total = next(entry for entry in json.loads(run(program, env, "data", "spend", "--json"))["sums"] if entry["period"] == "all")
    require(total["images_billed"] == len(sold) and total["images_in_doubt"] == 0, f"after reconciling: {total}")
    print(f"reconciled: {total['images_billed']} images, {total['billed']}, as on the server")
    # A kill leaves files without rows at worst.
    run(program, env, "data", "check", "--repair", accept=(0, 1))
    run(program, env, "data", "check")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["rate", "kills"])
    arguments.add_argument("--program", default="target/release/kokodoko")
    arguments.add_argument("--server", help="another build of the program for the stand-in")
    arguments.add_argument("--images", type=int, default=5_000)
    arguments.add_argument("--rate", type=float, default=200)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    try:
        {"rate": rate, "kills": kills}[options.what](options.program, options)
    except Failed as failed:
        raise SystemExit(f"measure.py: {failed}") from None


if __name__ == "__main__":
    main()
