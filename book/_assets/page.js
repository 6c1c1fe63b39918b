// One switch in the header shows the code of a page, or folds it away; the choice is kept.
document.documentElement.classList.add("js");

window.addEventListener("DOMContentLoaded", () => {
  const folds = document.querySelectorAll(".cell.tag_hide-input details.above-input");
  const bar = document.querySelector(".article-header-buttons");
  if (!bar || !folds.length) return;
  const kept = {
    get: () => { try { return localStorage.getItem("show-code") === "1"; } catch { return false; } },
    set: (on) => { try { localStorage.setItem("show-code", on ? "1" : "0"); } catch { /* private: not kept */ } },
  };
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-switch";
  const show = (on) => {
    document.documentElement.classList.toggle("show-code", on);
    folds.forEach((fold) => { fold.open = on; });
    button.textContent = on ? "Hide code" : "Show code";
    button.setAttribute("aria-pressed", on);
  };
  button.addEventListener("click", () => {
    const on = !document.documentElement.classList.contains("show-code");
    kept.set(on);
    show(on);
  });
  bar.prepend(button);
  show(kept.get());
});

// A table or figure that is wider than its place scrolls in it: then keys must reach it, too.
const reach = () => document.querySelectorAll(".cell_output .output.text_html, .cell_output figure").forEach((box) => {
  const wide = box.scrollWidth > box.clientWidth;
  box.classList.toggle("scrolls", wide);
  if (wide) box.tabIndex = 0; else box.removeAttribute("tabindex");
});
window.addEventListener("load", reach);
// What matters in some figures stands at their right end: there the view begins.
window.addEventListener("load", () => document.querySelectorAll(".cell_output figure img.from-right").forEach((picture) => {
  const box = picture.closest("figure");
  box.scrollLeft = box.scrollWidth;
}));
window.addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
