"""The scanner of src/lib.rs in Python: the same rules, the same verdicts, the standard library alone.

    shield.py scan FILE [--rounds N] [--workers N] [--stay]
    shield.py serve [--port N]

What a careful program would do: phrases in one alternation, shapes compiled once, a prompt at a time. It imports no
more than it uses: `http.server` to serve, `multiprocessing` for more workers than one.
"""

import re
import sys
from pathlib import Path

REVIEW, BLOCK = 20, 60


class Scanner:
    def __init__(self):
        phrases, self.names, self.shapes, self.scores = [], {}, [], {}
        rules = Path(__file__).parent.parent / "rules.tsv"
        for line in rules.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                continue
            kind, score, name, text = line.split("\t")
            self.scores[name] = int(score)
            if kind == "phrase":
                phrases.append(text)
                self.names[text.lower()] = name
            else:
                self.shapes.append((re.compile(text, re.ASCII), name))
        self.phrases = re.compile("|".join(map(re.escape, phrases)), re.ASCII | re.IGNORECASE)

    def scan(self, prompt):
        """The score, and how many phrases and shapes were found."""
        found, hits = set(), 0
        for hit in self.phrases.finditer(prompt):
            found.add(self.names[hit[0].lower()])
            hits += 1
        for shape, name in self.shapes:
            for _ in shape.finditer(prompt):
                found.add(name)
                hits += 1
        return sum(self.scores[name] for name in found), hits


class Counts:
    def __init__(self):
        self.allow = self.review = self.block = self.hits = 0

    def add(self, score, hits):
        decision = "block" if score >= BLOCK else "review" if score >= REVIEW else "allow"
        setattr(self, decision, getattr(self, decision) + 1)
        self.hits += hits
        return decision

    def __str__(self):
        return f"{self.allow} allowed, {self.review} reviewed, {self.block} blocked, {self.hits} hits"


scanner = None


def prepare():
    global scanner
    scanner = Scanner()


def scan_one(prompt):
    return scanner.scan(prompt)


def scan(file, rounds=1, workers=1, stay=False):
    prompts = Path(file).read_text(encoding="utf-8").splitlines()
    counts, pool = Counts(), None
    if workers == 1:
        prepare()
    else:
        # One lock holds all threads of an interpreter, so that workers are processes.
        from multiprocessing import Pool

        pool = Pool(workers, prepare)
    for _ in range(rounds):
        for found in pool.imap(scan_one, prompts, 50) if pool else map(scan_one, prompts):
            counts.add(*found)
    print(counts, flush=True)
    if stay:
        sys.stdin.read()
    if pool:
        pool.terminate()


def serve(port=0):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    prepare()
    counts = Counts()

    class Handler(BaseHTTPRequestHandler):
        timeout = 2

        def answer(self, status, body=""):
            self.send_response(status)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self):
            length = int(self.headers.get("content-length", 0))
            if self.path != "/scan" or length > 1 << 19:
                return self.answer(404 if self.path != "/scan" else 413)
            score, hits = scanner.scan(self.rfile.read(length).decode(errors="replace"))
            self.answer(200, f"{counts.add(score, hits)} {score}\n")

        def do_GET(self):
            if self.path != "/metrics":
                return self.answer(404)
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.answer(200, f"process_resident_memory_bytes {pages * 4096}\n")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def main(words):
    usage = "usage: shield.py scan FILE [--rounds N] [--workers N] [--stay] | serve [--port N]"
    what, file = words[:1], words[1:2] if words[:1] == ["scan"] else []
    options, words = {}, iter(words[1 + len(file):])
    for word in words:
        options[word.removeprefix("--")] = word == "--stay" or int(next(words))
    if what == ["scan"] and file:
        scan(*file, **options)
    elif what == ["serve"]:
        serve(**options)
    else:
        sys.exit(usage)


if __name__ == "__main__":
    main(sys.argv[1:])
