// Runs by tests as coloured cells: what fails together, and since when.

const SIZES = [2, 3, 4, 6, 8, 11, 14, 18, 24];
const TOP = 26; // room for dates above the cells
const gridState = {
  size: null,
  search: "",
  filter: "failed",
  row: 0,
  column: RUN_COUNT - 1,
  table: false,
};

function gridRows() {
  const matches = matcher(gridState.search);
  const keeps = gridState.filter === "failed" ? (test) => TESTS.failed[test] : () => true;
  const found = allTests().filter((test) => keeps(test) && matches(lowered(test)));
  return gridState.filter === "failed"
    ? found.sort((a, b) => TESTS.failed[b] - TESTS.failed[a] || a - b)
    : found;
}

function gridView() {
  const failing = allTests().filter((test) => TESTS.failed[test]).length;
  if (!failing) gridState.filter = "all";
  const place = el("div");
  const refresh = () =>
    place.replaceChildren(
      gridState.table ? gridTable(gridRows()) : gridPicture(gridRows(), refresh),
    );
  queueMicrotask(refresh); // its size is known once it stands in the page
  const swap = button(
    gridState.table ? "Show as a picture" : "Show as a table",
    () => {
      gridState.table = !gridState.table;
      swap.textContent = gridState.table ? "Show as a picture" : "Show as a table";
      refresh();
    },
    { class: "quiet" },
  );
  return [
    el("h1", { tabindex: "-1", text: "Runs and tests" }),
    el("p", {
      class: "lead",
      text: "A row for each test, a column for each run, the newest to the right. Columns of marks are runs in which much failed at once; rows are tests that fail again and again.",
    }),
    el(
      "div",
      { class: "tools" },
      search("Search tests", gridState.search, (text) => {
        gridState.search = text;
        gridState.row = 0;
        refresh();
      }),
      choices(
        "Show",
        [
          { key: "failed", title: "Failed", count: failing },
          { key: "all", title: "All", count: TEST_COUNT },
        ],
        gridState.filter,
        (key) => {
          gridState.filter = key;
          gridState.row = 0;
          refresh();
        },
      ),
      swap,
    ),
    place,
  ];
}

