// The picture of the grid: only the cells that can be seen are drawn.

const SIGNS = { genuine: "×", undecided: "?", flaky: "~", unjudged: "!" };

function paintGrid(canvas, box, { rows, gutter, tall, size, row, column, focused }) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [box.clientWidth, box.clientHeight];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const colours = gridColours();
  const family = getComputedStyle(document.body).fontFamily;
  const [left, top] = [box.scrollLeft, box.scrollTop];
  const first = Math.floor(top / tall);
  const last = Math.min(rows.length - 1, Math.ceil((top + height) / tall));
  const from = Math.floor(left / size);
  const to = Math.min(RUN_COUNT - 1, Math.ceil((left + width) / size));
  const gap = size >= 6 ? 1 : 0;
  const x = (at) => gutter + at * size - left;
  const y = (at) => TOP + at * tall - top;
  pen.textBaseline = "middle";
  for (let at = first; at <= last; at++)
    paintRow(pen, cellsOf(rows[at]), { y: y(at), x, from, to, size, tall, gap, colours, family });
  paintNames(pen, rows, { first, last, y, gutter, tall, height, colours, family });
  paintDates(pen, { from, to, x, gutter, size, width, colours, family });
  pen.strokeStyle = colours.ink;
  pen.lineWidth = focused ? 2.5 : 1.5;
  if (x(column) >= gutter && y(row) >= TOP)
    pen.strokeRect(x(column) - 1, y(row) - 1, size - gap + 2, tall - gap + 2);
}

function gridColours() {
  const names = ["pass", "skip", "flaky", "genuine", "undecided", "unjudged"];
  const found = Object.fromEntries(names.map((name) => [name, colour(`--fill-${name}`)]));
  return {
    ...found,
    ink: colour("--ink"),
    faint: colour("--muted"),
    ground: colour("--ground"),
    sign: colour("--sign"),
  };
}

// Passes are quiet; each verdict has a form of its own where there is room for one.
function paintRow(pen, cells, { y, x, from, to, size, tall, gap, colours, family }) {
  const side = size - gap;
  const up = tall - gap;
  for (let at = from; at <= to; at++) {
    const kind = kindOf(cells[at]);
    if (kind === "none") continue;
    pen.fillStyle = colours[kind];
    if (size < 4 && tall < 8) pen.fillRect(x(at), y, side, up);
    else if (kind === "skip") pen.fillRect(x(at) + side * 0.3, y + up * 0.3, side * 0.4, up * 0.4);
    else if (kind === "flaky" && size < 11) pen.fillRect(x(at), y + up * 0.4, side, up * 0.6);
    else if (kind === "undecided" && size < 11) {
      pen.fillRect(x(at), y, side, up);
      pen.fillStyle = colours.ground;
      pen.fillRect(x(at) + side * 0.3, y + up * 0.35, side * 0.4, up * 0.3);
    } else pen.fillRect(x(at), y, side, up);
    if (size >= 11 && SIGNS[kind]) {
      pen.fillStyle = colours.sign;
      pen.font = `600 ${Math.round(Math.min(side, up) * 0.95)}px ${family}`;
      pen.textAlign = "center";
      pen.fillText(SIGNS[kind], x(at) + side / 2, y + up / 2 + 0.5);
    }
  }
}

function paintNames(pen, rows, { first, last, y, gutter, tall, height, colours, family }) {
  if (!gutter) return;
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, gutter, height);
  pen.font = `${Math.min(12.5, tall - 0.5)}px ${family}`;
  pen.textAlign = "right";
  pen.fillStyle = colours.faint;
  for (let at = first; at <= last; at++) {
    const name = TESTS.name[rows[at]];
    const [path] = name.split("::", 1);
    pen.fillText(
      fitted(pen, name.slice(path.lastIndexOf("/") + 1), gutter - 16),
      gutter - 10,
      y(at) + tall / 2,
    );
  }
}

// The end of a name tells more than its beginning.
function fitted(pen, name, room) {
  const text = name.slice(-200);
  if (pen.measureText(text).width <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high - 1) {
    const middle = (low + high) >> 1;
    if (pen.measureText(`…${text.slice(middle)}`).width <= room) high = middle;
    else low = middle;
  }
  return `…${text.slice(high)}`;
}

function paintDates(pen, { from, to, x, gutter, size, width, colours, family }) {
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, width, TOP - 3);
  pen.fillStyle = colours.faint;
  pen.font = `12px ${family}`;
  pen.textAlign = "left";
  let free = gutter;
  let before = from > 0 ? day(RUNS.started[from - 1]) : "";
  for (let at = from; at <= to; at++) {
    const now = day(RUNS.started[at]);
    if (now !== before && x(at) >= free && x(at) + 44 < width) {
      pen.fillText(shortDay(RUNS.started[at]), x(at), 10);
      free = x(at) + Math.max(64, size);
    }
    before = now;
  }
}
