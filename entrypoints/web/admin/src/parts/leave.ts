import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";

import { leaving } from "../api/session";

/** Where a person has ended the session: to the sign-in; nothing of who was here stays. */
export function useLeave(): () => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  return async () => {
    leaving.set(true);
    await router.navigate({ to: "/sign-in", ignoreBlocker: true });
    // Not before: the page that one leaves would ask for everything again.
    queries.clear();
    leaving.set(false);
  };
}
