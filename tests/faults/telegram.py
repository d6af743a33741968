"""A Bot API server that keeps books: what was asked, what was handed out, what the bot said to it."""

import json
import threading
import time
import urllib.parse

from wire import Cut, Server, fields

TOKEN = "4242:AAE-faults"
ADMIN = 900
BOT = {"id": 4242, "is_bot": True, "first_name": "Kokodoko", "username": "KokodokoBot", "can_join_groups": True,
       "can_read_all_group_messages": False, "supports_inline_queries": False, "can_connect_to_business": False,
       "has_main_web_app": False}
# What may happen to a call, by weight. teloxide sits out every 5xx for ten seconds: few.
CALLS = {"429": 4, "cut before": 4, "cut after": 4, "garbage": 2, "late": 6, "502": 0.3}
FILES = {"cut before": 2, "half": 4, "502": 1, "garbage": 2, "late": 4}


class Telegram:
    def __init__(self, faults, photo):
        self.faults, self.photo, self.lock = faults, photo, threading.Condition()
        self.updates, self.handed, self.confirmed = [], set(), set()
        self.next_message, self.next_update = 1, 1
        self.messages = {}  # of people: number -> chat, photos, text, when
        self.said = []  # by the bot: chat, text, reply_to, when, whether the bot heard that it was taken
        self.faces = {}  # of the bot's messages: number -> text and buttons
        self.presses = {}  # query -> what was pressed and the notice
        self.quiet = {}  # chat -> until when the bot was told to be silent
        self.impatient = []  # calls before that time
        self.starts = 0
        self.shuffled = 0  # batches with updates again, or in another order
        self.server = Server(self.answer)

    # --- people

    def post(self, chat, user, **content):
        """Somebody writes; the number of the message."""
        with self.lock:
            number, self.next_message = self.next_message, self.next_message + 1
            kind = {"type": "private", "first_name": "A"} if chat > 0 else {"type": "supergroup", "title": "G"}
            message = {"message_id": number, "date": int(time.time()), "chat": {"id": chat, **kind},
                       "from": {"id": user, "is_bot": False, "first_name": f"P{user}", "language_code": "en"}, **content}
            self.messages[number] = {"chat": chat, "photo": "photo" in content, "text": content.get("text", ""),
                                     "when": time.monotonic()}
            self.push({"message": message})
            return number

    def send_photo(self, chat, user, **more):
        size = {"file_unique_id": "u", "width": 640, "height": 480, "file_size": len(self.photo)}
        return self.post(chat, user, photo=[{"file_id": f"f{self.next_message}", **size}], **more)

    def press(self, message, user, data):
        """Somebody presses a button; the number of the query."""
        with self.lock:
            query = f"q{self.next_update}"
            chat = self.faces[message]["chat"]
            self.presses[query] = {"user": user, "data": data, "when": time.monotonic(), "notice": None, "heard": None}
            kind = {"type": "private", "first_name": "A"} if chat > 0 else {"type": "supergroup", "title": "G"}
            self.push({"callback_query": {
                "id": query, "from": {"id": user, "is_bot": False, "first_name": f"P{user}", "language_code": "en"},
                "chat_instance": "1", "data": data, "message": {
                    "message_id": message, "date": int(time.time()), "chat": {"id": chat, **kind}, "from": BOT,
                    "text": "x"}}})
            return query

    def push(self, update):
        self.updates.append({"update_id": self.next_update, **update})
        self.next_update += 1
        self.lock.notify_all()

    # --- the bot

    def answer(self, _, path, headers, body):
        path = urllib.parse.unquote(path)
        if path.startswith(f"/file/bot{TOKEN}/"):
            return self.file()
        method = path.removeprefix(f"/bot{TOKEN}/").lower()
        # What was on its way when a 429 was given could not know of it.
        arrived = time.monotonic()
        params, files = fields(headers, body)
        fault = self.faults.pick(CALLS) if method != "getme" else None
        if fault == "cut before":
            raise Cut
        if fault == "late":
            time.sleep(self.faults.number(0.05, 0.6))
        if fault == "502":
            return 502, "text/html", b"<html>502 Bad Gateway</html>"
        speaks = method.startswith(("send", "edit")) and method != "sendchataction"
        now = time.monotonic()
        with self.lock:
            if speaks and arrived < self.quiet.get(params["chat_id"], 0) - 0.02:
                self.impatient.append((method, params["chat_id"]))
        if fault == "429" and method != "getupdates":
            if speaks:
                self.quiet[params["chat_id"]] = now + 1
            return 429, "application/json", json.dumps({
                "ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1}}).encode()
        result = self.call(method, params, files, fault)
        whole = json.dumps({"ok": True, "result": result}).encode()
        if fault == "garbage":
            return 200, "application/json", b'{"ok":true,"result":{"garbage'
        if fault == "cut after":
            return 200, "application/json", whole, True
        return 200, "application/json", whole

    def file(self):
        fault = self.faults.pick(FILES)
        if fault == "cut before":
            raise Cut
        if fault == "502":
            return 502, "text/html", b"<html>502 Bad Gateway</html>"
        if fault == "garbage":
            return 200, "application/octet-stream", b"\xff\xd8\xff" + b"garbage" * 99
        if fault == "late":
            time.sleep(self.faults.number(0.1, 1.0))
        return (200, "image/jpeg", self.photo, True) if fault == "half" else (200, "image/jpeg", self.photo)

    def call(self, method, params, files, fault):
        heard = fault not in ("garbage", "cut after")
        if method == "getme":
            with self.lock:
                self.starts += 1
                self.lock.notify_all()
            return BOT
        if method == "getupdates":
            return self.hand_out(params)
        if method in ("sendmessage", "sendphoto", "sendmediagroup"):
            return self.say(method, params, heard)
        if method.startswith("editmessage"):
            with self.lock:
                face = self.faces.setdefault(params["message_id"], {"chat": params["chat_id"]})
                face["text"] = params.get("text") or params.get("caption") or json.dumps(params.get("media", ""))
                face["buttons"] = params.get("reply_markup", {}).get("inline_keyboard", [])
                face.setdefault("history", []).append((time.monotonic(), face["text"]))
                return self.message(params["chat_id"], params["message_id"])
        if method == "answercallbackquery":
            with self.lock:
                press = self.presses[params["callback_query_id"]]
                press["notice"], press["heard"] = params.get("text", ""), time.monotonic()
                self.lock.notify_all()
            return True
        if method == "getfile":
            return {"file_id": params["file_id"], "file_unique_id": "u", "file_path": "photos/x.jpg"}
        if method == "getchatmember":
            return {"status": "member", "user": {"id": params["user_id"], "is_bot": False, "first_name": "A"}}
        return True

    def hand_out(self, params):
        until = time.monotonic() + min(params.get("timeout", 0), 2)
        with self.lock:
            offset = params.get("offset", 0)
            self.confirmed |= {update["update_id"] for update in self.updates if update["update_id"] < offset}
            while not (waiting := [u for u in self.updates if u["update_id"] >= offset]) and time.monotonic() < until:
                self.lock.wait(0.1)
            batch = waiting[:100]
            # Again what was confirmed already, and in another order.
            old = [u for u in self.updates if u["update_id"] < offset][-5:]
            if batch and old and self.faults.chance(0.2):
                batch = old + batch
                self.shuffled += 1
            if self.faults.chance(0.2):
                first = batch[:-1]
                self.faults.dice.shuffle(first)
                # The last stays the last: by it the bot confirms.
                batch = first + batch[-1:]
                self.shuffled += 1
            self.handed |= {update["update_id"] for update in batch}
            return batch

    def message(self, chat, number):
        kind = {"type": "private", "first_name": "A"} if chat > 0 else {"type": "supergroup", "title": "G"}
        return {"message_id": number, "date": int(time.time()), "chat": {"id": chat, **kind}, "from": BOT, "text": "x"}

    def say(self, method, params, heard):
        with self.lock:
            number, self.next_message = self.next_message, self.next_message + 1
            chat, text = params["chat_id"], params.get("text") or params.get("caption") or ""
            reply = (params.get("reply_parameters") or {}).get("message_id")
            self.said.append({"chat": chat, "text": text, "reply_to": reply, "when": time.monotonic(), "heard": heard,
                              "number": number, "photo": method != "sendmessage"})
            buttons = (params.get("reply_markup") or {}).get("inline_keyboard", [])
            self.faces[number] = {"chat": chat, "text": text, "buttons": buttons}
            self.lock.notify_all()
            message = self.message(chat, number)
            return [message] if method == "sendmediagroup" else message

    # --- the books

    def replies(self, number):
        with self.lock:
            return [said for said in self.said if said["reply_to"] == number]

    def all_confirmed(self):
        """Whether the bot has taken every update; under the lock."""
        return all(update["update_id"] in self.confirmed for update in self.updates)

    def wait(self, look, patience):
        """Whether `look()` came true in time."""
        until = time.monotonic() + patience
        with self.lock:
            while not look():
                if time.monotonic() > until:
                    return False
                self.lock.wait(0.05)
            return True
