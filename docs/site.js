// What the theme leaves out for readers without a mouse: names, and tables that can be scrolled.
document$.subscribe(() => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", "Table " + (1 + [...document.querySelectorAll(".md-typeset__scrollwrap")].indexOf(box)));
    }
  }
  document.querySelectorAll(".md-code__nav").forEach((bar, i) => {
    bar.setAttribute("aria-label", "Code block " + (i + 1));
  });
});
