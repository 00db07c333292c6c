/** The HTTP API's client; its types are generated from the OpenAPI document. */
import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";

import { away, back } from "./connection";
import { useOnce } from "./once";
import { Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** A read that has no answer by then gets none; a write may take as long as Telegram does. */
const PATIENCE_MS = 30_000;

function patiently(request: Request): Promise<Response> {
  if (request.method !== "GET") return fetch(request);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]);
  return fetch(request, { signal });
}

/** Every refusal is thrown as a Problem, so that a query's `error` is always one. */
const refusals: Middleware = {
  async onResponse({ response }) {
    if (isGateway(response)) {
      away();
      throw Problem.away();
    }
    back();
    if (!response.ok) throw await Problem.of(response);
  },
  onError({ error }) {
    // Nobody waits for it any more: the page went on.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    away();
    return Problem.away();
  },
};

/** Whether a gateway says that it found nobody: what the API says itself is a problem document. */
function isGateway({ status, headers }: Response): boolean {
  const isProblem = headers.get("Content-Type")?.startsWith("application/problem+json");
  return [502, 503, 504].includes(status) && !isProblem;
}

export const api = createFetchClient<paths>({ baseUrl: "/", fetch: patiently });
api.use(refusals);

const generated = createQueryClient(api);

export const $api: typeof generated = {
  ...generated,
  useMutation: (method, path, options, queryClient) =>
    useOnce([method, path], generated.useMutation(method, path, options, queryClient)),
};
