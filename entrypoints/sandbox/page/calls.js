// The log of Bot API calls, newest first; what breaks the documentation is red.

import { language, texts } from "./texts.js";

const LONGEST = 150;
const list = document.getElementById("log-list");
const verdict = document.getElementById("verdict");
const badge = document.getElementById("log-badge");
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

let broken = 0;

export function showAll(calls, violations) {
  list.replaceChildren();
  broken = new Set(violations.map((violation) => violation.seq)).size;
  const shown = calls.filter(isShown);
  for (const call of shown) list.prepend(row(call));
  if (shown.length === 0) {
    const none = document.createElement("li");
    none.className = "log-empty";
    none.textContent = texts.noCalls;
    list.append(none);
  }
  judge();
}

export function add(call) {
  if (call.violations.length) broken += 1;
  judge();
  if (!isShown(call)) return;
  list.querySelector(".log-empty")?.remove();
  list.prepend(row(call));
  while (list.children.length > LONGEST) list.lastElementChild.remove();
}

// A polling bot asks every few seconds; an answer without trouble would bury the rest.
function isShown(call) {
  return call.method !== "getUpdates" || call.status >= 400 || call.violations.length > 0;
}

function judge() {
  verdict.textContent = broken ? texts.broken(broken) : texts.clean;
  verdict.classList.toggle("bad", broken > 0);
  badge.hidden = broken === 0;
  badge.textContent = String(broken);
  document.getElementById("open-log").setAttribute(
    "aria-label", broken ? `${texts.openLog}. ${texts.broken(broken)}` : texts.openLog);
}

function row(call) {
  const item = document.createElement("li");
  item.className = "call";
  const status = document.createElement("span");
  const trouble = call.status === 429 || call.status >= 500 || call.status === 0;
  status.className = `status${call.status === 200 ? "" : trouble ? " warn" : " bad"}`;
  status.textContent = call.status || "—";
  const method = document.createElement("b");
  method.textContent = call.method;
  const time = document.createElement("time");
  const date = new Date(call.at * 1000);
  time.dateTime = date.toISOString();
  time.textContent = clock.format(date);
  item.append(status, method, time);
  const about = call.params.text ?? call.params.action ?? call.params.url;
  for (const line of [about, call.description]) {
    if (!line || call.violations.includes(line)) continue;
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    item.append(paragraph);
  }
  for (const violation of call.violations) {
    const paragraph = document.createElement("p");
    paragraph.className = "violation";
    paragraph.textContent = violation;
    item.append(paragraph);
  }
  return item;
}
