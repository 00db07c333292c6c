import { expect, test } from "vitest";

import { paths } from "../../../../../openapi.json";
import { actions } from "../../../i18n/en/audit.json";

const UNSAFE = ["post", "put", "patch", "delete"];

/** Of no operation: a code that was sent to the alerts' bot, and a request that no route takes. */
const OTHERS = ["linkAlertsByCode", "none"];

// Russian has whatever English has: i18n/texts.test.ts.
test("every change that the API takes has its words", () => {
  const operations = Object.entries(paths)
    .filter(([path]) => path.startsWith("/api/"))
    .flatMap(([, methods]) => Object.entries(methods))
    .filter(([method]) => UNSAFE.includes(method))
    .map(([, { operationId }]) => operationId);
  expect(Object.keys(actions).toSorted()).toEqual([...operations, ...OTHERS].toSorted());
});
