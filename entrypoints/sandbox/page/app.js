// The sandbox's page: a person plays a Telegram user. This file ties the parts together.

import * as api from "./api.js";
import * as calls from "./calls.js";
import * as faults from "./faults.js";
import * as messages from "./messages.js";
import { texts, translate, language } from "./texts.js";

const element = (id) => document.getElementById(id);
const botSelect = element("bot-select");
const userSelect = element("user-select");
const chatSelect = element("chat-select");
const input = element("message-input");
const problem = element("problem");
const personForm = element("new-person");
const NEW_PERSON = "new";
const USUAL_COMMANDS = ["start", "help", "refresh"].map((command) => ({ command }));
const STORED = "kotodom-sandbox";

let state = { bots: [], people: [], groups: [], faults: [] };
let shown = "";
let edited = null;
let lastUser = "";

const chosen = () => ({
  bot: Number(botSelect.value) || null,
  user: Number(userSelect.value) || Number(lastUser) || null,
  chat: Number(chatSelect.value) || Number(userSelect.value) || Number(lastUser) || null,
});
const currentBot = () => state.bots.find((bot) => bot.id === chosen().bot);

function complain(error) {
  problem.hidden = !error;
  problem.textContent = error ? error.message : "";
}

async function attempt(work) {
  try {
    await work();
    complain(null);
  } catch (error) {
    complain(error instanceof TypeError ? new Error(texts.offline) : error);
  }
}

async function loadState() {
  state = await api.getState();
  const remembered = JSON.parse(localStorage.getItem(STORED) ?? "{}");
  const ready = language === "ru" ? "ru" : "en";
  const person = state.people.find((one) => one.language_code === ready) ?? state.people[0];
  fillSelect(botSelect, state.bots.map((bot) => [bot.id, `${bot.first_name} · @${bot.username}`]), remembered.bot);
  fillSelect(userSelect, [
    ...state.people.map((one) => [one.id, `${[one.first_name, one.last_name].filter(Boolean).join(" ")} · ${one.language_code}`]),
    [NEW_PERSON, texts.newPerson],
  ], userSelect.value === NEW_PERSON ? NEW_PERSON : remembered.user ?? person?.id);
  fillSelect(chatSelect, [["", texts.privateChat], ...state.groups.map((group) => [group.id, group.title])], remembered.chat);
  if (userSelect.value !== NEW_PERSON) lastUser = userSelect.value;
  await showPlace();
}

function fillSelect(select, options, wanted) {
  const keep = select.value || String(wanted ?? "");
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  if (options.some(([value]) => String(value) === keep)) select.value = keep;
}

async function showPlace() {
  const bot = currentBot();
  const { bot: botId, user, chat } = chosen();
  const group = state.groups.find((one) => one.id === chat);
  element("chat-title").textContent = group?.title ?? bot?.first_name ?? texts.noBotTitle;
  element("chat-avatar").textContent = (group?.title ?? bot?.first_name ?? "?").trim().slice(0, 1);
  showStatus(bot);
  faults.show(state.faults, { bot: botId, user });
  showCommands(bot);
  for (const control of [input, element("send")]) control.disabled = !bot;
  const place = `${botId}:${chat}`;
  if (place === shown) return;
  shown = place;
  stopEditing();
  await loadMessages();
}

function showStatus(bot) {
  const status = element("chat-status");
  if (!bot) {
    status.textContent = "";
    return;
  }
  const way = bot.mode === "webhook" ? texts.byWebhook : texts.byPolling;
  status.textContent = bot.pending ? `${way} · ${texts.waiting(bot.pending)}` : way;
}

function showCommands(bot) {
  const commands = bot ? (bot.commands.length ? bot.commands : USUAL_COMMANDS) : [];
  element("commands").replaceChildren(...commands.map(({ command, description }) => {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.testid = `command-${command}`;
    chip.textContent = `/${command}`;
    chip.title = description ?? "";
    chip.addEventListener("click", () => attempt(() => say(`/${command}`)));
    return chip;
  }));
}

