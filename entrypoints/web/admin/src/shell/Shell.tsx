import { Alert, Anchor, AppShell, Burger, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { CircleUser, LogOut, Unplug } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";
import { useApiAway } from "../api/connection";
import { listen, useLive } from "../api/live";
import { useMe } from "../api/me";
import { Forbidden } from "../parts/Trouble";
import { PAGES } from "./pages";

export function Shell() {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure();
  const queries = useQueryClient();
  const router = useRouter();
  useEffect(() => listen(queries), [queries]);
  useEffect(() => router.subscribe("onResolved", close), [router, close]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding="md"
    >
      <Anchor href="#page" className="skip">
        {t("skip")}
      </Anchor>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger
            opened={opened}
            onClick={toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={t("menu")}
            aria-expanded={opened}
          />
          <img src="/admin/favicon.svg" alt="" width={28} height={28} />
          <Text fw={700}>Kotodom GPT</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t("menu")}>
        <Menu />
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1}>
        <Banners />
        <Allowed />
      </AppShell.Main>
    </AppShell>
  );
}

/** The page, where one's role may see it. */
function Allowed() {
  const { role } = useMe();
  const { pathname } = useLocation();
  const page = PAGES.find(({ to }) => to !== "/" && pathname.startsWith(to));
  const allowed = page === undefined || (page.roles as readonly string[]).includes(role);
  return allowed ? <Outlet /> : <Forbidden />;
}

function Menu() {
  const { t } = useTranslation();
  const me = useMe();
  const queries = useQueryClient();
  const router = useRouter();
  const logout = $api.useMutation("post", "/api/auth/logout", {
    onSuccess: () => {
      queries.clear();
      return router.navigate({ to: "/sign-in" });
    },
  });
  const pages = PAGES.filter(({ roles }) => (roles as readonly string[]).includes(me.role));
  return (
    <>
      <AppShell.Section grow component={ScrollArea}>
        {pages.map(({ to, name, icon: Icon }) => (
          <NavLink
            key={to}
            label={t(`pages.${name}`)}
            leftSection={<Icon size={18} aria-hidden />}
            renderRoot={(props) => (
              <Link
                to={to}
                activeOptions={{ exact: to === "/" }}
                activeProps={{ "data-active": true }}
                {...props}
              />
            )}
          />
        ))}
      </AppShell.Section>
      <AppShell.Section>
        <NavLink
          label={t("pages.account")}
          description={me.email}
          leftSection={<CircleUser size={18} aria-hidden />}
          renderRoot={(props) => (
            <Link to="/account" activeProps={{ "data-active": true }} {...props} />
          )}
        />
        <NavLink
          component="button"
          label={t("signOut")}
          leftSection={<LogOut size={18} aria-hidden />}
          onClick={() => logout.mutate({})}
        />
      </AppShell.Section>
    </>
  );
}

function Banners() {
  const { t } = useTranslation();
  const apiAway = useApiAway();
  const live = useLive();
  if (apiAway) {
    return (
      <Alert color="red" icon={<Unplug />} mb="md" role="alert">
        {t("away")}
      </Alert>
    );
  }
  if (!live) {
    return (
      <Alert color="yellow" icon={<Unplug />} mb="md" role="status">
        {t("live.off")}
      </Alert>
    );
  }
  return null;
}
