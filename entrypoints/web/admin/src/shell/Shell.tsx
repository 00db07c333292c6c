import {
  Alert,
  Anchor,
  AppShell,
  Burger,
  Group,
  NavLink,
  ScrollArea,
  Text,
  VisuallyHidden,
} from "@mantine/core";
import { useDisclosure, useMutationObserverTarget } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { CircleUser, LogOut, Unplug } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";
import { apiAway, watch } from "../api/connection";
import { listen, live } from "../api/live";
import { useMe, useSamePerson } from "../api/me";
import { sessionEnded } from "../api/session";
import { useLeave } from "../parts/leave";
import { Forbidden } from "../parts/Trouble";
import { mayLeave } from "../parts/unsaved";
import { PAGES } from "./pages";
import classes from "./Shell.module.css";
import { SignedOut } from "./SignedOut";

export function Shell() {
  const { t } = useTranslation();
  const [opened, { toggle, close }] = useDisclosure();
  const router = useRouter();
  const burger = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const page = useRef<HTMLElement>(null);
  const hasEnded = sessionEnded.useValue();
  useSamePerson();
  useFresh(!hasEnded);
  useEffect(
    () =>
      router.subscribe("onResolved", () => {
        const isFromMenu = opened || menu.current?.contains(document.activeElement);
        close();
        if (isFromMenu) page.current?.focus({ preventScroll: true });
      }),
    [opened, close, router],
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!opened || event.key !== "Escape") return;
    // What else Esc does is for the page beneath.
    event.stopPropagation();
    close();
    burger.current?.focus();
  };
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding="md"
      onKeyDown={onKeyDown}
    >
      <Anchor href="#page" className="skip">
        {t("skip")}
      </Anchor>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger
            ref={burger}
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
      <AppShell.Navbar
        ref={menu}
        p="xs"
        aria-label={t("menu")}
        className={classes.menu ?? ""}
        data-opened={opened || undefined}
      >
        <Menu />
      </AppShell.Navbar>
      <AppShell.Main id="page" ref={page} tabIndex={-1}>
        <Banners />
        <Allowed />
      </AppShell.Main>
      <Announced />
      {hasEnded && <SignedOut />}
    </AppShell>
  );
}

/** What is shown follows what happens, while somebody is signed in. */
function useFresh(isSignedIn: boolean): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!isSignedIn) return;
    const ends = [listen(queries), watch()];
    return () => {
      for (const end of ends) end();
    };
  }, [isSignedIn, queries]);
}

/** The name of the page that was opened, for those who hear it. */
function Announced() {
  const [title, setTitle] = useState("");
  useMutationObserverTarget(() => setTitle(document.title), { childList: true }, titleElement);
  return <VisuallyHidden aria-live="polite">{title}</VisuallyHidden>;
}

const titleElement = (): HTMLElement => document.querySelector("title")!;

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
  const leave = useLeave();
  const logout = $api.useMutation("post", "/api/auth/logout", {
    onSuccess: leave,
    onError: () => notifications.show({ message: t("notSignedOut"), color: "red" }),
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
          onClick={() => {
            if (mayLeave()) logout.mutate({});
          }}
        />
      </AppShell.Section>
    </>
  );
}

function Banners() {
  const { t } = useTranslation();
  const isAway = apiAway.useValue();
  const isLive = live.useValue();
  if (isAway) {
    return (
      <Alert color="red" icon={<Unplug />} mb="md" role="alert">
        {t("away")}
      </Alert>
    );
  }
  if (!isLive) {
    return (
      <Alert color="yellow" icon={<Unplug />} mb="md" role="status">
        {t("live.off")}
      </Alert>
    );
  }
  return null;
}
