// Runs flows of refreshing against a server: node tokens.mjs BASE USERNAME PASSWORD ACCESS_LIFETIME_SECONDS EXPIRIES [FLOW…]
// A line for each flow says how it went; the exit code is that of the worst.
import { setTimeout as sleep } from "node:timers/promises";
import { authJs } from "./flows/auth-js.mjs";
import { interceptor } from "./flows/interceptor.mjs";
import { lostAnswer } from "./flows/lost-answer.mjs";
import { twoTabs } from "./flows/two-tabs.mjs";

const FLOWS = {
  "interceptor-keeps-the-first": interceptor(false),
  "interceptor-stores-the-new": interceptor(true),
  "two-tabs": twoTabs,
  "auth-js": authJs,
  "lost-answer": lostAnswer,
};

const [base, username, password, lifetime, expiries, ...chosen] = process.argv.slice(2);
const setting = {
  base,
  credentials: { username, password },
  expiries: Number(expiries),
  // A token's times are whole seconds, so it is over a second later at the latest.
  expiry: () => sleep(Number(lifetime) * 1000 + 1100),
};
const names = chosen.length > 0 ? chosen : Object.keys(FLOWS);
const outcomes = await Promise.allSettled(names.map((name) => FLOWS[name](setting)));
outcomes.forEach(({ status, reason }, at) => {
  const how = status === "fulfilled" ? `alive after ${expiries} expiries` : `dead: ${reason?.message ?? reason}`;
  console.log(`${names[at]}: ${how}`);
});
process.exit(outcomes.some(({ status }) => status === "rejected") ? 1 : 0);
