/** The search itself, loaded when it is first used: MiniSearch over the pieces of the documents. */
import MiniSearch from "minisearch";

/** A piece of a document: what stands under one heading. */
export interface Piece {
  url: string;
  page: string;
  title: string;
  text: string;
}

export type Found = Piece;
export type Search = (asked: string) => Found[];

const SHOWN = 8;
const EXCERPT = 110;
/** Characters before the word in an excerpt. */
const BEFORE = 30;

export async function load(index: string): Promise<Search> {
  const answer = await fetch(index);
  if (!answer.ok) throw new Error(`${index}: ${answer.status}`);
  const pieces: Piece[] = await answer.json();
  const search = new MiniSearch<Piece>({
    idField: "url",
    fields: ["page", "title", "text"],
    storeFields: ["url", "page", "title", "text"],
    processTerm: (term) => term.toLowerCase().replaceAll("ё", "е"),
    searchOptions: {
      boost: { page: 3, title: 4 },
      prefix: true,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      combineWith: "AND",
    },
  });
  search.addAll(pieces);
  return (asked) =>
    search
      .search(asked)
      .slice(0, SHOWN)
      .map(({ url, page, title, text, terms }) => ({
        url,
        page,
        title,
        text: excerpt(text, terms),
      }));
}

function excerpt(text: string, terms: string[]): string {
  const low = text.toLowerCase().replaceAll("ё", "е");
  const places = terms.map((term) => low.indexOf(term)).filter((place) => place >= 0);
  const from = Math.max(0, Math.min(...places, text.length) - BEFORE);
  const begins = places.length === 0 || from === 0 ? 0 : text.indexOf(" ", from) + 1;
  const cut = text.slice(begins, begins + EXCERPT);
  return `${begins > 0 ? "…" : ""}${cut}${begins + EXCERPT < text.length ? "…" : ""}`;
}
