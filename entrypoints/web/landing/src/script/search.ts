/** The search itself, loaded when it is first used: MiniSearch over the pieces of the documents. */
import MiniSearch from "minisearch";

/** A piece of a document: what stands under one heading. */
export interface Piece {
  url: string;
  page: string;
  title: string;
  text: string;
  /** Of the document: other words for what it is about. */
  keywords?: string;
}

export type Found = Omit<Piece, "keywords">;
export type Search = (asked: string) => Found[];

const SHOWN = 8;
const EXCERPT = 110;
/** What a question is asked with, not what it is about. */
const ASKING = new Set(
  "a an the i my me you how do does can is are to of in on and or как мне я мой у в на и или ли же по".split(
    " ",
  ),
);
/** What a Russian word ends in: without it one form of a word finds the others. */
const ENDING =
  /(?:иями|ями|ами|ого|его|ому|ему|ыми|ими|ешь|ишь|ить|ать|ять|еть|уть|ете|ите|ает|ует|ют|ут|ят|ат|ет|ит|ие|ия|ию|ий|ии|ый|ой|ей|ая|яя|ое|ее|ую|юю|ые|ых|их|ым|им|ом|ем|ов|ев|ам|ям|ах|ях|ал|ил|[аеиоуыэюяйь])$/;
/** Letters that stay of such a word. */
const STEM = 4;
/** Characters before the word in an excerpt. */
const BEFORE = 30;

export async function load(index: string): Promise<Search> {
  const answer = await fetch(index);
  if (!answer.ok) throw new Error(`${index}: ${answer.status}`);
  const pieces: Piece[] = await answer.json();
  const search = new MiniSearch<Piece>({
    idField: "url",
    fields: ["page", "title", "text", "keywords"],
    storeFields: ["url", "page", "title", "text"],
    processTerm: stem,
    searchOptions: {
      boost: { page: 3, title: 4, keywords: 4 },
      prefix: true,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    },
  });
  search.addAll(pieces);
  // What has all the words; else, for a question in a person's own words, what has most of them.
  const best = (asked: string) => {
    const all = search.search(asked, { combineWith: "AND" });
    return all.length > 0 ? all : search.search(asked, { combineWith: "OR" });
  };
  return (asked) =>
    best(asked)
      .slice(0, SHOWN)
      .map(({ url, page, title, text, terms }) => ({
        url,
        page,
        title,
        text: excerpt(text, terms),
      }));
}

function stem(term: string): string | null {
  if (ASKING.has(term.toLowerCase())) return null;
  const low = term.toLowerCase().replaceAll("ё", "е");
  const cut = low.replace(ENDING, "");
  return cut.length >= STEM ? cut : low;
}

function excerpt(text: string, terms: string[]): string {
  const low = text.toLowerCase().replaceAll("ё", "е");
  const places = terms.map((term) => low.indexOf(term)).filter((place) => place >= 0);
  const from = Math.max(0, Math.min(...places, text.length) - BEFORE);
  const begins = places.length === 0 || from === 0 ? 0 : text.indexOf(" ", from) + 1;
  const cut = text.slice(begins, begins + EXCERPT);
  return `${begins > 0 ? "…" : ""}${cut}${begins + EXCERPT < text.length ? "…" : ""}`;
}
