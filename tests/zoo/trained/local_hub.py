"""A hub on 127.0.0.1: what the clients of Hugging Face and Kaggle ask for, and no more."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading

COMMIT = "0" * 39 + "1"


class Hub:
    """Files {name: bytes} of one repository, and what clients asked of them.

    Args:
        files: {name: bytes}.
    """

    def __init__(self, files):
        self.files, self.asked, self.made = dict(files), [], []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_HEAD(self):
                self.get(body=False)

            def do_GET(self):
                self.get(body=True)

            def get(self, *, body):
                hub.asked.append(self.path)
                found = re.fullmatch(r"/user/name/resolve/([^/]+)/([^/?]+)", self.path)
                if not found:
                    return self.answer(401, {}, {"X-Error-Code": "RepoNotFound"})
                content = hub.files.get(found[2])
                if content is None:
                    return self.answer(404, {}, {"X-Error-Code": "EntryNotFound"})
                headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
                return self.answer(200, content, headers | {"X-Repo-Commit": COMMIT}, body=body)

            def do_POST(self):
                hub.asked.append(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length)
                if self.path.startswith("/api/repos/create"):
                    hub.made.append(json.loads(sent)["name"])
                    return self.answer(200, {"url": f"{hub.address}/user/name"})
                if "/preupload/" in self.path:
                    each = [file["path"] for file in json.loads(sent)["files"]]
                    told = [
                        {"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in each
                    ]
                    return self.answer(200, {"files": told})
                if "/commit/" in self.path:
                    for line in map(json.loads, sent.splitlines()):
                        if line["key"] == "file":
                            value = line["value"]
                            hub.files[value["path"]] = base64.b64decode(value["content"])
                    address = f"{hub.address}/user/name/commit/{COMMIT}"
                    return self.answer(200, {"commitUrl": address, "commitOid": COMMIT})
                if self.path.endswith("/GetModelInstance"):
                    return self.answer(200, {"versionNumber": 3})
                if self.path.endswith("/DownloadModelInstanceVersion"):
                    asked = json.loads(sent)
                    content = hub.files.get(asked.get("path"))
                    known = (asked["ownerSlug"], asked["modelSlug"]) == ("user", "name")
                    return self.answer(200, content) if known and content else self.answer(404, {})
                return self.answer(200, {})  # of the card, whose front matter is looked at

            def answer(self, status, content, headers=None, *, body=True):
                raw = isinstance(content, bytes)
                sent = content if raw else json.dumps(content).encode()
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/octet-stream" if raw else JSON)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                if body:
                    self.wfile.write(sent)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


JSON = "application/json"


@contextlib.contextmanager
def serving(files):
    """Yields a `Hub`, which answers until the block ends."""
    hub = Hub(files)
    thread = threading.Thread(target=hub.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.server_close()
        thread.join()
