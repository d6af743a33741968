"""Discord's REST API and gateway with books: which messages were handed out, and what the bot said to them."""

import json
import threading
import time

from wire import Cut, Gateway, Server, fields

TOKEN = "faults"
ME = "1000"
WHEN = "2026-04-01T09:00:00.000000+00:00"
CALLS = {"500": 3, "cut before": 4, "cut after": 4, "429": 2, "late": 6}
FILES = {"cut before": 2, "half": 4, "500": 1, "garbage": 2, "late": 4}


def person(number):
    return {"id": str(number), "username": f"p{number}", "discriminator": "0", "global_name": None, "avatar": None,
            "bot": str(number) == ME}


class Discord:
    def __init__(self, faults, photo):
        self.faults, self.photo, self.lock = faults, photo, threading.Condition()
        self.log = []  # events in order; their place is the sequence
        self.asked = {}  # messages of people: number -> channel, when
        self.said = []  # by the bot: channel, reply_to, text, when, heard
        self.nonces = {}  # Discord takes a message with a known nonce once
        self.quiet = {}  # channel -> when the bot was told to be silent, and until when
        self.impatient = []  # calls in between
        self.taken_on = set()  # channels in which the bot was seen typing: it has the message
        self.sessions, self.cut, self.next_id, self.identified = 0, 0, 10_000, 0
        self.server = Server(self.answer)
        self.gateway = Gateway(self.talk)

    # --- people

    def send_photo(self):
        """A private message with a photo, in a channel of its own; its number."""
        with self.lock:
            number, self.next_id = self.next_id, self.next_id + 1
            url = f"{self.server.url}/attachments/{number}/x.jpg"
            file = {"id": str(number + 500_000), "filename": "x.jpg", "size": len(self.photo), "url": url,
                    "proxy_url": url, "content_type": "image/jpeg", "width": 640, "height": 480}
            self.asked[number] = {"channel": number + 1_000_000, "when": time.monotonic()}
            message = {"id": str(number), "channel_id": str(number + 1_000_000), "author": person(77), "content": "",
                       "timestamp": WHEN, "edited_timestamp": None, "tts": False, "mention_everyone": False,
                       "mentions": [], "mention_roles": [], "attachments": [file], "embeds": [], "pinned": False,
                       "type": 0, "flags": 0, "components": []}
            # Now and then an event comes twice.
            self.log += [("MESSAGE_CREATE", message)] * (2 if self.faults.chance(0.2) else 1)
            self.lock.notify_all()
            return number

    def drop_connection(self):
        with self.lock:
            self.cut += 1
            self.lock.notify_all()

    # --- the gateway

    def talk(self, link):
        link.send({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": 41_250}})
        at = None
        while at is None:
            said = link.receive(30)
            if said and said["op"] == 2:
                with self.lock:
                    self.sessions += 1
                    at = len(self.log)
                link.send({"op": 0, "s": at, "t": "READY", "d": {
                    "v": 10, "user": person(ME), "guilds": [], "session_id": f"s{self.sessions}",
                    "resume_gateway_url": self.gateway.url, "shard": [0, 1], "application": {"id": ME, "flags": 0}}})
                with self.lock:
                    self.identified += 1
                    self.lock.notify_all()
            elif said and said["op"] == 6:
                at = min(said["d"]["seq"] or 0, len(self.log))
                # A resumed session may say again what was said.
                at = max(0, at - 2) if self.faults.chance(0.5) else at
            elif said and said["op"] == 1:
                link.send({"op": 11, "d": None, "s": None, "t": None})
            elif said is None:
                return
        cut = self.cut
        while cut == self.cut:
            with self.lock:
                news, self_at = self.log[at:], at
            for kind, event in news:
                self_at += 1
                link.send({"op": 0, "s": self_at, "t": kind, "d": event})
            at = self_at
            said = link.receive(0.03)
            if said and said["op"] == 1:
                link.send({"op": 11, "d": None, "s": None, "t": None})

    # --- REST

    def answer(self, method, path, headers, body):
        if path.startswith("/attachments/"):
            return self.file()
        path = path.removeprefix("/api/v10").split("?")[0]
        values, _ = fields(headers, body)
        values = values.get("payload_json", values) if isinstance(values, dict) else values
        speaks = path.startswith("/channels") and not path.endswith("typing")
        fault = self.faults.pick(CALLS) if speaks else None
        channel, now = path.strip("/").split("/")[1:2], time.monotonic()
        with self.lock:
            told, until = self.quiet.get(channel[0] if speaks else None, (now, now))
            if told < now < until - 0.02:
                self.impatient.append((method, path))
        if fault == "cut before":
            raise Cut
        if fault == "late":
            time.sleep(self.faults.number(0.05, 0.6))
        if fault == "429":
            with self.lock:
                now = time.monotonic()
                self.quiet[channel[0]] = (now, now + 1)
        if fault in ("500", "429"):
            words = {"message": "no", "code": 0, "retry_after": 1.0, "global": False}
            return int(fault), "application/json", json.dumps(words).encode()
        status, result = self.route(method, path.strip("/").split("/"), values, fault != "cut after")
        whole = json.dumps(result).encode() if status != 204 else b""
        return (status, "application/json", whole, True) if fault == "cut after" else (status, "application/json", whole)

    def file(self):
        fault = self.faults.pick(FILES)
        if fault == "cut before":
            raise Cut
        if fault == "late":
            time.sleep(self.faults.number(0.1, 1.0))
        if fault == "500":
            return 500, "text/plain", b"no"
        whole = self.photo if fault != "garbage" else b"\xff\xd8\xff" + b"garbage" * 99
        return (200, "image/jpeg", whole, True) if fault == "half" else (200, "image/jpeg", whole)

    def route(self, method, parts, values, heard):
        if parts == ["gateway"]:
            return 200, {"url": self.gateway.url}
        if parts == ["gateway", "bot"]:
            limit = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
            return 200, {"url": self.gateway.url, "shards": 1, "session_start_limit": limit}
        if parts == ["users", "@me"]:
            return 200, person(ME)
        if parts[0] == "oauth2":
            return 200, {"id": ME, "name": "k", "icon": None, "description": "", "summary": "", "bot_public": True,
                         "bot_require_code_grant": False, "verify_key": "00", "team": None, "flags": 0,
                         "owner": person(2)}
        if parts[0] == "applications":
            command = {"application_id": ME, "version": "1", "default_member_permissions": None, "type": 1}
            return 200, [{"id": str(index + 1), **command, "description": "", **given}
                         for index, given in enumerate(values)]
        if parts[0] == "channels" and parts[-1] == "typing":
            with self.lock:
                self.taken_on.add(int(parts[1]))
            return 204, None
        if parts[0] == "channels" and method == "POST":
            return 200, self.say(int(parts[1]), values, heard)
        return 204, None

    def say(self, channel, values, heard):
        with self.lock:
            nonce = values.get("nonce")
            known = self.nonces.get((channel, nonce)) if values.get("enforce_nonce") else None
            if known:
                known["heard"] |= heard
                return self.message(channel, known["number"])
            number, self.next_id = self.next_id, self.next_id + 1
            reply = (values.get("message_reference") or {}).get("message_id")
            said = {"channel": channel, "reply_to": int(reply) if reply else None, "text": values.get("content", ""),
                    "when": time.monotonic(), "heard": heard, "number": number}
            self.nonces[channel, nonce] = said
            self.said.append(said)
            self.lock.notify_all()
            return self.message(channel, number)

    def message(self, channel, number):
        return {"id": str(number), "channel_id": str(channel), "author": person(ME), "content": "", "timestamp": WHEN,
                "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [],
                "attachments": [], "embeds": [], "pinned": False, "type": 0, "flags": 0, "components": []}
