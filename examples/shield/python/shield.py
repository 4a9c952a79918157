"""The scanner of src/lib.rs in Python: the same rules, the same verdicts, the standard library alone.

    shield.py scan FILE [--rounds N] [--stay]
    shield.py serve [--port N]

What a careful program would do: phrases in one alternation, shapes compiled once, a prompt at a time. It imports no
more than it uses, and `http.server` only to serve.
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


def scan(file, rounds, stay):
    prompts = Path(file).read_text(encoding="utf-8").splitlines()
    scanner, counts = Scanner(), Counts()
    for _ in range(rounds):
        for prompt in prompts:
            counts.add(*scanner.scan(prompt))
    print(counts, flush=True)
    if stay:
        sys.stdin.read()


def serve(port):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    scanner, counts = Scanner(), Counts()

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
    match words:
        case ["scan", file, *options]:
            rounds = int(options[1]) if options[:1] == ["--rounds"] else 1
            scan(file, rounds, "--stay" in options)
        case ["serve", *options]:
            serve(int(options[1]) if options[:1] == ["--port"] else 0)
        case _:
            sys.exit("usage: shield.py scan FILE [--rounds N] [--stay] | serve [--port N]")


if __name__ == "__main__":
    main(sys.argv[1:])
