/** The chats, the one with the latest message first; J and K go from one to the next. */
import { Skeleton, Stack } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { byCursor, items, type ListQuery } from "../../../api/pages";
import { Problem } from "../../../api/problem";
import { useBots } from "../../../parts/bots";
import { Empty } from "../../../parts/Empty";
import { GoButton } from "../../../parts/Go";
import { More, useLooking } from "../../../parts/more";
import { Refused } from "../../../parts/Trouble";
import { ChatRow, linkId } from "./-ChatRow";
import classes from "./-chats.module.css";
import { SEARCH_ID } from "./-Filters";
import { type Chat, steady } from "./-steady";

type Asked = { q: string | undefined; botId: number | undefined; openId: string | undefined };

const ROW_PX = 80;
const SKELETON_ROWS = [...Array(10).keys()];
/** The next page is asked for when so many rows are left below. */
const AHEAD = 10;

export function ChatList({ q, botId, openId }: Asked) {
  const { t } = useTranslation("chats");
  const params = { query: { ...(q && { q }), ...(botId !== undefined && { botId }) } };
  const query = $api.useInfiniteQuery("get", "/api/chats", { params }, byCursor);
  const looking = useLooking(query);
  if (looking) return <Waiting />;
  if (query.data === undefined) {
    return query.isPending ? (
      <Waiting />
    ) : (
      <Refused problem={Problem.in(query.error)} again={query.refetch} />
    );
  }
  const chats = items(query.data);
  if (chats.length > 0) return <Rows query={query} chats={chats} openId={openId} />;
  const isNarrowed = q !== undefined || botId !== undefined;
  return (
    <div className={classes.rows}>
      <Empty text={t(isNarrowed ? "nothingFound" : "noChats")}>
        {isNarrowed ? (
          <GoButton to="." search={{}} variant="light">
            {t("showAll")}
          </GoButton>
        ) : (
          <GoButton to="/bots" variant="light">
            {t("toBots")}
          </GoButton>
        )}
      </Empty>
      <More query={query} />
    </div>
  );
}

type Listed = { query: ListQuery<Chat>; chats: Chat[]; openId: string | undefined };

function Rows({ query, chats, openId }: Listed) {
  const { t } = useTranslation("chats");
  const navigate = useNavigate();
  const scroller = useRef<HTMLElement>(null);
  const [isAtTop, setAtTop] = useState(true);
  const shown = useSteady(chats, isAtTop);
  const names = new Map(useBots().map(({ id, name }) => [id, name]));
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => shown[index]?.id ?? index,
    // At the top a new chat comes into sight; further down it must not move what is read.
    anchorTo: isAtTop ? "start" : "end",
    overscan: 6,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const isRefused = query.error !== null;
  const isNearEnd = (rows.range?.endIndex ?? 0) >= shown.length - AHEAD;
  useEffect(() => {
    if (isNearEnd && hasNextPage && !isFetchingNextPage && !isRefused) void fetchNextPage();
  }, [isNearEnd, hasNextPage, isFetchingNextPage, isRefused, fetchNextPage]);

  const open = (index: number): void => {
    const chat = shown[index];
    if (chat === undefined || document.querySelector("[role=dialog], [role=menu]") !== null) return;
    rows.scrollToIndex(index);
    void navigate({
      to: "/chats/$chatId",
      params: { chatId: chat.id },
      search: true,
      replace: openId !== undefined,
    }).then(() => document.getElementById(linkId(chat))?.focus({ preventScroll: true }));
  };
  const at = shown.findIndex(({ id }) => id === openId);
  const focusSearch = (): void => document.getElementById(SEARCH_ID)?.focus();
  // By their place on the keyboard: the same keys in Russian.
  const physical = { usePhysicalKeys: true };
  useHotkeys([
    ["J", () => open(at + 1), physical],
    ["K", () => open(Math.max(at - 1, 0)), physical],
    ["/", focusSearch],
    ["shift+/", focusSearch],
    ["slash", focusSearch, physical],
  ]);
  return (
    <nav
      ref={scroller}
      className={classes.rows}
      aria-label={t("list")}
      // Another search begins at its top, whatever the router remembers.
      data-scroll-restoration-id={useId()}
      onScroll={({ currentTarget }) => setAtTop(currentTarget.scrollTop < ROW_PX / 2)}
    >
      <div className={classes.tall} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const chat = shown[index];
          return (
            chat && (
              <div
                key={key}
                className={classes.placed}
                style={{ transform: `translateY(${start}px)` }}
              >
                <ChatRow chat={chat} bot={names.get(chat.botId)} isOpen={chat.id === openId} />
              </div>
            )
          );
        })}
      </div>
      {isRefused && <More query={query} />}
      {isFetchingNextPage && <Skeleton height={ROW_PX - 8} my={4} />}
    </nav>
  );
}

/** The order changes only where nobody reads: at the top. */
function useSteady(chats: Chat[], isAtTop: boolean): Chat[] {
  const [shown, setShown] = useState(chats);
  const [seen, setSeen] = useState(chats);
  if (isAtTop) {
    if (!isSame(shown, chats)) setShown(chats);
  } else if (!isSame(seen, chats)) {
    setSeen(chats);
    setShown(steady(shown, chats));
  }
  return shown;
}

/** Query keeps what has not changed. */
function isSame(one: readonly Chat[], other: readonly Chat[]): boolean {
  return one.length === other.length && one.every((chat, index) => chat === other[index]);
}

function Waiting() {
  return (
    <Stack gap="xs" aria-busy="true" flex={1} className={classes.rows}>
      {SKELETON_ROWS.map((row) => (
        <Skeleton key={row} height={ROW_PX - 8} />
      ))}
    </Stack>
  );
}
