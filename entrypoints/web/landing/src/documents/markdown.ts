/**
 * Markdown of a document -> HTML, and what others want to know of it. Problems name the line.
 * The first pass (`read`) finds the anchors of every document, the second (`render`) needs them all.
 */
import GithubSlugger from "github-slugger";
import MarkdownIt, { type Token } from "markdown-it";
import { only, type Where } from "../only";
import { highlight, KNOWN } from "./highlight";

export interface Heading {
  level: number;
  anchor: string;
  title: string;
}

/** The text under a heading, for the search; before the first one `anchor` is "". */
export interface Section {
  anchor: string;
  title: string;
  text: string;
}

export interface Source {
  tokens: Token[];
  headings: Heading[];
  anchors: Set<string>;
}

export interface Words {
  copy: string;
  copied: string;
  table: string;
}

/** Where a link leads: an address, or why it leads nowhere. */
export type Resolve = (href: string) => { href: string; where?: Where } | { problem: string };

export type Report = (line: number, problem: string) => void;

const markdown = new MarkdownIt({ html: false });

/** Headings get the anchors that GitHub gives them. */
export function read(text: string): Source {
  const slugger = new GithubSlugger();
  const tokens = markdown.parse(text, {});
  const headings = tokens.flatMap((token, place): Heading[] => {
    if (token.type !== "heading_open") return [];
    const title = words(tokens[place + 1]);
    const anchor = slugger.slug(title);
    token.attrSet("id", anchor);
    return [{ level: Number(token.tag.slice(1)), anchor, title }];
  });
  return { tokens, headings, anchors: new Set(headings.map((heading) => heading.anchor)) };
}

/** The corner of a table that names its rows is empty: no heading of anything. */
function emptyCorners(tokens: Token[]): void {
  tokens.forEach((token, place) => {
    if (token.type !== "th_open" || tokens[place + 1]?.content !== "") return;
    token.tag = "td";
    tokens[place + 2]!.tag = "td";
  });
}

export function render(source: Source, says: Words, resolve: Resolve, report: Report): string {
  emptyCorners(source.tokens);
  for (const token of source.tokens) {
    const line = (token.map?.[0] ?? 0) + 1;
    if (token.type === "inline") resolveLinks(token, line, resolve, report);
    if (token.type === "fence" && !KNOWN.has(token.info)) {
      report(line, `code in "${token.info}": write one of ${[...KNOWN].join(", ")}`);
    }
    if (token.type === "heading_open" && token.tag === "h1") {
      report(line, "headings begin at ##: the title is the page's only #");
    }
  }
  return markdown.renderer.render(source.tokens, markdown.options, { says });
}

/** The document's text in pieces, one for each heading. */
export function sections({ tokens, headings }: Source): Section[] {
  const found: Section[] = [{ anchor: "", title: "", text: "" }];
  const left = [...headings];
  tokens.forEach((token, place) => {
    if (token.type === "heading_open") {
      const { anchor = "", title = "" } = left.shift() ?? {};
      found.push({ anchor, title, text: "" });
    } else if (token.type === "fence") {
      found.at(-1)!.text += `${token.content} `;
    } else if (token.type === "inline" && tokens[place - 1]?.type !== "heading_open") {
      found.at(-1)!.text += `${words(token)} `;
    }
  });
  return found.filter((section) => section.title !== "" || section.text !== "");
}

/** An inline token's words. */
function words(token: Token | undefined): string {
  let text = "";
  for (const { type, content } of token?.children ?? []) {
    if (type === "softbreak" || type === "hardbreak") text += " ";
    if (type === "text" || type === "code_inline") text += content;
  }
  return text.trim();
}

function resolveLinks(token: Token, first: number, resolve: Resolve, report: Report): void {
  let line = first;
  let where: Where | undefined;
  for (const child of token.children ?? []) {
    if (child.type === "softbreak" || child.type === "hardbreak") line += 1;
    if (child.type === "image") report(line, "a picture: documents have none");
    if (child.type === "link_open") {
      const resolved = resolve(decodeURI(String(child.attrGet("href") ?? "")));
      if ("problem" in resolved) report(line, resolved.problem);
      else {
        child.attrSet("href", resolved.href);
        where = resolved.where;
        child.meta = { where };
      }
    }
    if (child.type === "link_close") child.meta = { where };
  }
}

/** The words that `render` passes along. */
const saidBy = (env: unknown) => (env as { says: Words }).says;

const { rules } = markdown.renderer;

for (const type of ["link_open", "link_close"]) {
  rules[type] = (tokens, place, options, _, renderer) => {
    const where = tokens[place]?.meta?.where as Where | undefined;
    const html = renderer.renderToken(tokens, place, options);
    return where === undefined ? html : only(where, html);
  };
}

rules.heading_close = (tokens, place) => {
  const anchor = tokens[place - 2]?.attrGet("id") ?? "";
  const link = `<a class="anchor" href="#${encodeURIComponent(anchor)}" aria-hidden="true" tabindex="-1">#</a>`;
  return `${link}</${tokens[place]!.tag}>\n`;
};

// What is in no language is what a program says: nobody copies that.
rules.fence = (tokens, place, _, env) => {
  const { copy, copied } = saidBy(env);
  const { content, info } = tokens[place]!;
  const language = KNOWN.has(info) ? info : "text";
  const button = `<button type="button" class="copy" data-copied="${copied}">${copy}</button>`;
  const code = `<pre tabindex="0"><code>${highlight(content, language)}</code></pre>`;
  return `<div class="code">${code}${language === "text" ? "" : button}</div>\n`;
};

// A wide table scrolls by itself, by keyboard too.
rules.table_open = (_tokens, _place, _options, env) =>
  `<div class="scroll" role="group" aria-label="${saidBy(env).table}" tabindex="0"><table>\n`;
rules.table_close = () => "</table></div>\n";
