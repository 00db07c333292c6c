import { expect, test } from "vitest";

import { renewed } from "./renewal";

const page = (...ids: number[]) => ({
  items: ids.map((id) => ({ id })),
  nextCursor: `after ${ids.at(-1)}`,
});
const known = { pages: [page(9, 8, 7), page(6, 5, 4), page(3, 2)], pageParams: [null, "7", "4"] };
const told = (first: number[], changed: number[] = []) =>
  renewed(known, page(...first), new Set(changed))?.pages.map(({ items }) =>
    items.map(({ id }) => id),
  );

test.each([
  [
    "a new row",
    [10, 9, 8],
    [
      [10, 9, 8, 7],
      [6, 5, 4],
      [3, 2],
    ],
  ],
  ["an old row that came up (a chat)", [2, 9, 8], [[2, 9, 8, 7], [6, 5, 4], [3]]],
  [
    "a row that is no longer in the list",
    [9, 7, 6],
    [
      [9, 7, 6],
      [5, 4],
      [3, 2],
    ],
  ],
  ["more than a page of new rows", [12, 11, 10], undefined],
])("%s", (_, first, pages) => {
  expect(told(first)).toEqual(pages);
});

test("a change further down is not in the first page", () => {
  expect(told([9, 8, 7], [8])).toBeDefined();
  expect(told([9, 8, 7], [5])).toBeUndefined();
});
