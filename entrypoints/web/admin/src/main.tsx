import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "mantine-datatable/styles.css";
import "./style.css";
import "./media.css";

import { MantineProvider } from "@mantine/core";
import { ModalsProvider, modals } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { StrictMode, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { useTranslation } from "react-i18next";

import { followFiles } from "./api/files";
import { makeQueries } from "./api/queries";
import { start } from "./i18n";
import { Rows } from "./parts/more";
import { Broken } from "./parts/Trouble";
import { routeTree } from "./routeTree.gen";
import { makeTheme, variables } from "./theme";

const SHOW_PENDING_MS = 200;

const queries = makeQueries();

const router = createRouter({
  routeTree,
  basepath: "/admin",
  context: { queries },
  defaultPreload: "intent",
  // Query keeps what was fetched; the router asks it each time.
  defaultPreloadStaleTime: 0,
  defaultPendingComponent: Rows,
  defaultPendingMs: SHOW_PENDING_MS,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
  // What no page asks for in its address is left out of it.
  search: { strict: true },
});
// A question is about the page that asks it.
router.subscribe("onBeforeNavigate", ({ pathChanged }) => {
  if (pathChanged) modals.closeAll();
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function App() {
  const { t } = useTranslation();
  const theme = useMemo(() => makeTheme(t), [t]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ModalsProvider>
          <Notifications position="top-right" />
          <RouterProvider router={router} />
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

followFiles();
// No await at the top: all other files import this one's, and would wait for it.
void start().then(() =>
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  ),
);
