"use strict";

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Theme: the system's until the button is pressed; a stored choice may be refused, for local files.
function setUpTheme() {
  const button = byId("theme");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  system.addEventListener("change", name);
  name();
  button.hidden = false;
}

// What is folded away on the screen belongs on paper.
function setUpPrinting() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("section > details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}

const PAGE_SIZE = 10;
const TINTS = 10;

function setUpBrowser() {
  const source = byId("texts");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const hasGold = data.systems[0] === "gold";
  const pipelines = data.systems.slice(hasGold ? 1 : 0);
  const state = { page: 0, found: [] };
  const controls = { type: byId("filter-type"), who: byId("filter-who"), text: byId("filter-text") };

  // Entities of one system as "start end label" keys, of one type or of any.
  function keys(text, system, type) {
    const packed = text.r[system] === 0 ? text.r[0] : text.r[system];
    const found = [];
    for (let i = 0; i < packed.length; i += 3) {
      if (type === null || packed[i + 2] === type) found.push(packed.slice(i, i + 3).join(" "));
    }
    return found.sort().join(",");
  }

  const offset = hasGold ? 1 : 0;
  const same = (text, a, b, type) => keys(text, a, type) === keys(text, b, type);
  const right = (text, index, type) => same(text, 0, index + offset, type);
  const all = (text, type) => pipelines.every((_, index) => right(text, index, type));
  const who = [["any", () => true]];
  if (hasGold) {
    who.push(["every pipeline is right", all]);
    who.push(["some pipeline is wrong", (text, type) => !all(text, type)]);
    who.push(["no pipeline is right", (text, type) => pipelines.every((_, i) => !right(text, i, type))]);
    pipelines.forEach((name, index) => {
      const alone = (wanted) => (text, type) =>
        pipelines.every((_, other) => right(text, other, type) === ((other === index) === wanted));
      who.push([`${name} is right`, (text, type) => right(text, index, type)]);
      who.push([`${name} is wrong`, (text, type) => !right(text, index, type)]);
      if (pipelines.length > 1) {
        who.push([`only ${name} is right`, alone(true)]);
        who.push([`only ${name} is wrong`, alone(false)]);
      }
    });
  } else {
    who.push(["all pipelines agree", all]);
    who.push(["pipelines differ", (text, type) => !all(text, type)]);
    pipelines.forEach((name, index) => {
      who.push([`${name} finds entities`, (text, type) => keys(text, index, type) !== ""]);
    });
  }
  who.forEach(([name], index) => controls.who.append(make("option", { value: index, textContent: name })));
  data.labels.forEach((name, index) =>
    controls.type.append(make("option", { value: index, textContent: name })));

  const words = data.texts.map((text) => text.w.join(" ").toLowerCase());

  const chosenType = () => (controls.type.value === "" ? null : Number(controls.type.value));

  function search() {
    const type = chosenType();
    const test = who[Number(controls.who.value)][1];
    const wanted = controls.text.value.trim().toLowerCase();
    const has = (text) => text.r.some((_, system) => keys(text, system, type) !== "");
    state.found = data.texts.filter((text, index) =>
      words[index].includes(wanted) && (type === null || has(text)) && test(text, type));
    state.page = 0;
    show();
  }

  function marked(text, system) {
    const packed = text.r[system] === 0 ? text.r[0] : text.r[system];
    const line = make("div", { className: "words" });
    let position = 0;
    const plain = (end) => {
      if (end > position) line.append(text.w.slice(position, end).join(" "), " ");
    };
    for (let i = 0; i < packed.length; i += 3) {
      const [start, end, label] = packed.slice(i, i + 3);
      plain(start);
      const mark = make("mark", {}, text.w.slice(start, end).join(" "),
        make("span", { className: "label", textContent: data.labels[label] }));
      mark.style.setProperty("--tint", `var(--tint-${label % TINTS})`);
      line.append(mark, " ");
      position = end;
    }
    plain(text.w.length);
    return line;
  }

  // Right or not in what the filter asks about: one type, or everything.
  function verdict(text, system, type) {
    const isRight = same(text, 0, system, type);
    const about = type === null ? "" : ` in ${data.labels[type]}`;
    return [isRight, (isRight ? "right" : "differs") + about];
  }

  function drawn(text) {
    const type = chosenType();
    const list = make("dl");
    data.systems.forEach((name, system) => {
      const term = make("dt", {}, name);
      const row = make("div", { className: "reading" }, term);
      let reading = null;
      if (system > 0 && same(text, 0, system, null)) {
        reading = make("span", { className: "same", textContent: `as ${data.systems[0]}` });
      } else {
        reading = marked(text, system);
      }
      if (hasGold && system > 0) {
        const [isRight, said] = verdict(text, system, type);
        row.classList.add(isRight ? "right" : "wrong");
        term.append(" ", make("span", { className: "verdict", textContent: said }));
      }
      row.append(make("dd", {}, reading));
      list.append(row);
    });
    const number = (text.n + 1).toLocaleString("en");
    return make("article", { className: "text" }, make("h3", { textContent: `Text ${number}` }), list);
  }

  function show() {
    const n = state.found.length;
    const pages = Math.max(1, Math.ceil(n / PAGE_SIZE));
    const first = state.page * PAGE_SIZE;
    byId("count").textContent =
      `${n.toLocaleString("en")} of ${data.texts.length.toLocaleString("en")} texts`;
    byId("found").replaceChildren(...state.found.slice(first, first + PAGE_SIZE).map(drawn));
    byId("page").textContent = `Page ${state.page + 1} of ${pages}`;
    byId("earlier").disabled = state.page === 0;
    byId("later").disabled = state.page === pages - 1;
    byId("pages").hidden = pages === 1;
  }

  function turn(by) {
    state.page += by;
    show();
    byId("browse").scrollIntoView();
  }

  controls.type.addEventListener("change", search);
  controls.who.addEventListener("change", search);
  controls.text.addEventListener("input", search);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("earlier").addEventListener("click", () => turn(-1));
  byId("later").addEventListener("click", () => turn(1));
  byId("filters").hidden = false;
  search();
}

setUpTheme();
setUpPrinting();
setUpBrowser();
