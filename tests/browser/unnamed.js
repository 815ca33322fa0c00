// What can be used or looked at, and has no name for a screen reader.
() => [...document.querySelectorAll("button, a, input, svg[role=img], [role=region]")]
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
  .map((e) => e.outerHTML.slice(0, 80))
