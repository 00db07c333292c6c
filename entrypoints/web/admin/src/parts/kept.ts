/** A form of what the API keeps, and what others change of it meanwhile. */
import { useEffect, useEffectEvent } from "react";

type Fields = { [name: string]: unknown };

const isGroup = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/**
 * The fields that nobody has written into since `before`, where they are others `now`; with their
 * paths, as a form names them.
 */
export function untouched(
  before: Fields,
  written: Fields,
  now: Fields,
  prefix = "",
): [path: string, value: unknown][] {
  return Object.entries(now).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    const [old, current] = [before[name], written[name]];
    if (isGroup(value) && isGroup(old) && isGroup(current)) {
      return untouched(old, current, value, `${path}.`);
    }
    return current === old && current !== value ? [[path, value] as [string, unknown]] : [];
  });
}

/** Of a form of Mantine's, what is wanted of it here. */
type Form<Values> = {
  getValues: () => Values;
  getInitialValues: () => Values;
  setFieldValue: (path: never, value: never) => void;
  resetDirty: (values: Values) => void;
};

/**
 * `form` is one of `fieldsOf(kept)`: when what is kept changes, the fields that nobody has touched
 * follow, and the others are changes of it as it is now. Returns what to call when the fields `sent`
 * are saved: what was written while they were on their way stays.
 */
export function useKept<Kept, Values extends Fields>(
  form: Form<Values>,
  kept: Kept,
  fieldsOf: (kept: Kept) => Values,
): (kept: Kept, sent: Values) => void {
  const follow = (before: Values, now: Values): void => {
    for (const [path, value] of untouched(before, form.getValues(), now)) {
      form.setFieldValue(path as never, value as never);
    }
    // Unlike setInitialValues it forgets, too, which fields differed from what was kept before.
    form.resetDirty(now);
  };
  const onKept = useEffectEvent((now: Kept) => follow(form.getInitialValues(), fieldsOf(now)));
  useEffect(() => onKept(kept), [kept]);
  return (now, sent) => follow(sent, fieldsOf(now));
}
