/** What the API answers where it refuses: application/problem+json (RFC 9457). */
import i18next from "i18next";

import { said } from "../i18n/said";
import type { components } from "./schema";

type Answered = components["schemas"]["Problem"];

/** Of what something before the API has refused, with a page of its own or with nothing. */
function unexplained(status: number): string {
  return status === 413
    ? i18next.t("problem.tooLarge")
    : i18next.t("problem.unexplained", { status });
}

export class Problem extends Error {
  readonly status: number;
  /** What is wrong with which field of what was sent. */
  readonly fields: Record<string, string>;
  /** Seconds after which to ask again; undefined: the API did not say. */
  readonly retryAfter: number | undefined;

  constructor(status: number, detail: string, fields = {}, retryAfter?: number) {
    super(detail);
    this.status = status;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  static async of(response: Response): Promise<Problem> {
    const told: Partial<Answered> = await response.json().catch(() => ({}));
    const errors = Array.isArray(told.errors) ? told.errors : [];
    const fields = errors.map(({ field, message }) => [field, said(message)] as const);
    // Of fields that cannot be taken, the detail is their errors one after another.
    const isOfFields = response.status === 422 && fields.length > 0;
    return new Problem(
      response.status,
      isOfFields
        ? fields.map((error) => error.join(": ")).join(" ")
        : said(told.detail || told.title || "") || unexplained(response.status),
      Object.fromEntries(fields),
      Number(response.headers.get("Retry-After")) || undefined,
    );
  }

  /** Nothing answered at all. */
  static away(): Problem {
    return new Problem(0, "");
  }

  /** Whether it may be well by itself in a while: nobody answered, or a part of the system is away. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 503;
  }

  /** What a query or a mutation failed with; null where it did not. A bug is not ours to show. */
  static in(error: unknown): Problem | null {
    if (error == null) return null;
    if (error instanceof Problem) return error;
    throw error;
  }
}
