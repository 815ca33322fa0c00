// Tables that sort by a click on a heading: numbers as numbers, the rest as text.
function number(text) {
  const found = parseFloat(String(text).replaceAll(",", "").replace("∞", "Infinity").replace(/^inf/, "Infinity"));
  return Number.isNaN(found) ? -Infinity : found;
}

function compare(a, b) {
  if (typeof a === "number") return a === b ? 0 : a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}

function makeSortable(table, sorts) {
  const heads = [...table.tHead.rows[0].cells];
  for (const th of heads) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: th.textContent });
    th.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = th.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const now = th.getAttribute("aria-sort") === first ? other : first;
      for (const head of heads) head.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", now);
      sorts(th, now === "descending");
    });
  }
}

function sortRows(table, th, descending) {
  const at = th.cellIndex;
  const isNumber = th.classList.contains("number");
  const key = (row) => (isNumber ? number(row.cells[at].textContent) : row.cells[at].textContent.trim());
  const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => (descending ? -1 : 1) * compare(a, b));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  makeSortable(table, (th, descending) => sortRows(table, th, descending));
}
if (island) startListing();
