// A table of claims is sorted by its headings and filtered by paper and verdict; without a script it is a plain table.
const ORDER = ["holds", "does not hold", "undecided", "cannot be tested", "not recorded"];
const natural = new Intl.Collator("en", { numeric: true });

const key = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.verdict) return String(ORDER.indexOf(cell.dataset.verdict));
  return cell.dataset.paper ?? cell.textContent.trim();
};

const sortable = (table) => table.querySelectorAll("thead th").forEach((heading, column, all) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  heading.setAttribute("aria-sort", "none");
  button.addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    all.forEach((other) => other.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * natural.compare(key(a, column), key(b, column)));
    body.append(...rows);
  });
});

const filterable = (table) => {
  const rows = [...table.tBodies[0].rows];
  const values = (row, name) => [...row.querySelectorAll(`[data-${name}]`)].map((cell) => cell.dataset[name]);
  const bar = document.createElement("div");
  bar.className = "table-filters";
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  const choices = ["paper", "verdict"].map((name) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    const found = [...new Set(rows.flatMap((row) => values(row, name)))];
    if (name === "verdict") found.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    select.add(new Option("all", ""));
    found.forEach((value) => select.add(new Option(value, value)));
    label.append(name === "paper" ? "Paper " : "Verdict ", select);
    bar.append(label);
    select.addEventListener("change", show);
    return { name, select };
  });
  function show() {
    const fits = (row) => choices.every(({ name, select }) => !select.value || values(row, name).includes(select.value));
    rows.forEach((row) => { row.hidden = !fits(row); });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  }
  // a link to a row that is filtered away shows all
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!rows.includes(target) || !target.hidden) return;
    choices.forEach(({ select }) => { select.value = ""; });
    show();
    target.scrollIntoView();
  });
  bar.append(count);
  table.before(bar);
  show();
};

// where rows stand one below the other, what was measured is folded
const fold = (table) => table.querySelectorAll("details.values").forEach((values) => { values.open = false; });

window.addEventListener("DOMContentLoaded", () => document.querySelectorAll("table.filtered").forEach((table) => {
  if (window.matchMedia("(max-width: 900px)").matches) fold(table);
  sortable(table);
  filterable(table);
}));
