// Measures one page by three tools, again and again and in turns, and says how much each differs from itself.
//
//   npm install --legacy-peer-deps --prefix target/browser \
//     size-limit@13.1.1 @size-limit/file@13.1.1 @size-limit/time@13.1.1 lighthouse@12.8.2
//   node benches/browser/compare.mjs [RUNS]
//
// It needs a Chromium (CHROME, or /usr/bin/chromium), and `cargo-budget` (CARGO_BUDGET, or the debug build). It is no part of
// CI: what it installs belongs to other ecosystems. Its table is in docs/browser.md.
//
// The page carries the module of local-first inside its script, since size-limit runs scripts without a server. It makes two
// documents and merges them. Tools judge one value of theirs by a limit, so a false red is a repetition that is over 1.2 times
// the tool's own median.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const runs = Number(process.argv[2] ?? 10);
const chrome = process.env.CHROME ?? "/usr/bin/chromium";
const budget = process.env.CARGO_BUDGET ?? join(root, "target/debug/cargo-budget");
const packages = join(root, "target/browser");
const site = join(packages, "site");

/** Writes the page, with the module inside of its script. */
function make() {
  mkdirSync(site, { recursive: true });
  const module = readFileSync(join(root, "fixtures/local-first/local_first.wasm")).toString("base64");
  const bytes = `Uint8Array.from(atob("${module}"), (c) => c.charCodeAt(0))`;
  const app = readFileSync(join(root, "examples/page/site/app.mjs"), "utf8")
    .replace('instantiateStreaming(fetch("local_first.wasm"), {})', `instantiate(${bytes}, {})`)
    .replace(/^document\.getElementById.*$/m, "");
  if (!app.includes(module)) throw new Error("the page is not what this script expects");
  writeFileSync(join(site, "app.js"), `(async () => {\n${app}\n})();\n`);
  const head = '<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">';
  writeFileSync(join(site, "index.html"), `${head}<p>page</p><script src="app.js"></script>\n`);
}

/** Serves the page for Lighthouse, which has no server of its own. */
function serve() {
  const types = { "/": "text/html", "/app.js": "text/javascript" };
  const server = createServer((request, response) => {
    const type = types[request.url];
    response.writeHead(type ? 200 : 404, { "content-type": type ?? "text/plain" });
    response.end(type ? readFileSync(join(site, request.url === "/" ? "index.html" : request.url)) : "");
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

/** Returns the milliseconds until the mark, as `cargo budget open` prints them. */
function open() {
  const args = ["budget", "open", site, "--until", "mark:ready", "--quiet", "--browser", chrome];
  const text = execFileSync(budget, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return Number(/^startup ([0-9.]+) ms$/m.exec(text)[1]);
}

/** Returns the milliseconds that the script ran, as size-limit prints them: the mean of three runs of a browser. */
function sizeLimit() {
  const found = spawnSync("npx", ["size-limit", "--json"], { cwd: packages, encoding: "utf8", env: { ...process.env, CHROME_PATH: chrome } });
  return JSON.parse(found.stdout)[0].running * 1000;
}

/** Returns what Lighthouse says of the page: the mark, and the time until it is interactive. */
async function lighthouse(port, throttling) {
  const args = [
    `http://127.0.0.1:${port}/`, "--quiet", "--output=json", "--only-audits=user-timings,interactive",
    `--throttling-method=${throttling}`, "--chrome-flags=--headless --no-sandbox --disable-gpu",
  ];
  const { spawn } = await import("node:child_process");
  const child = spawn(join(packages, "node_modules/.bin/lighthouse"), args, { env: { ...process.env, CHROME_PATH: chrome }, stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  for await (const piece of child.stdout) text += piece;
  const { audits } = JSON.parse(text);
  const mark = audits["user-timings"].details.items.find((item) => item.name === "ready");
  return throttling === "provided" ? mark.startTime : audits.interactive.numericValue;
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
};

make();
const check = { path: "site/app.js", limit: "1 h", gzip: false, brotli: false };
writeFileSync(join(packages, ".size-limit.json"), JSON.stringify([check]));
// Without this size-limit would load a script from the network, to find out how fast this machine is.
const cache = join(packages, "node_modules/@size-limit/.cache/size-limit");
mkdirSync(cache, { recursive: true });
writeFileSync(join(cache, "cache.json"), JSON.stringify({ version: 1, throttling: 1 }));
const server = await serve();
const port = server.address().port;
const tools = {
  "`cargo budget open`, the mark": open,
  "size-limit 13.1, its running time (mean of 3)": sizeLimit,
  "Lighthouse 12.8, the mark, throttling `provided`": () => lighthouse(port, "provided"),
  "Lighthouse 12.8, interactive, throttling `simulate` (the default)": () => lighthouse(port, "simulate"),
};
const values = Object.fromEntries(Object.keys(tools).map((name) => [name, []]));
const seconds = Object.fromEntries(Object.keys(tools).map((name) => [name, 0]));
for (let run = 0; run < runs; run += 1) {
  for (const [name, measure] of Object.entries(tools)) {
    const began = performance.now();
    values[name].push(await measure());
    seconds[name] += (performance.now() - began) / 1000;
    process.stderr.write(`${run + 1}/${runs} ${name}: ${values[name].at(-1).toFixed(1)} ms\n`);
  }
}
server.close();
console.log(`| tool | median | least .. most | most / least | over 1.2 x its median, of ${runs} | seconds a run |`);
console.log("|---|---|---|---|---|---|");
for (const [name, of] of Object.entries(values)) {
  const [least, most, middle] = [Math.min(...of), Math.max(...of), median(of)];
  const reds = of.filter((value) => value > 1.2 * middle).length;
  const row = [name, `${middle.toFixed(0)} ms`, `${least.toFixed(0)} .. ${most.toFixed(0)} ms`, (most / least).toFixed(2), reds, (seconds[name] / runs).toFixed(1)];
  console.log(`| ${row.join(" | ")} |`);
}
rmSync(site, { recursive: true });
