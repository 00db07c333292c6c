/** The HTTP API's client; its types are generated from the OpenAPI document. */
import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";

import { away, back } from "./connection";
import { Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Every refusal is thrown as a Problem, so that a query's `error` is always one. */
const refusals: Middleware = {
  async onResponse({ response }) {
    if (response.ok) {
      back();
      return;
    }
    const problem = await Problem.of(response);
    if (problem.status >= 502) away();
    throw problem;
  },
  onError({ error }) {
    // Nobody waits for it any more: the page went on.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    away();
    return Problem.away();
  },
};

export const api = createFetchClient<paths>({ baseUrl: "/" });
api.use(refusals);

export const $api = createQueryClient(api);
