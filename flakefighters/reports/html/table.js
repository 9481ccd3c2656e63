// Tables that can be sorted, filtered and searched, a page at a time.

// columns: key, title, cell(row), sort(row), number, help, main, wide (left out on a phone)
// filters: key, title, keeps(row); state is kept by the caller, so that it outlives the view.
function sortable({
  caption,
  columns,
  rows,
  state,
  filters = [],
  words,
  page = 50,
  empty = "Nothing here.",
}) {
  const body = el("tbody", { role: "rowgroup" });
  const status = el("p", { class: "status", role: "status" });
  const pager = el("div", { class: "pager" });
  const head = el("tr", { role: "row" });
  const table = el(
    "table",
    { role: "table" },
    el("caption", { class: "unseen", text: caption }),
    el("thead", { role: "rowgroup" }, head),
    body,
  );
  state.page ??= 0;

  const chosen = () => {
    const keeps = filters.find((one) => one.key === state.filter)?.keeps;
    const matches = state.search && words ? matcher(state.search) : null;
    const found = rows.filter((row) => (!keeps || keeps(row)) && (!matches || matches(words(row))));
    const column = columns.find((one) => one.key === state.sort);
    if (!column) return found;
    const keyed = found.map((row, at) => [column.sort(row), at, row]);
    const sign = state.down ? -1 : 1;
    keyed.sort(([a, i], [b, j]) =>
      a === b ? i - j : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * sign,
    );
    return keyed.map(([, , row]) => row);
  };

  function heads() {
    head.replaceChildren(
      ...columns.map((one) => {
        const mine = state.sort === one.key;
        const title = one.sort
          ? button(
              [
                one.title,
                el("span", {
                  class: "arrow",
                  "aria-hidden": "true",
                  text: mine ? (state.down ? "↓" : "↑") : "",
                }),
              ],
              () => sortBy(one),
              { class: "sort", title: one.help },
            )
          : one.title;
        return el(
          "th",
          {
            scope: "col",
            role: "columnheader",
            class: classes(one),
            "aria-sort": mine ? (state.down ? "descending" : "ascending") : null,
          },
          title,
        );
      }),
    );
  }

  function sortBy(column, down) {
    state.down = down ?? (state.sort === column.key ? !state.down : Boolean(column.number));
    state.sort = column.key;
    state.page = 0;
    heads();
    show();
    head.children[columns.indexOf(column)]?.querySelector("button")?.focus();
  }

  function show() {
    const found = chosen();
    const pages = Math.max(1, Math.ceil(found.length / page));
    state.page = Math.min(state.page, pages - 1);
    const start = state.page * page;
    const mine = found.slice(start, start + page);
    body.replaceChildren(
      ...mine.map((row) =>
        el(
          "tr",
          { role: "row" },
          columns.map((one) =>
            el(
              one.main ? "th" : "td",
              {
                role: one.main ? "rowheader" : "cell",
                scope: one.main ? "row" : null,
                class: classes(one),
                "data-title": one.title,
              },
              one.cell(row),
            ),
          ),
        ),
      ),
    );
    status.textContent = mine.length
      ? `${number(start + 1)}-${number(start + mine.length)} of ${number(found.length)}`
      : empty;
    table.hidden = !mine.length;
    const turn = (step) => {
      state.page += step;
      show();
      table.scrollIntoView({ block: "nearest" });
    };
    pager.replaceChildren(
      button("Previous", () => turn(-1), { class: "quiet", disabled: state.page === 0 }),
      button("Next", () => turn(1), { class: "quiet", disabled: state.page >= pages - 1 }),
    );
    pager.hidden = pages < 2;
  }

  const again = () => {
    state.page = 0;
    show();
  };
  heads();
  show();
  return el(
    "div",
    { class: "sortable" },
    tools(),
    el("div", { class: "scroll" }, table),
    el("div", { class: "under" }, status, pager),
  );

  function tools() {
    const parts = [];
    if (words)
      parts.push(
        search("Search", state.search || "", (text) => {
          state.search = text;
          again();
        }),
      );
    if (filters.length)
      parts.push(
        choices("Show", filters, state.filter, (key) => {
          state.filter = key;
          again();
        }),
      );
    const sorts = columns.filter((one) => one.sort);
    const select = el(
      "select",
      {
        on: {
          change: () =>
            sortBy(sorts[select.selectedIndex], Boolean(sorts[select.selectedIndex].number)),
        },
      },
      sorts.map((one) => el("option", { text: one.title, selected: one.key === state.sort })),
    );
    if (sorts.length > 1) parts.push(el("label", { class: "sortby" }, "Sort by ", select));
    return el("div", { class: "tools" }, parts);
  }
}

const classes = (column) =>
  [column.number && "number", column.main && "main", column.wide && "wide", column.kind]
    .filter(Boolean)
    .join(" ") || null;

// One of several, as buttons.
function choices(label, options, chosen, act) {
  const buttons = options.map((one) =>
    button(
      [
        one.title,
        one.count === undefined ? null : el("span", { class: "count", text: number(one.count) }),
      ],
      () => {
        buttons.forEach((each) =>
          each.setAttribute("aria-pressed", String(each === buttons[options.indexOf(one)])),
        );
        act(one.key);
      },
      { "aria-pressed": String(one.key === chosen) },
    ),
  );
  return el("div", { class: "choices", role: "group", "aria-label": label }, buttons);
}
