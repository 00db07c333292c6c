/** Sign in, then back to where one was. */
import { Center, Paper } from "@mantine/core";
import { createFileRoute, redirect, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api } from "../api/client";
import { meQuery } from "../api/me";
import { useTitle } from "../parts/Page";
import { SignInForm } from "../shell/SignInForm";

export const Route = createFileRoute("/sign-in")({
  validateSearch: ({ next }): { next?: string } => (isOurs(next) ? { next } : {}),
  beforeLoad: async ({ context, search: { next } }) => {
    // Who was refused on the way here has been asked already.
    if (context.queries.getQueryState(meQuery.queryKey)?.status === "error") return;
    const isSignedIn = await api.GET("/api/auth/me").then(
      () => true,
      () => false,
    );
    if (isSignedIn) throw redirect({ href: hrefOf(next), replace: true });
  },
  component: SignIn,
});

/** A path of ours: not another host's, which begins with two slashes or a slash and a backslash. */
function isOurs(next: unknown): next is string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next);
}

const hrefOf = (next = "/"): string => `/admin${next}`;

function SignIn() {
  const { t } = useTranslation("signIn");
  useTitle(t("title"));
  const { next } = Route.useSearch();
  const { history } = useRouter();
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={400}>
        <SignInForm
          hint={
            <details>
              <summary>{t("firstTitle")}</summary>
              {t("first")}
            </details>
          }
          onSignedIn={() => history.replace(hrefOf(next))}
        />
      </Paper>
    </Center>
  );
}
