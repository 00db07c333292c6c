/**
 * Every page of the site as HTML. Built by Vite for Node, called by ../build.ts; React renders here
 * and nowhere else.
 */
import { renderToStaticMarkup } from "react-dom/server";
import { type Document, documents } from "./documents/documents";
import { documentPath, home, LANGUAGES, type Language, ORIGIN, searchIndexPath } from "./language";
import { withComments } from "./only";
import { DocumentList } from "./pages/DocumentList";
import { DocumentPage } from "./pages/DocumentPage";
import type { Assets } from "./pages/Frame";
import { Landing } from "./pages/Landing";
import { NotFound } from "./pages/NotFound";
import { type Proofs, proofs } from "./proof/proofs";
import type { Piece } from "./script/search";
import { en } from "./texts/en";
import { ru } from "./texts/ru";
import type { Texts } from "./texts/texts";

/** What every page may tell of. */
export interface Site {
  language: Language;
  texts: Texts;
  documents: Document[];
  proofs: Proofs;
  assets: Assets;
}

const TEXTS: Record<Language, Texts> = { en, ru };

/** The site's files by their paths; `docs` is the folder of the documents. */
export function site(repository: string, docs: string, assets: Assets): Map<string, string> {
  const proved = proofs(repository);
  const written = documents(docs, { en: words(en), ru: words(ru) });
  const files = new Map<string, string>();
  const pages: string[] = [];
  const page = (path: string, element: React.ReactNode) => {
    pages.push(path);
    files.set(`${path}index.html`, html(element));
  };
  for (const language of LANGUAGES) {
    const here = written[language];
    const about: Site = {
      language,
      texts: TEXTS[language],
      documents: here,
      proofs: proved,
      assets,
    };
    page(home(language), <Landing site={about} />);
    page(documentPath(language), <DocumentList site={about} />);
    for (const one of here) {
      page(documentPath(language, one.name), <DocumentPage site={about} document={one} />);
    }
    files.set(searchIndexPath(language), JSON.stringify(pieces(language, here)));
  }
  const everywhere = { language: "en" as const, texts: en, documents: [], proofs: proved, assets };
  files.set("/404.html", html(<NotFound site={everywhere} others={[["ru", ru]]} />));
  files.set("/sitemap.xml", sitemap(pages));
  files.set("/robots.txt", `User-agent: *\nAllow: /\n\nSitemap: ${ORIGIN}/sitemap.xml\n`);
  return files;
}

function words(texts: Texts) {
  return { ...texts.code, table: texts.proofs.table };
}

function html(element: React.ReactNode): string {
  return `<!doctype html>\n${withComments(renderToStaticMarkup(element))}\n`;
}

/** What the search looks through. */
function pieces(language: Language, all: Document[]): Piece[] {
  return all.flatMap(({ name, title: page, description, keywords, sections }) => {
    const url = documentPath(language, name);
    const about = { url, page, title: "", text: description, keywords };
    const under = sections.map(({ anchor, title, text }) => ({
      url: anchor === "" ? `${url}#text` : `${url}#${encodeURIComponent(anchor)}`,
      page,
      title,
      text: text.replaceAll(/\s+/g, " ").trim(),
    }));
    return [about, ...under];
  });
}

/** Each page with its counterparts in the other languages. */
function sitemap(pages: string[]): string {
  const entries = pages.map((path) => {
    const plain = path.replace(/^\/ru\//, "/");
    const links = LANGUAGES.map((language) => {
      const href = `${ORIGIN}${home(language)}${plain.slice(1)}`;
      return `<xhtml:link rel="alternate" hreflang="${language}" href="${href}"/>`;
    });
    return `<url><loc>${ORIGIN}${path}</loc>${links.join("")}</url>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">',
    ...entries,
    "</urlset>\n",
  ].join("\n");
}
