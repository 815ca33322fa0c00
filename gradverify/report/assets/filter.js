// The filter: words and key:value pairs, all of which must hold. What has no such key is left alone.
"use strict";

const KEYS = ["op", "who", "verdict", "dtype", "block", "case"];
const filterBox = document.getElementById("filter");
const watchers = [];

function terms(text) {
  return text.trim().toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const at = word.indexOf(":");
    const key = at > 0 ? word.slice(0, at) : "";
    return KEYS.includes(key) ? { key, text: word.slice(at + 1) } : { key: "", text: word };
  });
}

function matches(value, term) {
  const texts = value.toLowerCase();
  if (term.key === "op" || term.key === "case") return texts === term.text;
  if (term.key === "who") {
    return texts.split(" ").some((who) => who === term.text || who.startsWith(term.text + ":") || term.text.startsWith(who + ":"));
  }
  return texts.includes(term.text);
}

function elementMatches(element, wanted) {
  return wanted.every((term) => {
    if (!term.key) return element.textContent.toLowerCase().includes(term.text);
    const value = element.dataset[term.key];
    return value === undefined || matches(value, term);
  });
}

function filterElements(wanted) {
  const selector = "main [data-op], main [data-who], .claim";
  let shown = 0;
  let all = 0;
  for (const element of document.querySelectorAll(selector)) {
    if (element.closest("#overview, #matrix")) continue;
    const fits = elementMatches(element, wanted);
    element.hidden = !fits;
    if (element.closest("#discrepancies")) {
      all += 1;
      shown += fits;
    }
  }
  const count = document.querySelector("#discrepancies .matches");
  if (count) count.textContent = wanted.length ? `${shown} of ${all}` : "";
  return shown;
}

function setFilter(text, replaces) {
  filterBox.value = text;
  const wanted = terms(text);
  const shown = filterElements(wanted);
  let rows = 0;
  for (const watcher of watchers) rows = watcher(wanted, text) || rows;
  const status = document.getElementById("filtered");
  status.hidden = !wanted.length;
  status.textContent = wanted.length ? `Filter “${text.trim()}”: ${shown} discrepancies in full, ${rows.toLocaleString("en")} findings in the table. Esc clears it.` : "";
  const hash = wanted.length ? "#filter=" + encodeURIComponent(text.trim()) : location.pathname + location.search;
  if (replaces) history.replaceState(null, "", hash);
  return shown;
}

function fromAddress() {
  const hash = location.hash;
  if (!hash.startsWith("#filter=")) return;
  let text = "";
  try {
    text = decodeURIComponent(hash.slice(8));
  } catch {
    return; // a link that was cut
  }
  setFilter(text, false);
}

let waiting = 0;
filterBox.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => setFilter(filterBox.value, true), 120);
});
document.querySelector(".tools").hidden = false;
window.addEventListener("hashchange", fromAddress);
window.addEventListener("DOMContentLoaded", fromAddress);
