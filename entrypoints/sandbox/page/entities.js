// Renders a text with its Bot API entities. Offsets are UTF-16 units, as in JavaScript's strings.

import { texts } from "./texts.js";

const SIMPLE = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/** Fills `parent` with nodes; `onCommand` is called with a bot command that was pressed. */
export function renderText(parent, text, entities, onCommand) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  renderRange(parent, text, sorted, 0, text.length, onCommand);
}

function renderRange(parent, text, entities, from, to, onCommand) {
  let at = from;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    index += 1;
    if (begin >= end) continue;
    const inner = [];
    while (index < entities.length && entities[index].offset < end) inner.push(entities[index++]);
    const block = BLOCKS.has(entity.type);
    // A block stands on lines of its own: the line breaks beside it are not empty lines too.
    const before = text.slice(at, begin);
    parent.append(block && before.endsWith("\n") ? before.slice(0, -1) : before);
    const element = elementFor(entity, text.slice(begin, end), onCommand);
    renderRange(element, text, inner, begin, end, onCommand);
    parent.append(element);
    at = block && end < to && text[end] === "\n" ? end + 1 : end;
  }
  if (at < to) parent.append(text.slice(at, to));
}

function elementFor(entity, covered, onCommand) {
  if (entity.type in SIMPLE) return document.createElement(SIMPLE[entity.type]);
  switch (entity.type) {
    case "pre": {
      const pre = document.createElement("pre");
      if (entity.language) pre.dataset.language = entity.language;
      pre.tabIndex = 0;
      return pre;
    }
    case "text_link": return link(entity.url);
    case "url": return link(covered);
    case "email": return link(`mailto:${covered}`);
    case "bot_command": return commandLink(covered, onCommand);
    case "spoiler": return spoiler();
    default: {
      const span = document.createElement("span");
      span.className = ["mention", "hashtag", "cashtag", "text_mention"].includes(entity.type) ? "tag" : "";
      return span;
    }
  }
}

function link(address) {
  const element = document.createElement("a");
  if (/^(https?:|mailto:|tg:)/i.test(address)) element.href = address;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

function commandLink(command, onCommand) {
  // A link and not a button: a button's box may be torn from the full stop after it.
  const pressed = document.createElement("a");
  pressed.href = "#message-input";
  pressed.className = "command-link";
  pressed.addEventListener("click", (event) => {
    event.preventDefault();
    onCommand(command);
  });
  return pressed;
}

function spoiler() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "spoiler";
  button.title = texts.hidden;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => button.setAttribute("aria-expanded", "true"));
  return button;
}
