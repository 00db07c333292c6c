/** The documents' search; script/field.ts does it, and without a script it does not show. */
import { searchIndexPath } from "../language";
import type { Site } from "../site";

export function SearchField({ site: { language, texts } }: { site: Site }) {
  const says = texts.documents;
  return (
    <search>
      <form
        className="search"
        data-index={searchIndexPath(language)}
        data-found={says.found}
        data-nothing={says.nothing}
        data-failed={says.failed}
      >
        <input
          type="search"
          aria-label={says.search}
          placeholder={says.search}
          autoComplete="off"
        />
        <span className="key" aria-hidden="true">
          /
        </span>
        <ul hidden />
        <output />
      </form>
    </search>
  );
}
