/** A command, with a button that copies it (script/copy.ts); or what a terminal showed. */
import type { Texts } from "../texts/texts";

export function Code({ texts, children }: { texts: Texts; children: string }) {
  return (
    <div className="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, by keyboard too */}
      <pre tabIndex={0}>
        <code>{children}</code>
      </pre>
      <button type="button" className="copy" data-copied={texts.code.copied}>
        {texts.code.copy}
      </button>
    </div>
  );
}

export function Terminal({ children }: { children: string }) {
  return (
    <div className="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, by keyboard too */}
      <pre tabIndex={0}>
        <samp>{children}</samp>
      </pre>
    </div>
  );
}
