/** Who is signed in. */
import { useSuspenseQuery } from "@tanstack/react-query";

import { $api, type Schemas } from "./client";

export type Me = Schemas["User"];
export type Role = Schemas["Role"];

const FRESH_MS = 60_000;

export const meQuery = { ...$api.queryOptions("get", "/api/auth/me"), staleTime: FRESH_MS };

export const useMe = (): Me => useSuspenseQuery(meQuery).data;
