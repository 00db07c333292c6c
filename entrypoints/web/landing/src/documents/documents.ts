/**
 * The documents, from docs/en and docs/ru beside this folder. Throws with every problem, each with
 * its file and line: a link or an anchor that leads nowhere, a language that lacks a document.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import matter from "front-matter";
import { z } from "zod";
import { documentPath, LANGUAGES, type Language } from "../language";
import {
  type Heading,
  read,
  render,
  type Section,
  type Source,
  sections,
  type Words,
} from "./markdown";

const Front = z.object({
  title: z.string(),
  description: z.string(),
  order: z.number(),
  /** Words that people look for and the text does not have. */
  keywords: z.string().default(""),
});

export interface Document extends z.infer<typeof Front> {
  name: string;
  html: string;
  headings: Heading[];
  sections: Section[];
}

interface Draft extends z.infer<typeof Front> {
  file: string;
  name: string;
  language: Language;
  source: Source;
  /** The body's first line in its file. */
  begins: number;
}

export function documents(
  folder: string,
  says: Record<Language, Words>,
): Record<Language, Document[]> {
  const problems: string[] = [];
  const drafts = LANGUAGES.flatMap((language) => drafted(folder, language, problems));
  for (const { name, file, language } of drafts) {
    for (const other of LANGUAGES) {
      if (other !== language && !find(drafts, other, name)) {
        problems.push(`${file}: there is no ${other}/${name}.md`);
      }
    }
  }
  const finished = (language: Language) =>
    drafts
      .filter((draft) => draft.language === language)
      .sort((one, other) => one.order - other.order)
      .map((draft) => finish(draft, drafts, says[language], problems));
  const made = { en: finished("en"), ru: finished("ru") };
  if (problems.length > 0) throw new Error(`documents:\n  ${problems.join("\n  ")}`);
  return made;
}

function drafted(folder: string, language: Language, problems: string[]): Draft[] {
  const names = readdirSync(join(folder, language)).filter((name) => name.endsWith(".md"));
  return names.flatMap((file): Draft[] => {
    const path = join(folder, language, file);
    const shown = relative(process.cwd(), path);
    const { attributes, body, bodyBegin } = matter(readFileSync(path, "utf8"));
    const front = Front.safeParse(attributes);
    if (!front.success) {
      problems.push(`${shown}:1: front matter: ${z.prettifyError(front.error)}`);
      return [];
    }
    const name = file.replace(/\.md$/, "");
    return [{ ...front.data, file: shown, name, language, source: read(body), begins: bodyBegin }];
  });
}

function finish(draft: Draft, all: Draft[], says: Words, problems: string[]): Document {
  const { file, name, title, description, order, keywords, source } = draft;
  const searched = sections(source);
  const html = render(
    source,
    says,
    (href) => resolve(href, draft, all),
    (line, problem) => problems.push(`${file}:${draft.begins + line - 1}: ${problem}`),
  );
  const { headings } = source;
  return { name, title, description, order, keywords, html, headings, sections: searched };
}

function resolve(
  href: string,
  from: Draft,
  all: Draft[],
): ReturnType<Parameters<typeof render>[2]> {
  if (/^(https:|mailto:)/.test(href)) return { href };
  if (href.startsWith("/sandbox/")) return { href, where: "sandbox" };
  if (href.startsWith("/")) return { href, where: "running" };
  const [path = "", anchor] = href.split("#");
  const named = /^(?:\.\/)?([\w-]+)\.md$/.exec(path)?.[1];
  const target = path === "" ? from : find(all, from.language, named);
  if (!target) return { problem: `a link to ${href}: there is no such document` };
  if (anchor !== undefined && !target.source.anchors.has(anchor)) {
    return { problem: `a link to ${href}: ${target.file} has no such heading` };
  }
  const page = path === "" ? "" : documentPath(from.language, target.name);
  return { href: page + (anchor === undefined ? "" : `#${encodeURIComponent(anchor)}`) };
}

function find(all: Draft[], language: Language, name: string | undefined): Draft | undefined {
  return all.find((draft) => draft.language === language && draft.name === name);
}
