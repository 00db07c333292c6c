/** The HTTP API's client; its types are generated from the OpenAPI document. */
import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";

import { told } from "./clock";
import { away, back } from "./connection";
import { useOnce } from "./once";
import { patiently, unanswered } from "./patience";
import { Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Every refusal is thrown as a Problem, so that a query's `error` is always one. */
const refusals: Middleware = {
  async onResponse({ request, response }) {
    if (!isOurs(response)) {
      away();
      throw unanswered(request);
    }
    back();
    if (!response.ok) throw await Problem.of(response);
  },
  onError({ request, error }) {
    // Nobody waits for it any more: the page went on.
    if (error instanceof DOMException && error.name === "AbortError") return error;
    away();
    return unanswered(request);
  },
};

/** Whether the API says it: a gateway that found nobody, or that asks who one is, says it in HTML. */
function isOurs({ ok, status, body, headers }: Response): boolean {
  const type = headers.get("Content-Type") ?? "";
  if (ok) return body === null || /^application\/(json|x-ndjson)/.test(type);
  return ![502, 503, 504].includes(status) || type.startsWith("application/problem+json");
}

/** With its body: one that is cut off midway is no answer. */
async function whole(request: Request): Promise<Response> {
  const response = await patiently(request);
  told(response.headers.get("Date"));
  const body = await response.arrayBuffer();
  // Chromium has an empty body where a 204 has none, and takes none back.
  return new Response(body.byteLength > 0 ? body : null, response);
}

export const api = createFetchClient<paths>({ baseUrl: "/", fetch: whole });
api.use(refusals);

const generated = createQueryClient(api);

export const $api: typeof generated = {
  ...generated,
  useMutation: (method, path, options, queryClient) =>
    useOnce([method, path], generated.useMutation(method, path, options, queryClient)),
};
