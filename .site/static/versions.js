// The choice of versions.  It is there only on a published site, which has versions.json above the
// folder of each version; the page is whole without it.
(async () => {
  const choice = document.getElementById("versions");
  if (!choice) return;
  const shown = choice.value;
  const { newest, versions } = await (await fetch(choice.dataset.root + "versions.json")).json();
  const names = versions.includes(shown) ? versions : [shown, ...versions];
  choice.replaceChildren(...names.map((name) => new Option(name, name, name === shown, name === shown)));
  choice.addEventListener("change", async () => {
    const front = `${choice.dataset.root}${choice.value}/`;
    const page = front + choice.dataset.page;
    // A page that this version does not have leads to its front page.
    const found = await fetch(page, { method: "HEAD" });
    location.href = found.ok ? page : front;
  });
  if (newest && newest !== shown) {
    const note = choice.parentElement.querySelector("p");
    note.firstElementChild.href = `${choice.dataset.root}${newest}/`;
    note.firstElementChild.textContent = `Newest release: ${newest}`;
    note.hidden = false;
  }
})();
