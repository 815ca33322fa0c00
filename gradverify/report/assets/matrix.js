// A click on the matrix filters what stands below; the same click again shows all.
for (const hint of document.querySelectorAll("#matrix .hint[hidden]")) hint.hidden = false;

const matrixSection = document.getElementById("matrix");
if (matrixSection) {
  matrixSection.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-query]");
    if (!link) return;
    event.preventDefault();
    const shown = setFilter(filterBox.value === link.dataset.query ? "" : link.dataset.query, true);
    const first = document.getElementById(shown ? "discrepancies" : "listing");
    if (filterBox.value && first && link.closest("td").className !== "fine") first.scrollIntoView();
  });
  watchers.push((wanted, text) => {
    for (const link of matrixSection.querySelectorAll("a[data-query]")) {
      if (link.dataset.query === text.trim()) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    return 0;
  });
}
