/**
 * The search field of the documents. The index is fetched when it is first used. Arrows walk through
 * what was found, Enter opens it, Escape leaves, and "/" comes here from anywhere in the page.
 */
import type { Found, Search } from "./search";

export function searchField(): void {
  const form = document.querySelector<HTMLFormElement>("form.search");
  const input = form?.querySelector("input");
  const list = form?.querySelector("ul");
  const status = form?.querySelector("output");
  if (form && input && list && status) new Field(form, input, list, status);
}

class Field {
  private readonly form: HTMLFormElement;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLUListElement;
  private readonly status: HTMLOutputElement;
  private search: Promise<Search> | undefined;

  constructor(
    form: HTMLFormElement,
    input: HTMLInputElement,
    list: HTMLUListElement,
    status: HTMLOutputElement,
  ) {
    this.form = form;
    this.input = input;
    this.list = list;
    this.status = status;
    input.addEventListener("focus", () => void this.loaded());
    input.addEventListener("input", () => void this.show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.openFirst();
    });
    // Where a mouse gives a link no focus (Safari) something else would have it, and the list be
    // closed before the click.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => this.press(event));
    form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!form.contains(relatedTarget as Node | null)) this.close();
    });
    document.addEventListener("keydown", (event) => {
      const elsewhere = !(event.target as HTMLElement).closest("input");
      if (event.key === "/" && elsewhere && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        input.focus();
      }
    });
  }

  /** The search, fetched once; after a failure again. */
  private loaded(): Promise<Search> {
    this.search ??= import("./search").then(({ load }) => load(this.form.dataset.index ?? ""));
    this.search.catch(() => {
      this.search = undefined;
    });
    return this.search;
  }

  /** What is found for the words that stand there, were the index still to come. */
  private async openFirst(): Promise<void> {
    if (await this.show()) this.links()[0]?.click();
  }

  /** Whether the list holds what is found for the words that stand in the field now. */
  private async show(): Promise<boolean> {
    const asked = this.input.value.trim();
    if (asked === "") {
      this.close();
      return true;
    }
    let found: Found[];
    try {
      found = (await this.loaded())(asked);
    } catch {
      this.status.textContent = this.form.dataset.failed ?? "";
      this.status.classList.remove("unseen");
      return false;
    }
    // Meanwhile more may have been written.
    if (asked !== this.input.value.trim()) return false;
    this.list.replaceChildren(...found.map(entry));
    this.list.hidden = found.length === 0;
    // That something was found is seen; only a screen reader needs to say it.
    const { found: some, nothing } = this.form.dataset;
    this.status.textContent = found.length > 0 ? `${some}: ${found.length}` : (nothing ?? "");
    this.status.classList.toggle("unseen", found.length > 0);
    return true;
  }

  private press(event: KeyboardEvent): void {
    const links = this.links();
    const place = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === "Escape") {
      this.input.value = "";
      this.input.focus();
      this.close();
    } else if (event.key === "ArrowDown" && links.length > 0) {
      links[Math.min(place + 1, links.length - 1)]?.focus();
      event.preventDefault();
    } else if (event.key === "ArrowUp" && place >= 0) {
      (links[place - 1] ?? this.input).focus();
      event.preventDefault();
    }
  }

  private links(): HTMLAnchorElement[] {
    return [...this.list.querySelectorAll("a")];
  }

  private close(): void {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.status.textContent = "";
  }
}

function entry({ url, page, title, text }: Found): HTMLLIElement {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = url;
  const name = document.createElement("strong");
  name.textContent = title === "" ? page : `${page} › ${title}`;
  const excerpt = document.createElement("span");
  excerpt.textContent = text;
  link.append(name, excerpt);
  item.append(link);
  return item;
}
