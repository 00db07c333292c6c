import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "mantine-datatable/styles.css";
import "./style.css";

import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { makeQueries } from "./api/queries";
import { start } from "./i18n";
import { Broken, NotFound } from "./parts/Trouble";
import { routeTree } from "./routeTree.gen";
import { theme, variables } from "./theme";

const queries = makeQueries(() => {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in") return;
  queries.clear();
  void router.navigate({ to: "/sign-in", search: { next: href } });
});

const router = createRouter({
  routeTree,
  basepath: "/admin",
  context: { queries },
  defaultPreload: "intent",
  // Query keeps what was fetched; the router asks it each time.
  defaultPreloadStaleTime: 0,
  defaultNotFoundComponent: NotFound,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

await start();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ModalsProvider>
          <Notifications position="top-right" />
          <RouterProvider router={router} />
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
