/** A form of what the API keeps, and what others change of it meanwhile. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

type Fields = { [name: string]: unknown };

/** What of `written` is otherwise than `before`: only that is sent, for the rest may have changed. */
export function differing<T extends object>(before: T, written: T): Partial<T> {
  const names = (Object.keys(written) as (keyof T)[]).filter(
    (name) => written[name] !== before[name],
  );
  return Object.fromEntries(names.map((name) => [name, written[name]])) as Partial<T>;
}

/** A field by its path, as a form names it, and what it is by now. */
type Changed = { path: string; value: unknown };

const isGroup = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/**
 * The fields that others have changed since `before`: those that nobody has written into here since,
 * and those that somebody has, and something else than the others.
 */
export function changedMeanwhile(
  before: Fields,
  written: Fields,
  now: Fields,
  prefix = "",
): { untouched: Changed[]; contested: Changed[] } {
  const untouched: Changed[] = [];
  const contested: Changed[] = [];
  for (const [name, value] of Object.entries(now)) {
    const path = `${prefix}${name}`;
    const [old, current] = [before[name], written[name]];
    if (isGroup(value) && isGroup(old) && isGroup(current)) {
      const within = changedMeanwhile(old, current, value, `${path}.`);
      untouched.push(...within.untouched);
      contested.push(...within.contested);
    } else if (value !== old && value !== current) {
      (current === old ? untouched : contested).push({ path, value });
    }
  }
  return { untouched, contested };
}

const at = (fields: Fields, path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => (isGroup(value) ? value[name] : value), fields);

/** What others made of fields that somebody is writing into: to be taken, or written over. */
type Theirs = ReadonlyMap<string, { value: unknown; words: string }>;

const NOTHING: Theirs = new Map();

type Options<Kept, Values> = Pick<UseFormInput<Values>, "validate"> & {
  /** Of secrets, by their fields' paths: only masks are known, and their fields begin empty. */
  masksOf?: (kept: Kept) => Record<string, string | null>;
  /** How a value of a field is told where it is no text of its own. */
  say?: (path: string, value: unknown) => string | undefined;
};

/**
 * A form of `fieldsOf(kept)`: when what is kept changes, the fields that nobody has touched follow,
 * and the others are changes of it as it is now, with a note where others changed them as well.
 * `keep` is to be called when the fields `sent` are saved: what was written while they were on their
 * way stays.
 */
export function useKeptForm<Kept, Values extends Fields>(
  kept: Kept,
  fieldsOf: (kept: Kept) => Values,
  { validate, masksOf, say }: Options<Kept, Values> = {},
): { form: UseFormReturnType<Values>; keep: (kept: Kept, sent: Values) => void } {
  const [theirs, setTheirs] = useState(NOTHING);
  const masks = useRef(masksOf?.(kept) ?? {});
  const form = useForm<Values>({
    initialValues: fieldsOf(kept),
    ...(validate ? { validate } : {}),
    // What is theirs is no change any more.
    onValuesChange: (values) =>
      setTheirs((all) => only(all, (path, { value }) => at(values, path) !== value)),
    enhanceGetInputProps: ({ field, form }) => ({
      // For every field, or one would lose its focus when its note comes.
      inputContainer: (input: React.ReactNode) => (
        <>
          {input}
          <Note
            words={theirs.get(field)?.words}
            onTake={() => form.setFieldValue(field, theirs.get(field)?.value as never)}
          />
        </>
      ),
    }),
  });
  /** What is contested by now. */
  const follow = (before: Values, kept: Kept): Theirs => {
    const now = fieldsOf(kept);
    const written = form.getValues();
    const { untouched, contested } = changedMeanwhile(before, written, now);
    for (const { path, value } of untouched) form.setFieldValue(path as never, value as never);
    // Unlike setInitialValues it forgets, too, which fields differed from what was kept before.
    form.resetDirty(now);
    const found = new Map(
      contested.map(({ path, value }) => [
        path,
        { value, words: say?.(path, value) ?? `${value}` },
      ]),
    );
    for (const [path, mask] of Object.entries(masksOf?.(kept) ?? {})) {
      const value = at(now, path);
      if (mask !== masks.current[path] && at(written, path) !== at(before, path)) {
        found.set(path, { value, words: mask ?? "" });
      }
      masks.current[path] = mask;
    }
    return found;
  };
  const onKept = useEffectEvent((now: Kept) => {
    const found = follow(form.getInitialValues(), now);
    const [written, fields] = [form.getValues(), fieldsOf(now)];
    setTheirs((all) =>
      only(new Map([...all, ...found]), (path, { value }) => {
        return value === at(fields, path) && value !== at(written, path);
      }),
    );
  });
  useEffect(() => onKept(kept), [kept]);
  return { form, keep: (now, sent) => setTheirs(follow(sent, now)) };
}

function only(all: Theirs, isWanted: (path: string, their: { value: unknown }) => boolean): Theirs {
  const wanted = [...all].filter(([path, their]) => isWanted(path, their));
  return wanted.length === all.size ? all : new Map(wanted);
}

/** Whoever saves after somebody else knows it; to save is to decide. */
function Note({ words, onTake }: { words: string | undefined; onTake: () => void }) {
  const { t } = useTranslation();
  if (words === undefined) return null;
  return (
    <Alert color="yellow" mt={4} p="xs" role="status">
      <Stack gap={4} align="flex-start">
        <Text size="sm" className="text" lineClamp={6}>
          {words === "" ? t("meanwhile.emptied") : t("meanwhile.changed", { value: words })}
        </Text>
        <Button size="compact-xs" variant="default" onClick={onTake}>
          {t("meanwhile.take")}
        </Button>
      </Stack>
    </Alert>
  );
}
