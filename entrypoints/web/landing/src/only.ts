/**
 * What only some places have, marked as comments for entrypoints/http/landing_site.py, which keeps
 * it or leaves it out.
 */

/**
 * `running`: any system of ours; `sandbox`: one whose sandbox is on; `public`: where the site's
 * address is known; `repository`: where one is to clone from.
 */
export type Where = "running" | "sandbox" | "public" | "repository";

const ELEMENT = "only-where";
const ATTRIBUTE = "data-only";

export function only(where: Where, html: string): string {
  return `<!--only:${where}-->${html}<!--/only-->`;
}

/**
 * The same for a `<link>` or a `<meta>`, which React takes out of every element around it and puts
 * into the head: to be spread before its other attributes.
 */
export function onlyAt(where: Where): Record<typeof ATTRIBUTE, Where> {
  return { [ATTRIBUTE]: where };
}

/** React has no comments: what it was told to mark becomes them here. Marks do not nest. */
export function withComments(html: string): string {
  const marked = html
    .replaceAll(new RegExp(`<${ELEMENT} where="(\\w+)">`, "g"), "<!--only:$1-->")
    .replaceAll(`</${ELEMENT}>`, "<!--/only-->")
    .replaceAll(
      new RegExp(`<(link|meta) ${ATTRIBUTE}="(\\w+)"([^>]*)>`, "g"),
      "<!--only:$2--><$1$3><!--/only-->",
    );
  const wrong = marked.match(`<!--only:\\w+--><!--/only-->|<[^<>]* ${ATTRIBUTE}=`);
  if (wrong) throw new Error(`a mark that marks nothing: ${wrong[0]}`);
  return marked;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "only-where": { where: Where; children: React.ReactNode };
    }
  }
}
