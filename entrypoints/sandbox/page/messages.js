// The list of messages: bubbles, days, what is typed, what is edited.

import { renderText } from "./entities.js";
import { language, texts } from "./texts.js";

const TYPING_MILLISECONDS = 5500;
const PICTURES = { photo: "🏞️", voice: "🎤", document: "📄", location: "📍", sticker: "" };

const scroller = document.getElementById("messages");
const list = document.getElementById("message-list");
const typing = document.getElementById("typing");
const empty = document.getElementById("empty");

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const calendar = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });

let handlers = { onCommand() {}, onEdit() {} };
let lastDay = "";
let lastSender = 0;
let typingTimer = 0;

export function setHandlers(given) {
  handlers = given;
}

export function showAll(messages) {
  list.replaceChildren();
  lastDay = "";
  lastSender = 0;
  hideTyping();
  for (const message of messages) append(message, false);
  scroller.scrollTop = scroller.scrollHeight;
}

export function add(message) {
  if (find(message.message_id)) return;
  const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 160;
  if (message.from.is_bot) hideTyping();
  append(message, true);
  if (near || !message.from.is_bot) scroller.scrollTop = scroller.scrollHeight;
}

export function change(message) {
  const item = find(message.message_id);
  if (item) fill(item, message);
}

export function remove(messageId) {
  find(messageId)?.remove();
}

export function showTyping() {
  typing.hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(hideTyping, TYPING_MILLISECONDS);
  if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 160) {
    scroller.scrollTop = scroller.scrollHeight;
  }
}

export function hideTyping() {
  clearTimeout(typingTimer);
  typing.hidden = true;
}

export function showEmpty(title, text) {
  empty.replaceChildren();
  if (!title) return;
  const strong = document.createElement("strong");
  strong.textContent = title;
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  empty.append(strong, paragraph);
}

function find(messageId) {
  return list.querySelector(`[data-message-id="${messageId}"]`);
}

function append(message, isNew) {
  showEmpty();
  const date = new Date(message.date * 1000);
  const day = calendar.format(date);
  if (day !== lastDay) {
    const separator = document.createElement("li");
    separator.className = "day";
    separator.textContent = day;
    list.append(separator);
    lastDay = day;
    lastSender = 0;
  }
  const item = document.createElement("li");
  const sender = message.from.is_bot ? "bot" : "user";
  item.className = `message ${sender}${isNew ? " new" : ""}${lastSender !== message.from.id ? " first" : ""}`;
  item.dataset.testid = "message";
  item.dataset.sender = sender;
  item.dataset.messageId = message.message_id;
  lastSender = message.from.id;
  fill(item, message);
  list.append(item);
}

function fill(item, message) {
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  const sender = document.createElement("div");
  sender.className = message.chat.type === "private" ? "visually-hidden" : "sender";
  sender.textContent = message.from.first_name;
  bubble.append(sender);
  const kind = Object.keys(PICTURES).find((name) => name in message);
  if (kind) bubble.append(card(kind, message));
  const text = message.text ?? message.caption;
  if (text) {
    const body = document.createElement("div");
    body.className = "text";
    const entities = message.entities ?? message.caption_entities ?? [];
    renderText(body, text, entities, handlers.onCommand);
    bubble.append(body);
  }
  bubble.append(meta(message));
  item.replaceChildren(bubble);
  if (!message.from.is_bot && message.text) item.append(editButton(message));
}

function meta(message) {
  const line = document.createElement("div");
  line.className = "meta";
  if (message.edit_date) {
    const edited = document.createElement("span");
    edited.textContent = texts.edited;
    line.append(edited);
  }
  const time = document.createElement("time");
  const date = new Date(message.date * 1000);
  time.dateTime = date.toISOString();
  time.textContent = clock.format(date);
  line.append(time);
  return line;
}

function card(kind, message) {
  const box = document.createElement("div");
  box.className = `card ${kind}`;
  const picture = document.createElement("span");
  picture.className = "picture";
  picture.setAttribute("aria-hidden", "true");
  picture.textContent = kind === "sticker" ? message.sticker.emoji : PICTURES[kind];
  const label = document.createElement("span");
  label.className = kind === "sticker" || kind === "photo" ? "visually-hidden" : "";
  label.textContent = texts[kind];
  box.append(picture, label);
  return box;
}

function editButton(message) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button edit-button";
  button.dataset.testid = "edit-message";
  button.setAttribute("aria-label", `${texts.edit}: ${message.text.slice(0, 40)}`);
  button.title = texts.edit;
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M4 20l1-5L16 4l4 4L9 19z");
  icon.append(path);
  button.append(icon);
  button.addEventListener("click", () => handlers.onEdit(message));
  return button;
}
