/** Who is signed in. */
import { useSuspenseQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { $api, type Schemas } from "./client";

export type Me = Schemas["User"];
export type Role = Schemas["Role"];

/** From the one that may least to the one that may all. */
export const ROLES = ["USER", "MANAGER", "ADMIN"] as const satisfies readonly Role[];

const FRESH_MS = 60_000;

export const meQuery = {
  ...$api.queryOptions("get", "/api/auth/me"),
  staleTime: FRESH_MS,
  // In another tab somebody else may have signed in meanwhile.
  refetchOnWindowFocus: "always",
} as const;

export const useMe = (): Me => useSuspenseQuery(meQuery).data;

/** Begins anew where it is somebody else now: nothing of who was here may stay. */
export function useSamePerson(): void {
  const { id } = useMe();
  const [first] = useState(id);
  useEffect(() => {
    if (id !== first) window.location.reload();
  }, [id, first]);
}
