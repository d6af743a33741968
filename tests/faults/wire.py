"""What both fakes stand on: HTTP with faults that seeded dice choose, multipart forms, the server's side of WebSockets."""

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import time


class Faults:
    """What goes wrong on the wire, by dice; nothing once `calm` is set."""

    def __init__(self, dice, share):
        self.dice, self.share, self.calm, self.lock = dice, share, False, threading.Lock()
        self.done = {}

    def pick(self, kinds):
        """One of `kinds` (name to weight), or None."""
        with self.lock:
            if self.calm or self.dice.random() >= self.share:
                return None
            kind = self.dice.choices(list(kinds), kinds.values())[0]
            self.done[kind] = self.done.get(kind, 0) + 1
            return kind

    def chance(self, share):
        with self.lock:
            return not self.calm and self.dice.random() < share

    def number(self, low, high):
        with self.lock:
            return self.dice.uniform(low, high)


class Cut(Exception):
    """The connection is cut without a word."""


class Server(http.server.ThreadingHTTPServer):
    """HTTP/1.1 on a free port; `answer(method, path, headers, body)` gives status, media type and body."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer):
        self.answer = answer
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, address):
        """Whoever was killed says no goodbye."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if "chunked" not in self.headers.get(
            "Transfer-Encoding", "") else self.chunks()
        try:
            status, media, answer, *half = self.server.answer(self.command, self.path, self.headers, body)
        except Cut:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        # Half a body, and then the line is cut.
        self.wfile.write(answer[: len(answer) // 2] if half else answer)
        self.close_connection = bool(half)

    def chunks(self):
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *_):
        """Quiet."""


def fields(headers, body):
    """The parameters of a call as text or JSON values, and its files."""
    kind = headers.get("Content-Type", "")
    if "multipart/form-data" not in kind:
        return (json.loads(body) if body else {}), []
    values, files = {}, []
    boundary = b"--" + re.search(r'boundary="?([^";]+)', kind).group(1).encode()
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head).group(1).decode()
        if b"filename=" in head:
            files.append(content[:-2])
            continue
        text = content[:-2].decode()
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values, files


class Gateway:
    """The server's side of WebSockets (RFC 6455), texts only; `talk(link)` runs for each connection."""

    def __init__(self, talk):
        self.talk, self.socket = talk, socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                stream, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.greet, args=(stream,), daemon=True).start()

    def greet(self, stream):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                head += stream.recv(4096) or b"\r\n\r\n"
            key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head).group(1)
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            self.talk(Link(stream))
        except (OSError, AttributeError, ValueError):
            pass
        finally:
            stream.close()

    def close(self):
        self.socket.close()


class Link:
    """One connection."""

    def __init__(self, stream):
        self.stream, self.buffer, self.lock = stream, b"", threading.Lock()

    def send(self, value):
        text = json.dumps(value).encode()
        size = len(text)
        head = bytes([0x81, size]) if size < 126 else b"\x81\x7e" + struct.pack(">H", size)
        if size > 0xFFFF:
            head = b"\x81\x7f" + struct.pack(">Q", size)
        with self.lock:
            self.stream.sendall(head + text)

    def receive(self, patience):
        """The next text, None when none comes in time; OSError when the connection is over."""
        until = time.monotonic() + patience
        while True:
            frame = self.frame()
            if frame is not None:
                code, text = frame
                if code == 8:
                    raise OSError("closed")
                if code == 1:
                    return json.loads(text)
                continue
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.stream.settimeout(left)
            try:
                more = self.stream.recv(65536)
            except TimeoutError:
                return None
            if not more:
                raise OSError("gone")
            self.buffer += more

    def frame(self):
        data = self.buffer
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size == 126:
            size, at = struct.unpack(">H", data[2:4])[0] if len(data) >= 4 else 1 << 30, 4
        elif size == 127:
            size, at = struct.unpack(">Q", data[2:10])[0] if len(data) >= 10 else 1 << 30, 10
        if len(data) < at + 4 + size:
            return None
        mask, text = data[at : at + 4], data[at + 4 : at + 4 + size]
        self.buffer = data[at + 4 + size :]
        return data[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))
