"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("details.budget")].map((row) => ({
    row, text: row.textContent.toLowerCase(), limits: [...row.querySelectorAll(".limit")],
  }));
  const boxes = [...document.querySelectorAll("#controls input[type=checkbox]")];
  const filter = () => {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const { row, text, limits } of rows) {
      for (const limit of limits) limit.hidden = !wanted.has(limit.dataset.verdict);
      row.hidden = !(limits.some((limit) => !limit.hidden) && words.every((word) => text.includes(word)));
      if (!row.hidden) shown += 1;
    }
    for (const section of document.querySelectorAll("main section")) {
      section.hidden = !section.querySelector("details.budget:not([hidden])");
    }
    $("shown").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} budgets shown`;
    label();
  };
  const visible = () => rows.filter(({ row }) => !row.hidden).map(({ row }) => row);
  const label = () => {
    $("open").textContent = visible().every((row) => row.open) ? "Close all" : "Open all";
  };
  const keep = (theme) => { try { localStorage.setItem("perf-budget-theme", theme); } catch { /* a page from a file may have no store */ } };
  const kept = () => { try { return localStorage.getItem("perf-budget-theme"); } catch { return null; } };
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const theme = () => { $("theme").textContent = dark() ? "Light theme" : "Dark theme"; };
  if (["dark", "light"].includes(kept())) root.dataset.theme = kept();
  $("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    keep(root.dataset.theme);
    theme();
  });
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("find").addEventListener("input", filter);
  for (const box of boxes) box.addEventListener("change", filter);
  $("open").addEventListener("click", () => {
    const open = !visible().every((row) => row.open);
    for (const row of visible()) row.open = open;
    label();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type === "search";
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); $("find").focus(); }
  });
  $("theme").hidden = false;
  $("controls").hidden = false;
  theme();
  filter();
})();
