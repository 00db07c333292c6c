/**
 * What was said, oldest first. Only what is in sight is in the page, so that a chat of 100,000
 * messages scrolls as one of ten. It stays at the bottom where it was there; what comes above or
 * below moves nothing that is being read.
 */
import { Button, Center, Skeleton, Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import {
  useEffect,
  useEffectEvent,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";

import { BeingSent, Bubble } from "./-Bubble";
import classes from "./-chats.module.css";
import type { History } from "./-history";
import { Day } from "./-moments";
import { type Row, rowsOf } from "./-rows";
import { isolated } from "./-steady";
import type { Sent } from "./-waiting";

const GUESS_PX = 92;
/** Above the first row: that there is more, or that it all began here. Always as tall. */
const ABOVE_PX = 48;
/** So near the end counts as being there. */
const NEAR_PX = 48;
/** Older messages are asked for when so many rows are left above. */
const AHEAD = 15;

type Shown = { history: History; waiting: Sent[]; name: string };

export function Conversation({ history, waiting, name }: Shown) {
  const { t } = useTranslation("chats");
  const { messages, hasOlder, isAsking, failed, askOlder, freshFrom } = history;
  const rows = useMemo(() => rowsOf(messages, waiting, !hasOlder), [messages, waiting, hasOlder]);
  const scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESS_PX,
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_PX,
    initialOffset: () => rows.length * GUESS_PX,
    paddingStart: ABOVE_PX,
    paddingEnd: 8,
    overscan: 8,
  });
  useLayoutEffect(() => list.scrollToEnd(), [list]);
  const onResize = useEffectEvent(() => {
    if (isAtEnd) list.scrollToEnd();
  });
  useEffect(() => {
    // A taller field or a bar below takes of the height, and would cover the end.
    const observer = new ResizeObserver(() => onResize());
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  const lastSent = waiting.at(-1)?.id;
  useEffect(() => {
    if (lastSent !== undefined) list.scrollToEnd();
  }, [list, lastSent]);

  // This works the range out anew: that of before is not of these rows, once older ones have come.
  const lines = list.getVirtualItems();
  const isNearTop = (list.range?.startIndex ?? AHEAD) < AHEAD;
  useEffect(() => {
    if (isNearTop && hasOlder && !isAsking && !failed) void askOlder();
  }, [isNearTop, hasOlder, isAsking, failed, askOlder]);

  const newest = messages.at(-1)?.id ?? 0;
  const [seen, setSeen] = useState(newest);
  if (isAtEnd && seen !== newest) setSeen(newest);
  return (
    <div className={classes.stage}>
      <section
        ref={scroller}
        className={classes.scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard must reach it
        tabIndex={0}
        aria-label={t("said", { name: isolated(name) })}
        // The router would give it the place of the conversation one comes from.
        data-scroll-restoration-id={useId()}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight <= NEAR_PX)
        }
      >
        <div className={classes.tall} style={{ height: list.getTotalSize() }}>
          <Center h={ABOVE_PX}>
            {failed ? (
              <Button size="compact-sm" variant="light" color="red" onClick={() => void askOlder()}>
                {t("olderFailed")}
              </Button>
            ) : hasOlder ? (
              <Skeleton height={20} width="60%" role="img" aria-label={t("older")} />
            ) : (
              <Text size="sm" c="dimmed">
                {t(rows.length > 0 ? "began" : "nothingSaid")}
              </Text>
            )}
          </Center>
          <ol className={classes.items}>
            {lines.map(({ key, index, start }) => {
              const row = rows[index];
              return (
                row && (
                  <li
                    key={key}
                    data-index={index}
                    ref={list.measureElement}
                    className={classes.placed}
                    style={{ transform: `translateY(${start}px)` }}
                  >
                    <Line row={row} freshFrom={freshFrom} name={name} />
                  </li>
                )
              );
            })}
          </ol>
        </div>
      </section>
      <div className={classes.down} role="status">
        {!isAtEnd && (
          <Button
            size="xs"
            radius="xl"
            variant={newest > seen ? "filled" : "default"}
            leftSection={<ArrowDown size={14} aria-hidden />}
            onClick={() => list.scrollToEnd()}
          >
            {t(newest > seen ? "newMessages" : "toEnd")}
          </Button>
        )}
      </div>
    </div>
  );
}

function Line({ row, freshFrom, name }: { row: Row; freshFrom: number; name: string }) {
  switch (row.kind) {
    case "day":
      return (
        <Center py="xs">
          <Text size="xs" c="dimmed" fw={600}>
            <Day at={row.at} />
          </Text>
        </Center>
      );
    case "message":
      return <Bubble message={row.message} isFresh={row.message.id >= freshFrom} name={name} />;
    case "sent":
      return <BeingSent sent={row.sent} />;
  }
}
