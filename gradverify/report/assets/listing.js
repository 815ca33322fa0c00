// The table of all findings: filtered and sorted over the island, shown in parts.
const PART = 200;
const island = document.getElementById("island");

function column(data, name) {
  const words = data.words[name];
  if (words) return (i) => words.list[words.index[i]];
  if (name === "count") return (i) => data.count[i];
  const texts = data.texts[name];
  return (i) => texts[i];
}

function keeper(data, term) {
  if (!term.key) {
    const words = ["verdict", "op", "who", "finding", "item", "known"].map((name) => {
      const word = data.words[name];
      const hits = word.list.map((text) => text.toLowerCase().includes(term.text));
      return (i) => hits[word.index[i]];
    });
    const texts = ["formula", "point", "got", "exact", "case"].map((name) => data.texts[name]);
    return (i) => words.some((word) => word(i)) || texts.some((text) => text[i].toLowerCase().includes(term.text));
  }
  const name = term.key === "block" ? "item" : term.key;
  const word = data.words[name];
  if (!word) return (i) => matches(data.texts[name][i], term);
  const hits = word.list.map((text) => matches(text, term));
  return (i) => hits[word.index[i]];
}

function sorted(rows, data, order) {
  if (!order.name) return rows;
  const value = column(data, order.name);
  const isNumber = ["ulps", "ratio", "count"].includes(order.name);
  const keys = new Map(rows.map((i) => [i, isNumber ? number(value(i)) : value(i)]));
  const sign = order.descending ? -1 : 1;
  return rows.slice().sort((i, j) => sign * compare(keys.get(i), keys.get(j)) || i - j);
}

function startListing() {
  const data = JSON.parse(island.textContent);
  const table = document.getElementById("findings");
  const body = table.tBodies[0];
  const button = document.getElementById("show-more");
  const said = document.getElementById("shown");
  const shows = ["verdict", "op", "who", "formula", "point", "got", "exact", "ulps", "ratio", "count", "case"];
  const columns = shows.map((name) => column(data, name));
  const places = new WeakMap();
  const state = { rows: data.count.map((_, i) => i), wanted: [], order: {}, shown: 0 };

  function cell(name, text, kind) {
    const td = document.createElement("td");
    if (["ulps", "ratio", "count"].includes(name)) td.className = "number";
    if (name === "verdict") td.className = kind + "-ink";
    if (["formula", "point", "got", "exact", "case"].includes(name)) {
      td.append(Object.assign(document.createElement("code"), { textContent: text }));
      td.title = text;
    } else td.textContent = name === "verdict" ? `${data.signs[kind]} ${text}` : text;
    return td;
  }

  function row(i) {
    const tr = document.createElement("tr");
    const kind = column(data, "kind")(i);
    shows.forEach((name, k) => tr.append(cell(name, columns[k](i), kind)));
    return opens(tr, i);
  }

  function opens(tr, i) {
    tr.className = "opens";
    tr.tabIndex = 0;
    places.set(tr, i);
    return tr;
  }

  function toggle(event) {
    const tr = event.target.closest("tr.opens");
    if (!tr || (event.type === "keydown" && event.key !== "Enter")) return;
    const next = tr.nextElementSibling;
    if (next && next.className === "detail") next.remove();
    else tr.after(detail(places.get(tr)));
  }

  function detail(i) {
    const tr = Object.assign(document.createElement("tr"), { className: "detail" });
    const td = Object.assign(document.createElement("td"), { colSpan: shows.length });
    const list = Object.assign(document.createElement("dl"), { className: "facts" });
    const add = (name, text) => {
      if (!text) return;
      const dd = document.createElement("dd");
      dd.append(Object.assign(document.createElement("code"), { textContent: text }));
      list.append(Object.assign(document.createElement("dt"), { textContent: name }), dd);
    };
    for (const name of ["finding", "known", "where", "dtype", "item", "formula", "point", "got", "exact"]) add(name, column(data, name)(i));
    add("again", `gradverify replay ${column(data, "case")(i)}`);
    add("keep", `gradverify save ${column(data, "case")(i)}`);
    td.append(list);
    tr.append(td);
    return tr;
  }

  function more() {
    const part = state.rows.slice(state.shown, state.shown + PART);
    body.append(...part.map(row));
    state.shown += part.length;
    tell();
  }

  function tell() {
    const left = state.rows.length - state.shown;
    button.hidden = left <= 0;
    said.textContent = `${state.shown.toLocaleString("en")} of ${state.rows.length.toLocaleString("en")} shown.`;
    document.querySelector("#listing .matches").textContent = state.wanted.length
      ? `${state.rows.length.toLocaleString("en")} of ${data.count.length.toLocaleString("en")}`
      : data.count.length.toLocaleString("en");
  }

  function redraw() {
    const keeps = state.wanted.map((term) => keeper(data, term));
    const kept = [];
    for (let i = 0; i < data.count.length; i += 1) if (keeps.every((keep) => keep(i))) kept.push(i);
    state.rows = sorted(kept, data, state.order);
    state.shown = 0;
    body.replaceChildren();
    more();
  }

  watchers.push((wanted) => {
    if (wanted.length || state.wanted.length) {
      state.wanted = wanted;
      redraw();
    }
    return state.rows.length;
  });
  makeSortable(table, (th, descending) => {
    state.order = { name: th.dataset.column, descending };
    redraw();
  });
  button.addEventListener("click", more);
  body.addEventListener("click", toggle);
  body.addEventListener("keydown", toggle);
  [...body.rows].forEach(opens);
  state.shown = body.rows.length;
  tell();
}
