"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const keep = (theme) => { try { localStorage.setItem("perf-budget-theme", theme); } catch { /* a page from a file may have no store */ } };
  const kept = () => { try { return localStorage.getItem("perf-budget-theme"); } catch { return null; } };
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const theme = () => { $("theme").textContent = dark() ? "Light theme" : "Dark theme"; };
  if (["dark", "light"].includes(kept())) root.dataset.theme = kept();
  $("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    keep(root.dataset.theme);
    theme();
  });
  $("theme").hidden = false;
  theme();

  const make = (name, text, of) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (of) made.className = of;
    return made;
  };

  // A chart: what is under the pointer, or under the cursor that the arrow keys move, is shown and read out.
  const chart = (plot) => {
    const { commits, lines, steps } = JSON.parse(plot.querySelector("script").textContent);
    const [svg, tip] = [plot.querySelector("svg.chart"), plot.querySelector(".tip")];
    const [cursor, said] = [svg.querySelector(".cursor"), plot.nextElementSibling];
    const last = Math.max(commits.length - 1, 1);
    const at = lines.map(({ points }) => new Map(points.map((point) => [point[0], point])));
    let here = -1;
    const show = (i, aloud) => {
      here = i;
      const [hash, time, href] = commits[i];
      const found = [make("p", `${hash || "no commit"}, ${time}`)];
      lines.forEach(({ name }, line) => {
        const point = at[line].get(i);
        if (!point) return;
        const [, , value, limit, red] = point;
        found.push(make("p", (lines.length > 1 ? `${name}: ` : "") + value + (limit ? `, limit ${limit}` : "") + (red ? ", red" : ""), red ? "red" : ""));
      });
      for (const [step, text] of steps) if (step === i) found.push(make("p", `step ${text}`));
      if (href) found.push(make("p", aloud ? "Enter opens the commit" : "click opens the commit", "soft"));
      tip.replaceChildren(...found);
      tip.hidden = false;
      const share = i / last;
      const place = `${share * 100}%`;
      cursor.setAttribute("x1", place);
      cursor.setAttribute("x2", place);
      cursor.setAttribute("visibility", "visible");
      const room = plot.clientWidth - tip.offsetWidth;
      const left = share * plot.clientWidth;
      tip.style.left = `${Math.max(0, Math.min(room, left > plot.clientWidth / 2 ? left - tip.offsetWidth - 12 : left + 12))}px`;
      if (aloud) said.textContent = found.map((part) => part.textContent).join("; ");
    };
    const hide = () => {
      tip.hidden = true;
      cursor.setAttribute("visibility", "hidden");
    };
    const nearest = (event) => {
      const box = svg.getBoundingClientRect();
      return Math.max(0, Math.min(commits.length - 1, Math.round((event.clientX - box.left) / box.width * last)));
    };
    const open = () => {
      const href = here >= 0 && commits[here][2];
      if (href) location.href = href;
    };
    svg.addEventListener("pointermove", (event) => show(nearest(event), false));
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("click", (event) => {
      const touched = event.pointerType === "touch" && here !== nearest(event);
      show(nearest(event), false);
      if (!touched) open();
    });
    plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) show(here < 0 ? commits.length - 1 : here, true); });
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const marks = steps.map(([step]) => step).sort((a, b) => a - b);
      const to = {
        ArrowLeft: () => Math.max(0, here - 1), ArrowRight: () => Math.min(commits.length - 1, here + 1),
        Home: () => 0, End: () => commits.length - 1,
        PageUp: () => marks.filter((mark) => mark < here).pop() ?? here, PageDown: () => marks.find((mark) => mark > here) ?? here,
      }[event.key];
      if (to) { event.preventDefault(); show(to(), true); }
      if (event.key === "Enter") open();
      if (event.key === "Escape") hide();
    });
  };
  for (const plot of document.querySelectorAll(".plot")) chart(plot);

  // The search: rows of this page, and what other pages of the overview have.
  const controls = $("controls");
  if (!controls) return;
  const find = $("find");
  const rows = [...document.querySelectorAll(".tests > .test")].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const scripts = (controls.dataset.index ?? "").split(" ").filter(Boolean);
  const MOST = 50;
  let loading = null;
  const load = () => loading ??= Promise.all(scripts.map((src) => new Promise((done) => {
    const script = document.createElement("script");
    script.src = src;
    script.onload = script.onerror = done;
    document.head.append(script);
  })));
  const words = () => find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (text) => words().every((word) => text.includes(word));
  const filter = () => {
    let shown = 0;
    for (const { row, text } of rows) {
      row.hidden = !matches(text);
      if (!row.hidden) shown += 1;
    }
    $("shown").textContent = words().length ? `${shown} of ${rows.length} limits on this page` : "";
    if (!scripts.length) return;
    const known = words().length ? self.perfBudget ?? [] : [];
    const found = known.filter((row) => matches(row.join(" ").toLowerCase()));
    $("elsewhere").hidden = !found.length;
    $("elsewhere").replaceChildren(...found.slice(0, MOST).map(([test, href, environment, verdict, value]) => {
      const [item, link] = [document.createElement("li"), make("a", test)];
      link.href = href;
      link.append(make("span", [verdict, value, environment].filter(Boolean).join(", "), "soft"));
      item.append(link);
      return item;
    }));
    if (words().length) $("shown").textContent = `${found.length} found${found.length > MOST ? `, the first ${MOST} shown` : ""}`;
  };
  controls.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("input", () => { filter(); if (scripts.length) load().then(filter); });
  find.addEventListener("focus", () => { if (scripts.length) load(); });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); find.focus(); }
  });
  controls.hidden = false;
  filter();
})();
