import account from "./account.json";
import apiKeys from "./apiKeys.json";
import audit from "./audit.json";
import bots from "./bots.json";
import chats from "./chats.json";
import common from "./common.json";
import jobs from "./jobs.json";
import messages from "./messages.json";
import overview from "./overview.json";
import retries from "./retries.json";
import settings from "./settings.json";
import signIn from "./signIn.json";
import statistics from "./statistics.json";
import users from "./users.json";

/** What the API says, by its English sentence. */
export { default as said } from "./said.json";

export default {
  account,
  apiKeys,
  audit,
  bots,
  chats,
  common,
  jobs,
  messages,
  overview,
  retries,
  settings,
  signIn,
  statistics,
  users,
};
