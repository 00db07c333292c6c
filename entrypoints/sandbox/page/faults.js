// The switches of what goes wrong. A switch shows what is on in the sandbox, whoever switched it.

import { addFault, removeFault, send } from "./api.js";
import { texts } from "./texts.js";

const SWITCHES = [
  { id: "telegram-429", text: "fault429", fault: { side: "telegram", kind: "rate_limited", method: "sendMessage", retry_after: 3 } },
  { id: "model-500", text: "fault500", fault: { side: "openai", kind: "server_error" } },
  { id: "slow-model", text: "faultSlow", fault: { side: "openai", kind: "slow", delay: 8, tokens_per_second: 8 } },
  { id: "telegram-lost", text: "faultLost", fault: { side: "telegram", kind: "reset_after", method: "sendMessage" } },
  { id: "blocked", text: "faultBlocked", fault: { side: "telegram", kind: "blocked" }, personal: true },
];

let faults = [];
let place = { bot: null, user: null };

export function build(onProblem) {
  const box = document.getElementById("faults");
  for (const one of SWITCHES) {
    const label = document.createElement("label");
    label.className = "switch";
    const words = document.createElement("span");
    words.textContent = texts[one.text];
    const hint = document.createElement("small");
    hint.textContent = texts[`${one.text}Hint`];
    words.append(hint);
    const input = document.createElement("input");
    input.type = "checkbox";
    input.setAttribute("role", "switch");
    input.id = `fault-${one.id}`;
    input.dataset.testid = `fault-${one.id}`;
    input.addEventListener("change", () => flip(one, input.checked).catch(onProblem));
    label.append(words, input);
    box.append(label);
  }
}

export function show(current, where) {
  faults = current;
  place = where;
  for (const one of SWITCHES) {
    const input = document.getElementById(`fault-${one.id}`);
    input.checked = matching(one).length > 0;
    input.disabled = Boolean(one.personal) && !(place.bot && place.user);
  }
}

function matching(one) {
  return faults.filter((fault) => fault.side === one.fault.side && fault.kind === one.fault.kind
    && (one.personal ? fault.bot === place.bot && fault.chat === place.user : fault.bot === null));
}

async function flip(one, on) {
  if (one.personal) {
    await send({ bot: place.bot, user: place.user, kind: on ? "block" : "unblock" });
  } else if (on) {
    await addFault(one.fault);
  } else {
    await Promise.all(matching(one).map((fault) => removeFault(fault.id)));
  }
}
