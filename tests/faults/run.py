#!/usr/bin/env python3
"""The program between fakes that keep books, in seeded random schedules of faults.

    cargo build --release
    python3 tests/faults/run.py [--runs 200] [--seed 1] [--at-once 4]
    python3 tests/faults/run.py --flood 5000   # photos of one person: memory, and how long the next person waits

In each run the program is killed (SIGKILL) once or more and started again, and sockets are cut before, after and in the
middle of answers, calls get 429, 5xx, garbage and late answers, updates come twice and in another order; in some runs the
disk is full for a while, a round of the quiz is played, pictures are bought by the chat, or a model is trained there and
goes live, and the process that trains is killed as well. Then nothing fails any more, and the books must agree. What must hold stands in `judge`, with the words of ARCHITECTURE.md. Exits with 1 when anything
does not; `--seed N --runs 1` plays one run again.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import training
from discord import Discord
from discord import TOKEN as DISCORD_TOKEN
from telegram import ADMIN, TOKEN, Telegram
from wire import Faults

APOLOGY = "Sorry: I was interrupted"
# A kill within so many seconds of a reply may come before the program has noted that it arrived.
UNNOTED = 2.0
# Longest wait for a start, and for a training with all that delays it, seconds: on busy processors.
START, TRAINING = 120, 900
GROUP = -700


class Failed(Exception):
    """Something does not hold."""


def require(holds, words):
    if not holds:
        raise Failed(words)


class Run:
    """One run: the program, the fakes, and what is to happen."""

    def __init__(self, program, seed, photo, folder, drawn=None):
        self.program, self.seed, self.photo, self.folder = program, seed, photo, pathlib.Path(folder)
        self.drawn = drawn and pathlib.Path(drawn)
        self.dice = random.Random(seed)
        self.faults = Faults(random.Random(seed + 1_000_000), self.dice.choice([0.05, 0.15, 0.3]))
        self.telegram, self.discord = Telegram(self.faults, photo), Discord(self.faults, photo)
        self.child, self.kills, self.world, self.shop = None, [], None, None
        self.plays, self.buys, self.fills = seed % 4 == 0, seed % 4 == 1, seed % 4 == 2
        # One run in eight: they take the longest.
        self.trains, self.children_killed = seed % 8 == 7 and drawn is not None, 0
        # Photos of a time when nothing could be noted.
        self.unnoted = set()
        self.chats = [501, 502, 503]
        self.flooded = False
        self.training = training.environment(self) if self.trains else {}

    def environment(self):
        keys = {
            "QUIZ__DATABASE": self.folder / "db.sqlite", "QUIZ__LAST_CALL_SECONDS": 0, "WEB__BIND": "127.0.0.1:0",
            "MODELS__FOLDER": self.folder / "models", "LOG__FILTER": "warn,kokodoko=info", "ADMIN__TELEGRAM": f"[{ADMIN}]",
            **({} if self.flooded else {"LIMITS__USER_PHOTOS_PER_MINUTE": 1000, "LIMITS__CHAT_PHOTOS_PER_MINUTE": 1000}),
            "TELEGRAM__ENABLED": "true", "TELEGRAM__TOKEN": TOKEN, "TELEGRAM__API_URL": self.telegram.server.url,
            "DISCORD__ENABLED": "true", "DISCORD__TOKEN": DISCORD_TOKEN, "DISCORD__API_URL": self.discord.server.url,
            "DISCORD__GATEWAY_URL": self.discord.gateway.url,
            **self.training,
        }
        if self.shop:
            keys |= {
                "COLLECT__DATA_FOLDER": self.folder / "images", "COLLECT__SOURCE": "streetview", "COLLECT__WIDTH": 64,
                "COLLECT__HEIGHT": 64, "COLLECT__CAP_PER_RUN": 1, "COLLECT__POINTS_PER_TOWN": 1,
                "STREETVIEW__ACCEPT_GOOGLE_TERMS": "true", "STREETVIEW__KEY": "drawn-world",
                "STREETVIEW__API_URL": self.shop, "GEOLONIA__VERSION": 1, "GEOLONIA__API_URL": f"{self.shop}/geolonia/v1",
            }
        return {"PATH": os.environ.get("PATH", ""), **{f"KOKODOKO_{key}": str(value) for key, value in keys.items()}}

    # --- the program

    def start(self, largest_file=None):
        def limit():
            # Writing beyond it is an error, as on a full disk: the signal that comes with it is ignored.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        starts, identified = self.telegram.starts, self.discord.identified
        log = open(self.folder / "log.txt", "ab")
        self.child = subprocess.Popen([self.program, "serve"], env=self.environment(), cwd=self.folder, stderr=log,
                                      stdin=subprocess.DEVNULL, preexec_fn=limit if largest_file else None,
                                      restore_signals=not largest_file)
        log.close()
        talks = lambda: self.telegram.starts > starts and self.discord.identified > identified
        self.telegram.wait(lambda: talks() or self.child.poll() is not None, START)
        require(talks() or largest_file, "the program does not start: " + self.log()[-600:])

    def kill(self):
        require(self.child.poll() is None, f"the program ended by itself: {self.log()[-600:]}")
        self.child.kill()
        self.child.wait()
        self.kills.append(time.monotonic())
        # A 429 is remembered by the process that got it: the next one hears of it again.
        with self.telegram.lock:
            self.telegram.quiet.clear()
        with self.discord.lock:
            self.discord.quiet.clear()
        if self.trains:
            require(not (wrong := training.half_written(self)), f"half a model after a kill: {wrong}")

    def log(self):
        return (self.folder / "log.txt").read_text(errors="replace")

    # --- what happens

    def live(self, seconds):
        """People write for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            what = self.dice.random()
            if what < 0.35:
                chat = self.dice.choice(self.chats)
                self.telegram.send_photo(chat, chat)
            elif what < 0.45:
                chat, album = self.dice.choice(self.chats), f"a{self.dice.random()}"
                for _ in range(self.dice.randint(2, 3)):
                    self.telegram.send_photo(chat, chat, media_group_id=album)
            elif what < 0.55:
                self.telegram.post(self.chats[0], self.chats[0], text="/privacy")
            elif what < 0.8:
                self.discord.send_photo()
            elif what < 0.85:
                self.discord.drop_connection()
            time.sleep(self.dice.uniform(0.02, 0.4))

    def go(self):
        if self.buys:
            self.world = subprocess.Popen([self.program, "world", "serve", "--bind", "127.0.0.1:0"],
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.shop = re.search(r"http://\S+", self.world.stdout.readline()).group()
        self.start()
        if self.buys:
            self.order()
        if self.plays:
            self.begin_round()
        if self.trains:
            training.order(self)
        for _ in range(self.dice.randint(1, 3)):
            # A training has to come some way.
            self.live(self.dice.uniform(0.2, 6 if self.trains else 1.5))
            self.play()
            if self.trains and self.dice.random() < 0.4:
                self.children_killed += training.kill_child(self)
                self.live(0.3)
            self.kill()
            if self.dice.random() < 0.3:
                time.sleep(self.dice.uniform(0, 0.3))
            self.start()
        if self.fills:
            self.full_disk()
        if self.trains:
            self.train()
        self.live(0.5)
        self.play()
        self.faults.calm = True
        self.settle()

    def train(self):
        """A training comes to its end, again from the start where its process was killed; then models are exchanged."""
        self.faults.calm = True
        for _ in range(3):
            require(self.telegram.wait(lambda: training.ended(self), TRAINING), f"no end of {training.jobs(self)}")
            if any(state == "done" for _, state, _ in training.jobs(self)):
                break
            training.order(self)
        self.faults.calm = False
        for _ in range(self.dice.randint(1, 2)):
            training.promote(self)
            self.kill()
            self.start()

    def full_disk(self):
        self.kill()
        largest = max(path.stat().st_size for path in self.folder.glob("db.sqlite*")) + self.dice.randint(0, 8_192)
        # What is answered now cannot be noted: only what was done with before is judged.
        done = {said["reply_to"] for said in self.telegram.said + self.discord.said if said["reply_to"]}
        self.start(largest)
        self.live(self.dice.uniform(0.5, 1.5))
        time.sleep(0.5)
        if self.child.poll() is None:
            self.kill()
        self.unnoted = (set(self.telegram.messages) | set(self.discord.asked)) - done
        self.start()

    def order(self):
        """An admin orders pictures in the chat."""
        self.telegram.post(ADMIN, ADMIN, text="/collect points=1")
        for patience in range(3):
            offers = lambda: [n for n, f in self.telegram.faces.items() if f["chat"] == ADMIN and f["buttons"]]
            if self.telegram.wait(offers, 8):
                number = offers()[0]
                self.telegram.press(number, ADMIN, self.telegram.faces[number]["buttons"][0][0]["callback_data"])
                return
            self.telegram.post(ADMIN, ADMIN, text="/collect points=1")

    def begin_round(self):
        self.telegram.post(GROUP, 801, text="/quiz@KokodokoBot 3 15s")
        self.telegram.wait(self.pictures, 8)

    def pictures(self):
        return [n for n, face in self.telegram.faces.items() if face["chat"] == GROUP and any(
            b["callback_data"].startswith("1a:") for row in face["buttons"] for b in row)]

    def play(self):
        if not self.plays:
            return
        for number in self.pictures():
            answers = [b["callback_data"] for row in self.telegram.faces[number]["buttons"] for b in row
                       if b["callback_data"].startswith("1a:")]
            for user in (801, 802, 803):
                for data in self.dice.sample(answers, min(4, len(answers))):
                    self.telegram.press(number, user, data)
                    time.sleep(self.dice.uniform(0, 0.05))

    def settle(self):
        """Until everybody has what they are owed, or in vain for too long."""
        owed = lambda: not self.unanswered() and not self.unanswered_on_discord()
        self.telegram.wait(owed, 40)
        if self.plays:
            self.telegram.wait(lambda: not self.unfinished_rounds(), 40)
        if self.buys:
            time.sleep(1.5)
        time.sleep(0.5)
        if self.trains:
            # What the database says must also be what answers after the next start.
            self.telegram.wait(self.telegram.all_confirmed, 20)
            time.sleep(1)
            self.kill()
            self.start()
        self.child.terminate()
        try:
            require(self.child.wait(40) == 0, f"status {self.child.returncode} at the end: {self.log()[-600:]}")
        except subprocess.TimeoutExpired:
            raise Failed("it does not stop when told to") from None

    def close(self):
        for process in (self.child, self.world):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self.telegram.server.shutdown()
        self.telegram.server.server_close()
        self.discord.server.shutdown()
        self.discord.server.server_close()
        self.discord.gateway.close()

    # --- the books

    def apologies(self, chat):
        return [said for said in self.telegram.said if said["chat"] == chat and said["text"].startswith(APOLOGY)]

    def unanswered(self):
        """Photos on Telegram with neither an answer nor an apology after them."""
        answered = {said["reply_to"] for said in self.telegram.said}
        last = {chat: max((said["when"] for said in self.apologies(chat)), default=0) for chat in self.chats}
        photos = [number for number, message in self.telegram.messages.items() if message["photo"]]
        return [number for number in photos if number not in answered and number not in self.unnoted
                and self.telegram.messages[number]["when"] > last[self.telegram.messages[number]["chat"]]]

    def unanswered_on_discord(self):
        """Photos that the bot was seen to have taken on, without answer or apology in their channel."""
        said = {said["channel"] for said in self.discord.said}
        return [number for number, message in self.discord.asked.items() if number not in self.unnoted
                and message["channel"] in self.discord.taken_on and message["channel"] not in said]

    def rows(self, query, *values):
        with contextlib.closing(sqlite3.connect(self.folder / "db.sqlite")) as database:
            return database.execute(query, values).fetchall()

    def unfinished_rounds(self):
        return self.rows("SELECT id FROM rounds WHERE state IN ('preparing', 'open') OR untold = 1")

    def judge(self):
        # What could not be noted, on a disk that is full or too slow, has no such promise.
        if self.fills or "could not be noted" not in self.log():
            self.judge_answers()
            self.judge_discord()
        require(self.rows("PRAGMA integrity_check") == [("ok",)], "the database is damaged")
        require(not self.rows("PRAGMA foreign_key_check"), "rows of the database point nowhere")
        require(not self.discord.impatient, f"called before Discord's 429 was over: {self.discord.impatient}")
        require(not self.telegram.impatient, f"called before Telegram's 429 was over: {self.telegram.impatient}")
        if self.plays:
            self.judge_round()
        if self.buys:
            self.judge_purchases()
        if self.trains:
            require(not (wrong := training.wrong(self)), f"trainings: {wrong}")

    def judge_answers(self):
        """Every photo that was taken on has an answer or an apology; none has two answers; nobody is apologised to
        without a cause."""
        require(not self.unanswered(), f"without a word: photos {self.unanswered()}")
        counts = collections.Counter(said["reply_to"] for said in self.telegram.said if said["reply_to"])
        twice = {number: count for number, count in counts.items() if count > 1 and number not in self.unnoted}
        require(not twice, f"answered more than once (message, answers): {twice}")
        for chat in self.chats:
            causes = [number for number, message in self.telegram.messages.items()
                      if message["chat"] == chat and message["photo"] and self.is_doubtful(number)]
            apologies = self.apologies(chat)
            require(causes or not apologies, f"an apology without a cause in {chat}: {apologies}")
            unheard = sum(not said["heard"] for said in self.telegram.said if said["chat"] == chat)
            most = len(self.kills) + unheard + 1
            require(len(apologies) <= most, f"{len(apologies)} apologies in {chat} for {most - 1} interruptions")

    def is_doubtful(self, number):
        """Whether the program could not know that its answer arrived."""
        replies = self.telegram.replies(number)
        sure = [said for said in replies if said["heard"] and not any(
            said["when"] <= kill <= said["when"] + UNNOTED for kill in self.kills)]
        return not sure

    def judge_discord(self):
        require(not self.unanswered_on_discord(), f"without a word on Discord: {self.unanswered_on_discord()}")
        counts = collections.Counter(said["reply_to"] for said in self.discord.said if said["reply_to"])
        twice = {number: count for number, count in counts.items() if count > 1 and number not in self.unnoted}
        require(not twice, f"answered more than once on Discord (message, answers): {twice}")

    def judge_round(self):
        """No answer that was confirmed to a player is lost, no score is lost or doubled, the bell keeps its time."""
        last = {}
        for press in self.telegram.presses.values():
            kind, round_id, number, choice = (press["data"].split(":") + ["", "", ""])[:4]
            if kind == "1a":
                last.setdefault((int(round_id), press["user"], int(number)), []).append((int(choice), press["notice"] or ""))
        stored = {row[:3]: row[3] for row in self.rows(
            "SELECT round_id, external_id, number, choice FROM answers JOIN identities USING (player_id)")}
        for (round_id, user, number), presses in last.items():
            if any(notice.startswith(f"Photo {number}:") for _, notice in presses):
                key = (round_id, user, number)
                require(key in stored, f"a confirmed answer is lost: {key}")
                require(stored[key] in [choice for choice, _ in presses], f"an answer that nobody gave: {key}")
        rounds = self.rows("SELECT count(*) FROM entries WHERE points IS NULL")
        require(rounds == [(0,)], f"entries without points: {rounds}")
        totals = self.rows("SELECT player_id, sum(points), sum(answered) FROM entries WHERE scored = 1 GROUP BY player_id")
        kept = self.rows("SELECT player_id, points, answers FROM standings JOIN players ON players.id = player_id "
                         "WHERE model IS NULL AND chat_id = 0 AND period = 'all'")
        require(sorted(totals) == sorted(kept), f"scores lost or doubled: {sorted(totals)} in rounds, {sorted(kept)} in sums")
        single = self.rows("SELECT round_id, player_id, sum(points) FROM answers GROUP BY 1, 2")
        entries = self.rows("SELECT round_id, player_id, points FROM entries WHERE answered > 0")
        require(sorted(single) == sorted(entries), f"an entry is not the sum of its answers: {single} {entries}")
        late = self.rows("SELECT count(*) FROM answers JOIN rounds ON rounds.id = round_id WHERE answered_at > bell_at")
        require(late == [(0,)], f"{late} answers after the bell")
        moved = self.rows("SELECT id FROM rounds WHERE deadline_at <> opened_at + 1000 * seconds OR bell_at > deadline_at")
        require(not moved, f"rounds whose deadline was moved: {moved}")
        require(not self.unfinished_rounds(), f"rounds that are not told to their end: {self.unfinished_rounds()}")

    def judge_purchases(self):
        with urllib.request.urlopen(f"{self.shop}/_books") as answer:
            book = json.load(answer)["streetview"]
        twice = {item: count for item, count in book["images"].items() if count > 1}
        require(not twice, f"bought more than once: {twice}")
        noted = self.rows("SELECT count(*) FROM purchases WHERE state <> 'free'")[0][0]
        require(noted >= book["images_billed"], f"{book['images_billed']} sold, {noted} in the ledger")
        for file in (self.folder / "images").rglob("*.jpg"):
            require(hashlib.sha256(file.read_bytes()).hexdigest() == file.stem, f"half a picture: {file.name}")


def one(program, seed, photo, drawn):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        run = Run(program, seed, photo, folder, drawn)
        try:
            run.go()
            run.judge()
            wrong = None
        except Failed as failed:
            wrong = f"{failed}\n{run.log()[-3000:]}"
        except Exception:
            wrong = traceback.format_exc()
        finally:
            run.close()
        books = collections.Counter(kills=len(run.kills), **{f"fault {k}": n for k, n in run.faults.done.items()})
        books["photos"] = sum(m["photo"] for m in run.telegram.messages.values()) + len(run.discord.asked)
        books["answers"] = sum(bool(s["reply_to"]) for s in run.telegram.said + run.discord.said)
        books["apologies"] = sum(s["text"].startswith(APOLOGY) for s in run.telegram.said + run.discord.said)
        books["runs with a disk too slow for notes"] = not run.fills and "could not be noted" in run.log()
        books["presses"] = len(run.telegram.presses)
        books["kills of a training alone"] = run.children_killed
        books["updates again or out of order"], books["full disks"] = run.telegram.shuffled, run.fills
        books["runs that play"], books["runs that buy"], books["runs that train"] = run.plays, run.buys, run.trains
        return seed, wrong, books, time.monotonic() - begun


def peak_megabytes(pid):
    """Peak of the resident memory so far (VmHWM of proc(5))."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def flood(program, photo, photos):
    """Many photos of one person, and then one of another."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        run = Run(program, 3, photo, folder)
        run.faults.calm, run.flooded = True, True
        try:
            run.start()
            first = [run.telegram.send_photo(500 + person, 500 + person) for person in range(10)]
            require(run.telegram.wait(lambda: all(run.telegram.replies(n) for n in first), 60), "no answers")
            before = peak_megabytes(run.child.pid)
            for _ in range(photos):
                run.telegram.send_photo(501, 501)
            begun = time.monotonic()
            other = run.telegram.send_photo(600, 600)
            require(run.telegram.wait(lambda: run.telegram.replies(other), 120), "another person waits in vain")
            waited, after = time.monotonic() - begun, peak_megabytes(run.child.pid)
            answers = sum(said["chat"] == 501 for said in run.telegram.said)
            print(f"{photos} photos of one person: {answers} answers to them, the next person waited {waited:.1f} s, peak "
                  f"memory {before:.0f} MB before and {after:.0f} MB after")
            require(answers <= 20 and after < 1.25 * before, "a flood costs too much")
        finally:
            run.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", default="target/release/kokodoko")
    arguments.add_argument("--runs", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--at-once", type=int, default=4)
    arguments.add_argument("--flood", type=int)
    options = arguments.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "world", "render", "--out", folder, "--count", "1"], check=True, stdout=subprocess.DEVNULL)
        photo = next(pathlib.Path(folder).glob("*.jpg")).read_bytes()
    if options.flood:
        return flood(program, photo, options.flood)
    total, failures, begun = collections.Counter(), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as drawn, concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        training.draw(program, drawn)
        seeds = range(options.seed, options.seed + options.runs)
        for done in concurrent.futures.as_completed([pool.submit(one, program, seed, photo, drawn) for seed in seeds]):
            seed, wrong, books, seconds = done.result()
            total += books
            failures += wrong is not None
            if wrong:
                print(f"run {seed} ({seconds:.0f} s): {wrong}", flush=True)
    print(f"{options.runs} runs in {time.monotonic() - begun:.0f} s, {failures} failed: "
          + ", ".join(f"{count} {name}" for name, count in sorted(total.items())))
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
