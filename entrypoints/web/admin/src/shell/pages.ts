/** The menu: each page, its icon, and the roles that see it. */
import {
  Activity,
  Bot,
  ChartColumn,
  Cog,
  House,
  KeyRound,
  ListChecks,
  type LucideIcon,
  MessagesSquare,
  ScrollText,
  Users,
} from "lucide-react";

import { ROLES, type Role } from "../api/me";

const from = (least: Role): readonly Role[] => ROLES.slice(ROLES.indexOf(least));

const EVERYBODY = from("USER");
const STAFF = from("MANAGER");
const ADMINS = from("ADMIN");

/** As domain/access.py decides; the API refuses what a page would show in vain. */
export const PAGES = [
  { to: "/", name: "overview", icon: House, roles: EVERYBODY },
  { to: "/bots", name: "bots", icon: Bot, roles: EVERYBODY },
  { to: "/chats", name: "chats", icon: MessagesSquare, roles: EVERYBODY },
  { to: "/messages", name: "messages", icon: ListChecks, roles: EVERYBODY },
  { to: "/jobs", name: "jobs", icon: Activity, roles: STAFF },
  { to: "/statistics", name: "statistics", icon: ChartColumn, roles: EVERYBODY },
  { to: "/settings", name: "settings", icon: Cog, roles: ADMINS },
  { to: "/users", name: "users", icon: Users, roles: ADMINS },
  { to: "/api-keys", name: "apiKeys", icon: KeyRound, roles: EVERYBODY },
  { to: "/audit", name: "audit", icon: ScrollText, roles: ADMINS },
] as const satisfies readonly {
  to: string;
  name: string;
  icon: LucideIcon;
  roles: readonly Role[];
}[];
