// Copying, dark and light, keyboard shortcuts, links that open what they point at.
function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
}

async function copyFrom(button) {
  const text = button.parentElement.querySelector("pre").textContent;
  try {
    await copyText(text.trimEnd() + (text.trimEnd().includes("\n") ? "\n" : ""));
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copyFrom(button));
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("gradverify-theme", root.dataset.theme);
  } catch { /* a browser that keeps nothing for files */ }
}

try {
  const kept = localStorage.getItem("gradverify-theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
} catch { /* the same */ }

const keys = document.getElementById("keys");
document.getElementById("theme").addEventListener("click", turnTheme);
document.getElementById("help").addEventListener("click", () => keys.showModal());

window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

function cards() {
  return [...document.querySelectorAll("#discrepancies .card")].filter((card) => !card.hidden);
}

function current() {
  const found = cards();
  const at = found.indexOf(document.activeElement.closest("#discrepancies .card"));
  if (at >= 0) return at;
  return found.findIndex((card) => card.getBoundingClientRect().bottom > 80);
}

function step(by) {
  const found = cards();
  const focused = found.includes(document.activeElement.closest("#discrepancies .card"));
  const at = focused ? current() + by : Math.max(0, current());
  const card = found[Math.min(Math.max(at, 0), found.length - 1)];
  if (card) {
    card.focus({ preventScroll: true });
    card.scrollIntoView();
  }
}

function copyCurrent() {
  const card = cards()[current()];
  const button = card && (card.querySelector(".code button.copy") || card.querySelector(".next button.copy"));
  if (button) copyFrom(button);
}

const SHORTCUTS = {
  "/": () => { filterBox.focus(); filterBox.select(); },
  j: () => step(1),
  k: () => step(-1),
  c: copyCurrent,
  d: turnTheme,
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.key === "Escape") {
    setFilter("", true);
    filterBox.blur();
    return;
  }
  if (event.target.matches("input, textarea, select")) return;
  const act = SHORTCUTS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", openTarget);
window.addEventListener("DOMContentLoaded", openTarget);
