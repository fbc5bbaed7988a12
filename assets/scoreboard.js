// The scoreboard filters by CSS alone. This counts what is left, and keeps the choice in the address.
(() => {
  "use strict";
  const NAME = "#scoreboard?";

  function follow(board) {
    const rows = [...board.querySelectorAll("tbody tr[id]")];
    const selects = [...board.querySelectorAll("select")];
    const count = board.querySelector(".count");

    const left = () =>
      rows.filter((row) => selects.every((s) => s.value === "all" || row.dataset[s.name] === s.value));

    function say() {
      const rowsLeft = new Set(left()), number = rowsLeft.size;
      for (const part of board.querySelectorAll("tbody")) {
        part.hidden = ![...part.querySelectorAll("tr[id]")].some((row) => rowsLeft.has(row));
      }
      count.textContent =
        number === rows.length ? `${number} claims` : `${number || "None"} of ${rows.length} claims`;
    }

    function restore() {
      if (!location.hash.startsWith(NAME)) return;
      const wanted = new URLSearchParams(location.hash.slice(NAME.length));
      for (const select of selects) {
        const value = wanted.get(select.name);
        const known = [...select.options].some((option) => option.value === value);
        select.value = known ? value : "all";
      }
    }

    function keep() {
      const chosen = selects.filter((s) => s.value !== "all").map((s) => [s.name, s.value]);
      const hash = chosen.length ? NAME + new URLSearchParams(chosen) : "#";
      history.replaceState(null, "", hash);
    }

    board.addEventListener("change", () => { keep(); say(); });
    addEventListener("hashchange", () => { restore(); say(); });
    restore();
    say();
    if (location.hash.startsWith(NAME)) board.scrollIntoView();
  }

  addEventListener("load", () => document.querySelectorAll(".bnlab-scoreboard").forEach(follow));
})();
