"use strict";

const DELAY = 150; // milliseconds without a key before the text is sent
const UNCERTAIN = 0.8;

const text = document.getElementById("text");
const threshold = document.getElementById("threshold");
const status_ = document.getElementById("status");

let timer = 0;
let request = null; // the one that is under way; a newer text cancels it
let shown = { text: "", ents: [] };

text.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(annotate, DELAY);
});
threshold.addEventListener("input", render);

async function annotate() {
  if (request) request.abort();
  const ours = request = new AbortController();
  const sent = text.value;
  try {
    const response = await fetch("annotate", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ texts: [sent], tokens: false }),
      signal: ours.signal,
    });
    const answer = await response.json();
    const problem = answer.error || answer.results[0].error;
    if (problem) return say(problem, true);
    shown = { text: sent, ents: answer.results[0].ents };
    render();
  } catch (error) {
    if (error.name !== "AbortError") say("The server does not answer.", true);
  }
}

function render() {
  const least = Number(threshold.value);
  document.getElementById("threshold-value").textContent = `${least}%`;
  const ents = shown.ents.filter((ent) => ent.score === null || 100 * ent.score >= least);
  // Python counts characters, JavaScript UTF-16 units: emoji are one and two.
  const characters = Array.from(shown.text);
  const parts = [];
  let at = 0;
  for (const ent of ents) {
    parts.push(characters.slice(at, ent.start).join(""), marked(ent));
    at = ent.end;
  }
  parts.push(characters.slice(at).join(""));
  document.getElementById("marked").replaceChildren(...parts);
  document.getElementById("rows").replaceChildren(...ents.map(row));
  const hidden = shown.ents.length - ents.length;
  const n = ents.length === 1 ? "1 entity" : `${ents.length} entities`;
  say(hidden ? `${n}, ${hidden} less probable` : n, false);
}

function marked(ent) {
  const mark = element("mark", ent.text);
  mark.dataset.label = ent.label;
  mark.classList.toggle("uncertain", ent.score !== null && ent.score < UNCERTAIN);
  mark.append(element("small", [ent.label, percent(ent.score)].join(" ").trim()));
  return mark;
}

function row(ent) {
  const line = document.createElement("tr");
  const score = element("td", "");
  if (ent.score !== null) {
    const meter = document.createElement("meter");
    meter.value = ent.score;
    meter.setAttribute("aria-hidden", "true"); // the figure beside it says the same
    score.append(meter, percent(ent.score));
  }
  line.append(element("td", ent.text), element("td", ent.label), score);
  return line;
}

function percent(score) {
  return score === null ? "" : `${Math.floor(100 * score)}%`;
}

// Never innerHTML: what people type is text.
function element(name, content) {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}

function say(message, isFault) {
  status_.textContent = message;
  status_.classList.toggle("fault", isFault);
}

annotate();