async function loadMessages() {
  const { bot, chat } = chosen();
  const { messages: found } = bot && chat ? await api.getMessages(bot, chat) : { messages: [] };
  messages.showAll(found);
  if (!bot) messages.showEmpty(texts.noBotTitle, texts.noBot);
  else if (found.length === 0) messages.showEmpty(texts.emptyTitle, texts.empty);
}

async function loadCalls() {
  const [{ calls: found }, { violations }] = await Promise.all([api.getCalls(), api.getViolations()]);
  calls.showAll(found, violations);
}

async function say(text, kind = "text") {
  const { bot, user, chat } = chosen();
  if (!bot || !user) return;
  await api.send({ bot, user, chat, text, kind });
}

async function submit() {
  const text = input.value;
  if (!text.trim()) return;
  if (edited) {
    const { bot, user, chat } = chosen();
    await api.send({ bot, user, chat, text, kind: "edit", message_id: edited });
    stopEditing();
  } else {
    await say(text);
    input.value = "";
  }
  input.focus();
}

function startEditing(message) {
  edited = message.message_id;
  element("editing").hidden = false;
  input.value = message.text;
  input.focus();
}

function stopEditing() {
  if (edited) input.value = "";
  edited = null;
  element("editing").hidden = true;
}

function onNews(news) {
  const { bot, chat } = chosen();
  const here = news.bot === bot && news.chat === chat;
  switch (news.type) {
    case "message": if (here) messages.add(news.message); break;
    case "edited": if (here) messages.change(news.message); break;
    case "deleted": if (here) messages.remove(news.message_id); break;
    case "action": if (here && news.action === "typing") messages.showTyping(); break;
    case "call": calls.add(news.call); break;
    case "reload": attempt(reload); break;
    default: attempt(loadState);
  }
}

async function reload() {
  shown = "";
  await Promise.all([loadState(), loadCalls()]);
}

function drawer(panelId, openId, closeId) {
  const panel = element(panelId);
  const opener = element(openId);
  const set = (open) => {
    panel.classList.toggle("open", open);
    opener.setAttribute("aria-expanded", String(open));
    (open ? element(closeId) : opener).focus();
  };
  opener.addEventListener("click", () => set(!panel.classList.contains("open")));
  element(closeId).addEventListener("click", () => set(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.classList.contains("open")) set(false);
  });
}

function remember() {
  localStorage.setItem(STORED, JSON.stringify({ bot: botSelect.value, user: lastUser, chat: chatSelect.value }));
}

translate();
faults.build(complain);
messages.setHandlers({ onCommand: (command) => attempt(() => say(command)), onEdit: startEditing });
drawer("settings", "open-settings", "close-settings");
drawer("log", "open-log", "close-log");

for (const select of [botSelect, chatSelect]) {
  select.addEventListener("change", () => { remember(); attempt(showPlace); });
}
userSelect.addEventListener("change", () => {
  const making = userSelect.value === NEW_PERSON;
  personForm.hidden = !making;
  if (making) {
    element("person-name").focus();
    return;
  }
  lastUser = userSelect.value;
  remember();
  attempt(showPlace);
});
personForm.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const first_name = element("person-name").value;
    const { person } = await api.addPerson({ first_name, language_code: element("person-language").value });
    personForm.reset();
    personForm.hidden = true;
    lastUser = String(person.id);
    userSelect.append(new Option(person.first_name, person.id, false, true));
    userSelect.value = lastUser;
    remember();
    await loadState();
    input.focus();
  });
});
element("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(submit);
});
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    attempt(submit);
  } else if (event.key === "Escape") {
    stopEditing();
  }
});
element("cancel-edit").addEventListener("click", stopEditing);
for (const button of document.querySelectorAll("[data-kind]")) {
  button.addEventListener("click", () => {
    element("attach").open = false;
    attempt(() => say("", button.dataset.kind));
  });
}
element("attach").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    element("attach").open = false;
    element("attach").querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  if (!element("attach").contains(event.target)) element("attach").open = false;
});

api.listen({
  onNews,
  onReady: () => attempt(reload),
  onLost: () => complain(new Error(texts.offline)),
});
