"use strict";
// The page's script: filters and lists the dialogues, opens their cards, draws search trees.
// Customers' words become text nodes alone, never markup. What is large is unpacked when it is first looked at.

const $ = (id) => document.getElementById(id);

/** Make an element: properties by name (attributes where it has no such property), then what stands inside. */
function el(name, props, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined) continue;
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...inside.flat().filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

const hidden = (text) => el("span", { className: "hidden" }, text);

// --- Data ------------------------------------------------------------------------------------------------------

const unpacked = new Map();

/** Read a part of the page's data, gzip in base64 of JSON; the page shows itself while later parts still load. */
function unpack(id) {
  if (!unpacked.has(id)) unpacked.set(id, read(id));
  return unpacked.get(id);
}

async function read(id) {
  if (!$(id)) await new Promise((loaded) => addEventListener("DOMContentLoaded", loaded, { once: true }));
  const letters = atob($(id).textContent);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

// --- Light and dark --------------------------------------------------------------------------------------------

function themed(scheme) {
  document.documentElement.dataset.theme = scheme;
  $("theme").setAttribute("aria-pressed", String(scheme === "dark"));
}

function remembered(scheme) {
  try {
    if (scheme) localStorage.setItem("kdsl-theme", scheme);
    return localStorage.getItem("kdsl-theme");
  } catch {
    return null; // a browser may refuse to remember anything for a file
  }
}

themed(remembered() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
$("theme").addEventListener("click", () => {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remembered(next);
  themed(next);
});

// --- The list of dialogues -------------------------------------------------------------------------------------

const AT_ONCE = 50;
const SYSTEMS = { rules: "rules", large: "large model", together: "together" };
const OUTCOMES = {
  right: ["✓", "right"], wrong: ["✗", "wrong"], abstained: ["–", "abstained"],
  failed: ["!", "failed"], unlabelled: ["·", "no label"],
};
const form = $("filter");
let data, column, found = [], shown = 0;

function outcome(i) {
  if (column.state[i] === "failed") return "failed";
  if (column.label[i] < 0) return "unlabelled";
  if (column.state[i] === "abstained") return "abstained";
  return column.right[i] ? "right" : "wrong";
}

const intent = (i, number) => data.tasks[column.task[i]].intents[number] ?? "";

const sides = {
  "not-rules": (i) => column.right[i] !== column.rules_right[i],
  "not-large": (i) => column.right[i] !== column.large_right[i],
  split: (i) => column.rules_right[i] !== column.large_right[i],
};

/** Return the test that a dialogue passes if it is wanted. */
function wanted() {
  const want = Object.fromEntries(new FormData(form));
  const text = want.text.normalize("NFKC").toLowerCase().trim();
  const rule = want.rule ? data.rules.indexOf(want.rule) : null;
  return (i) =>
    (!text || column.text[i].includes(text)) &&
    (!want.task || data.tasks[column.task[i]].name === want.task) &&
    (!want.label || intent(i, column.label[i]) === want.label) &&
    (!want.said || intent(i, column.said[i]) === want.said) &&
    (!want.state || outcome(i) === want.state) &&
    (!want.sides || (column.right[i] !== null && sides[want.sides](i))) &&
    (!want.by || column.decided_by[i] === want.by) &&
    (rule === null || column.fired[i].includes(rule));
}

async function list() {
  if (form.elements.text.value) column.text ??= await unpack("texts");
  const test = wanted();
  found = [];
  for (let i = 0; i < column.id.length; i++) if (test(i)) found.push(i);
  shown = 0;
  $("dialogues").replaceChildren();
  const all = column.id.length;
  $("count").textContent = found.length === all ? `All ${all} dialogues` : `${found.length} of ${all} dialogues`;
  more();
}

function more() {
  const next = found.slice(shown, shown + AT_ONCE);
  shown += next.length;
  $("dialogues").append(...next.map(line));
  $("more").hidden = shown >= found.length;
}

function line(i) {
  const how = outcome(i);
  const [sign, word] = OUTCOMES[how];
  const label = intent(i, column.label[i]);
  const said = intent(i, column.said[i]);
  const told = how === "wrong" ? [el("b", {}, label), " taken for ", el("b", {}, said)] : [el("b", {}, said || label)];
  const summary = el("summary", {},
    el("span", { className: `outcome ${how}`, title: word }, sign, hidden(word)),
    el("span", { className: "what" }, told),
    el("span", { className: "head" }, column.head[i]),
    el("span", { className: "id" }, column.id[i]));
  const card = el("div", { className: "card" });
  const details = el("details", { className: "dialogue" }, summary, card);
  details.addEventListener("toggle", () => { if (details.open && !card.hasChildNodes()) fill(card, i); });
  return el("li", {}, details);
}

/** Let the address hold the filter, so that it can be gone back to. */
function changed() {
  const given = [...new FormData(form)].filter(([, value]) => value);
  history.replaceState(null, "", given.length ? `#list?${new URLSearchParams(given)}` : "#list");
  list();
}

/** Set the form to what a link asks for. */
function follow() {
  const [place, query] = location.hash.slice(1).split("?");
  if (place !== "list" || query === undefined) return;
  form.reset();
  const want = new URLSearchParams(query);
  form.elements.task.value = want.get("task") ?? "";
  offerIntents();
  for (const [name, value] of want) if (form.elements[name]) form.elements[name].value = value;
  list();
  // On a phone the filter alone fills the screen: what was asked for is below it.
  $(matchMedia("(max-width: 40rem)").matches ? "count" : "list").scrollIntoView();
  $("count").focus({ preventScroll: true });
}

function offerIntents() {
  const task = form.elements.task.value;
  const names = data.tasks.filter((each) => !task || each.name === task).flatMap((each) => each.intents);
  for (const select of [form.elements.label, form.elements.said]) {
    const chosen = select.value;
    select.replaceChildren(el("option", { value: "" }, "any"), ...[...new Set(names)].map((name) => el("option", {}, name)));
    select.value = names.includes(chosen) ? chosen : "";
  }
}

// --- A card ----------------------------------------------------------------------------------------------------

async function fill(card, i) {
  const parts = await unpack(`cards-${Math.floor(i / data.part)}`);
  const it = parts[i % data.part];
  const label = intent(i, column.label[i]);
  card.append(
    ...it.pictures.map(picture),
    el("div", { className: "told" },
      it.error ? el("p", { className: "bad" }, `It failed: ${it.error}`) : null,
      it.turns.some((turn) => turn.text.length) ? el("div", { className: "turns" }, it.turns.map(bubble)) : null,
      el("h3", {}, "What each side said"),
      said(it.sides, label),
      el("h3", {}, it.rules.length ? `Rules that fired (${it.rules.length})` : "No rule fired"),
      ruleGroups(it.rules, it.starts)));
}

const badge = (number) => (number ? el("span", { className: "badge" }, String(number)) : null);

function picture(it, place) {
  const name = `Picture ${place + 1}`;
  const frame = el("div", { className: "frame" });
  if (it.src) {
    frame.append(el("img", { src: it.src, alt: `${name}, as the customer sent it`, decoding: "async" }));
    frame.append(...it.boxes.map(([left, top, right, bottom, number]) => {
      const box = el("span", { className: "box", ariaHidden: "true" }, badge(number));
      Object.assign(box.style, {
        left: `${100 * left}%`, top: `${100 * top}%`,
        width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%`,
      });
      return box;
    }));
  }
  return el("figure", { className: "picture" },
    it.src ? frame : null,
    el("figcaption", {}, it.error ? `${name} could not be read: ${it.error}` : name),
    it.boxes.length ? el("ul", { className: "plain read" }, it.boxes.map((box) => el("li", {}, badge(box[4]), " ", box[5]))) : null,
    it.read.length ? el("details", {}, el("summary", {}, `All text read in it (${it.read.length} lines)`),
      el("ul", { className: "plain read" }, it.read.map((text) => el("li", {}, text)))) : null);
}

function bubble(turn) {
  const text = turn.text.map(([part, number]) => (number ? el("mark", {}, badge(number), part) : part));
  const sent = turn.pictures.map((place) => el("span", { className: "sent" }, `picture ${place + 1}`));
  const empty = text.length + sent.length ? null : el("span", { className: "sent" }, "nothing written");
  return el("p", { className: `bubble ${turn.role}` }, hidden(`${turn.role}: `), sent, text, empty);
}

function said(systems, label) {
  return el("table", { className: "sides" }, el("tbody", {}, systems.map((side) => {
    const sign = side.said === null || !label ? null : side.said === label ? OUTCOMES.right : OUTCOMES.wrong;
    return el("tr", {},
      el("th", { scope: "row" }, el("span", { className: `dot ${side.who}` }), SYSTEMS[side.who]),
      el("td", {}, el("b", {}, side.said ?? "nothing"), " ",
        sign ? el("span", { className: `outcome ${sign[1]}` }, sign[0], hidden(sign[1])) : null),
      el("td", { className: "best" }, side.best.map(([name, p]) => chance(name, p, side.who))));
  })));
}

function chance(name, p, who) {
  const fill = el("span", { className: `fill ${who}` });
  fill.style.width = `${100 * p}%`;
  return el("span", { className: "chance" }, el("span", { className: "name" }, name),
    el("span", { className: "meter" }, fill), el("span", { className: "number" }, `${Math.round(100 * p)} %`));
}

const signed = (weight) => `${weight < 0 ? "−" : "+"}${Math.abs(weight).toFixed(2)}`;

/** Rules under the intent they speak of, with what it starts from and all adds up to; the decision's come first.
 *  The first unfolds, and the one that is asked for. */
function ruleGroups(rules, starts) {
  const groups = new Map();
  const asked = form.elements.rule.value;
  for (const rule of rules) groups.set(rule.intent, [...(groups.get(rule.intent) ?? []), rule]);
  return [...groups].flatMap(([name, own], place) => [
    el("h4", {}, `${name} ${signed(own.reduce((sum, rule) => sum + rule.weight, starts[name] ?? 0))}`),
    name in starts ? el("p", { className: "rule" }, el("span", { className: "weight" }, signed(starts[name])), "its base rate") : "",
    ...own.map((rule, number) => ruleBox(rule, place + number === 0 || rule.id === asked)),
  ]);
}

function ruleBox(rule, open) {
  return el("details", { className: "rule", open },
    el("summary", {}, el("span", { className: "weight" }, signed(rule.weight)), rule.words),
    rule.tree ? el("ul", { className: "tree" }, verdict(rule.tree)) : el("p", { className: "soft" }, "Its reasons are not known here."),
    el("p", {}, el("a", { href: `#list?${new URLSearchParams({ rule: rule.id })}` }, `Every dialogue where ${rule.id} fired`)));
}

const TRUTHS = new Map([[true, ["✓", "true", "yes"]], [false, ["✗", "false", "no"]], [null, ["?", "unknown", "unknown"]]]);

function verdict([value, words, reasons, children]) {
  const [sign, word, kind] = TRUTHS.get(value);
  const below = [
    ...reasons.map(([what, number]) => el("li", { className: "reason" }, badge(number), " ", what)),
    ...children.map(verdict),
  ];
  return el("li", { className: kind }, el("span", { className: "truth", title: word }, sign, hidden(word)), " ", words,
    below.length ? el("ul", {}, below) : null);
}

// --- Search trees ----------------------------------------------------------------------------------------------

const FATES = ["", "found", "in the rules"];

function draft([words, visits, value, fate, rest, children], all) {
  const bar = el("span", { className: "visits" });
  bar.style.width = `${Math.max(2, (60 * visits) / all)}px`;
  const told = [bar, el("span", { className: "number" }, `${visits} step${visits === 1 ? "" : "s"}`),
    el("span", { className: "number" }, value === null || all === visits ? "" : `worth ${value.toFixed(2)}`),
    fate ? el("span", { className: `fate fate-${fate}` }, FATES[fate]) : null, el("span", {}, words)];
  if (!children.length) return el("li", {}, el("div", { className: "draft" }, told));
  const below = el("ul", {});
  const details = el("details", {}, el("summary", { className: "draft" }, told), below);
  details.addEventListener("toggle", () => {
    if (!details.open || below.hasChildNodes()) return;
    below.append(...children.map((child) => draft(child, all)));
    if (rest) below.append(el("li", { className: "soft" }, `and ${rest} more that the search soon left`));
  });
  return el("li", {}, details);
}

async function drawTree() {
  const rounds = await unpack(`tree-${$("tree").value}`);
  $("tree-shown").replaceChildren(...rounds.map((root, number) => {
    const item = draft([number ? `Round ${number + 1}: for what the rules found so far leave open` : "Round 1", ...root.slice(1)], root[1]);
    if (!number && item.firstChild.open === false) item.firstChild.open = true;
    return el("ul", { className: "search" }, item);
  }));
}

// --- Start -----------------------------------------------------------------------------------------------------

(async () => {
  data = await unpack("rows");
  column = data.columns;
  form.elements.task.append(...data.tasks.map((task) => el("option", {}, task.name)));
  $("rule-ids").append(...data.rules.map((id) => el("option", { value: id })));
  $("count").tabIndex = -1;
  offerIntents();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => { if (event.target.name === "task") offerIntents(); changed(); });
  form.addEventListener("reset", () => setTimeout(() => { offerIntents(); changed(); }));
  $("more").addEventListener("click", more);
  addEventListener("hashchange", follow);
  list();
  follow();
  if ($("tree")) {
    $("tree").addEventListener("change", drawTree);
    drawTree();
  }
})();
