// Which view is shown: the address's fragment says so.

const VIEWS = {
  run: ["This run", runView],
  tests: ["Tests", testsView],
  grid: ["Grid", gridView],
  trends: ["Trends", trendsView],
  quarantine: ["Quarantine", decisionsView],
};

let leaving = [];
let recoloured = [];
function onLeave(act) {
  leaving.push(act);
}
function onTheme(act) {
  recoloured.push(act);
}

function route(event) {
  const [name, rest] = location.hash.slice(1).split(/\/(.*)/s);
  leaving.forEach((act) => act());
  [leaving, recoloured] = [[], []];
  const known = VIEWS[name] ? name : name === "test" ? "test" : D.run ? "run" : "tests";
  const parts = known === "test" ? testView(decoded(rest)) : VIEWS[known][1]();
  byId("main").replaceChildren(...parts.filter(Boolean));
  for (const link of byId("nav").children) {
    const here = link.hash === `#${known}` || (known === "test" && link.hash === "#tests");
    if (here) link.setAttribute("aria-current", known === "test" ? "true" : "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${(byId("main").querySelector("h1")?.textContent || "").slice(0, 120)} – ${D.project.label.slice(0, 80)}`;
  if (event) {
    scrollTo(0, 0);
    byId("main").querySelector("h1")?.focus({ preventScroll: true });
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text || "");
  } catch {
    return text;
  }
}

// "auto" follows the system; a choice is remembered where that is allowed.
const THEMES = ["auto", "light", "dark"];

function useTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  byId("theme").setAttribute("aria-label", `Colours: ${theme}. Change`);
  byId("theme").title = `Colours: ${theme}`;
  recoloured.forEach((act) => act());
}

function begin() {
  byId("project").textContent = D.project.label;
  byId("made").textContent =
    `Made ${moment(D.made)} by flakefighters ${D.version} from ${D.history}.`;
  byId("nav").append(
    ...Object.entries(VIEWS)
      .filter(([name]) => name !== "run" || D.run)
      .map(([name, [title]]) => el("a", { href: `#${name}`, text: title })),
  );
  let theme = THEMES.includes(remember("theme")) ? remember("theme") : "auto";
  useTheme(theme);
  byId("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember("theme", theme);
    useTheme(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => useTheme(theme));
  addEventListener("hashchange", route);
  addEventListener("beforeprint", () => {
    useTheme("light"); // the picture of the grid too
    document.querySelectorAll("details.failure").forEach((one, at) => {
      if (at < 100) one.open = true;
    });
  });
  addEventListener("afterprint", () => useTheme(theme));
  route();
}

begin();
