/** A field whose words go into the address as soon as the typing pauses. */
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";

const PAUSE_MS = 300;

/**
 * What stands in the field, and how to change it. `asked` is what the address says: where that has
 * changed by another way (back, the menu, a link), the field says it too.
 */
export function useTyped(
  asked: string,
  ask: (words: string) => void,
): [typed: string, type: (words: string) => void] {
  const [typed, setTyped] = useState(asked);
  const known = useRef(asked);
  const tell = useDebouncedCallback((words: string) => {
    known.current = words;
    ask(words);
  }, PAUSE_MS);
  useEffect(() => {
    if (asked === known.current) return;
    known.current = asked;
    tell.cancel();
    setTyped(asked);
  }, [asked, tell]);
  return [
    typed,
    (words) => {
      setTyped(words);
      tell(words.trim());
    },
  ];
}
