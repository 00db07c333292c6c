/** Every address that is no page. */
import { createFileRoute } from "@tanstack/react-router";

import { NotFound } from "../../parts/Trouble";

export const Route = createFileRoute("/_app/$")({ component: NotFound });
