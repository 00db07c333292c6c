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

export function only(where: Where, html: string): string {
  return `<!--only:${where}-->${html}<!--/only-->`;
}

/** React has no comments: its <only-where> elements become them here. They do not nest. */
export function withComments(html: string): string {
  return html
    .replaceAll(new RegExp(`<${ELEMENT} where="(\\w+)">`, "g"), "<!--only:$1-->")
    .replaceAll(`</${ELEMENT}>`, "<!--/only-->");
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "only-where": { where: Where; children: React.ReactNode };
    }
  }
}
