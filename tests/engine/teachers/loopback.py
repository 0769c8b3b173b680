"""A real HTTP server on loopback that answers, or misbehaves, as a test says."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gradus.engine.teachers.base import Request, SamplingConfig


class Server(ThreadingHTTPServer):
    """`say(number, body)` gives (status, headers, body) of the reply to the number-th request; None hangs up."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, say):
        super().__init__(("127.0.0.1", 0), Handler)
        self.say, self.seen, self.connections = say, [], 0
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def finish_request(self, request, client_address):
        with self.lock:
            self.connections += 1
        super().finish_request(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.seen)
            self.server.seen.append((self.path, dict(self.headers), body))
        reply = self.server.say(number, body)
        if reply is None:
            self.close_connection = True
            return
        status, headers, raw = reply
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def handle_one_request(self):
        with contextlib.suppress(ConnectionError):  # the client was killed
            super().handle_one_request()

    def log_message(self, *_):
        pass


def chat(message, **more):
    """Return a 200 with a chat completion, in vLLM's form."""
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", **message},
        **more.pop("choice", {}),
    }
    data = {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 3}, **more}
    return 200, {}, json.dumps(data).encode()


def echo(number, body):
    """Answer with the question and the seed."""
    return chat({"content": f"{body['messages'][-1]['content']} {body['seed']}"})


def error(status, message, **headers):
    """Return an error in OpenAI's form."""
    data = {"error": {"message": message, "code": headers.pop("code", None)}}
    return status, headers, json.dumps(data).encode()


def ask(text="2 + 2?", seed=0, **sampling):
    return Request(messages=({"role": "user", "content": text},), sampling=SamplingConfig(**sampling), seed=seed)
