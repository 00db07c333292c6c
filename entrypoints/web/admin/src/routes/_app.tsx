/** Everything behind the sign-in: the menu, the banners, the live connection. */
import { createFileRoute, redirect } from "@tanstack/react-router";

import { meQuery } from "../api/me";
import { Problem } from "../api/problem";
import { BrokenAlone } from "../parts/Trouble";
import { Shell } from "../shell/Shell";

export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context, location }) => {
    try {
      // Where it fails, parts/Trouble.tsx says so and tries again.
      await context.queries.ensureQueryData({ ...meQuery, retry: false });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      throw redirect({ to: "/sign-in", search: { next: location.href } });
    }
  },
  component: Shell,
  errorComponent: BrokenAlone,
});