function gridPicture(rows, refresh) {
  if (!rows.length || !RUN_COUNT) return el("p", { class: "about", text: "No test fits." });
  const canvas = el("canvas", { "aria-hidden": "true" });
  const sizer = el("div", { class: "sizer" }, canvas);
  const box = el(
    "div",
    {
      class: "gridbox",
      tabindex: "0",
      role: "application",
      "aria-label": `Grid of ${plural(rows.length, "test")} and ${plural(RUN_COUNT, "run")}`,
      "aria-describedby": "gridhelp",
    },
    sizer,
  );
  const readout = el("p", { class: "readout" });
  const zoom = (step) => {
    gridState.size =
      SIZES[Math.max(0, Math.min(SIZES.length - 1, SIZES.indexOf(gridState.size) + step))];
    resize();
    follow();
  };
  const tools = el(
    "div",
    { class: "under" },
    legend([...usedKinds(), "pass", "skip"]),
    el(
      "div",
      { class: "pager" },
      button("−", () => zoom(-1), { class: "quiet", "aria-label": "Zoom out" }),
      button("+", () => zoom(1), { class: "quiet", "aria-label": "Zoom in" }),
    ),
  );
  const help = el("p", {
    class: "about",
    id: "gridhelp",
    text: "Arrow keys move through the cells, plus and minus zoom, Enter opens the test.",
  });
  let gutter = 0;
  let tall = 0;
  let queued = false;

  function resize() {
    const size = gridState.size;
    const most = Math.max(240, innerHeight * 0.68);
    tall = rows.length * 14 < most ? Math.max(14, size) : size;
    gutter = tall >= 11 ? gutterOf(box) : 0;
    const height = Math.min(rows.length * tall + TOP + 2, most);
    box.style.height = `${height}px`;
    sizer.style.width = `${gutter + RUN_COUNT * size}px`;
    sizer.style.height = `${TOP + rows.length * tall}px`;
    draw();
  }

  function draw() {
    queued = false;
    paintGrid(canvas, box, {
      rows,
      gutter,
      tall,
      size: gridState.size,
      row: gridState.row,
      column: gridState.column,
      focused: document.activeElement === box,
    });
  }

  const redraw = () => {
    if (!queued) {
      queued = true;
      requestAnimationFrame(draw);
    }
  };

  function tell() {
    const test = rows[gridState.row];
    const letter = cellsOf(test)[gridState.column];
    readout.replaceChildren(
      verdictOf(letter),
      " ",
      el("a", { href: testLink(test) }, nodeid(TESTS.name[test])),
      " ",
      el("span", { class: "faint", text: runTitle(gridState.column) }),
    );
    say(`${cellWords(letter)}, ${TESTS.name[test].slice(0, 200)}, ${runTitle(gridState.column)}`);
  }

  function follow() {
    const { size, row, column } = gridState;
    const [x, y] = [column * size, row * tall];
    const [width, height] = [box.clientWidth - gutter, box.clientHeight - TOP];
    if (x < box.scrollLeft) box.scrollLeft = x;
    if (x + size > box.scrollLeft + width) box.scrollLeft = x + size - width;
    if (y < box.scrollTop) box.scrollTop = y;
    if (y + tall > box.scrollTop + height) box.scrollTop = y + tall - height;
    redraw();
  }

  function go(row, column) {
    gridState.row = Math.max(0, Math.min(rows.length - 1, row));
    gridState.column = Math.max(0, Math.min(RUN_COUNT - 1, column));
    follow();
    tell();
  }

  const KEYS = {
    ArrowUp: () => go(gridState.row - 1, gridState.column),
    ArrowDown: () => go(gridState.row + 1, gridState.column),
    ArrowLeft: () => go(gridState.row, gridState.column - 1),
    ArrowRight: () => go(gridState.row, gridState.column + 1),
    PageUp: () => go(gridState.row - 20, gridState.column),
    PageDown: () => go(gridState.row + 20, gridState.column),
    Home: () => go(gridState.row, 0),
    End: () => go(gridState.row, RUN_COUNT - 1),
    "+": () => zoom(1),
    "=": () => zoom(1),
    "-": () => zoom(-1),
    Enter: () => {
      location.hash = testLink(rows[gridState.row]);
    },
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  box.addEventListener("scroll", redraw);
  box.addEventListener("focus", () => {
    redraw();
    tell();
  });
  box.addEventListener("blur", redraw);
  box.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1 : -1);
    },
    { passive: false },
  );
  const at = (event) => {
    const bounds = box.getBoundingClientRect();
    const x = event.clientX - bounds.left - box.clientLeft;
    const y = event.clientY - bounds.top - box.clientTop - TOP;
    return [
      Math.floor((y + box.scrollTop) / tall),
      x < gutter ? gridState.column : Math.floor((x - gutter + box.scrollLeft) / gridState.size),
    ];
  };
  box.addEventListener("click", (event) => {
    if (at(event)[0] >= 0) go(...at(event));
  });
  box.addEventListener("dblclick", () => KEYS.Enter());

  const begin = () => {
    gridState.size ??= SIZES.filter(
      (size) => size * RUN_COUNT <= box.clientWidth - gutterOf(box) || size <= 4,
    ).pop();
    gridState.row = Math.min(gridState.row, rows.length - 1);
    resize();
    box.scrollLeft = sizer.offsetWidth;
    tell();
  };
  requestAnimationFrame(begin);
  onLeave(() => removeEventListener("resize", resize));
  addEventListener("resize", resize);
  onTheme(draw); // at once, for paper waits for no frame
  return el("div", {}, tools, box, readout, help);
}

// Room for names beside the cells.
const gutterOf = (box) =>
  box.clientWidth > 620 ? Math.round(Math.min(300, box.clientWidth * 0.3)) : 0;

const verdictOf = (letter) => verdict(kindOf(letter), cellWords(letter));
