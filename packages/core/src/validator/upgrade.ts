import type { Environ } from "../types.ts";
import type { Exchange } from "./exchange.ts";

const upgradeKey = "wsgix.upgrade";

type Upgrade = (environ: Environ) => unknown;

/** Stands before the function that takes a connection over, where the server offers it. */
export function watchUpgrade(exchange: Exchange): { [upgradeKey]?: Upgrade } {
  const upgrade = exchange.environ[upgradeKey] as Upgrade | undefined;
  if (upgrade === undefined) return {};
  let isTaken = false;
  const watched: Upgrade = (...args) => {
    checkTime(isTaken, exchange);
    isTaken = true;
    return upgrade(...args);
  };
  return { [upgradeKey]: watched };
}

function checkTime(isTaken: boolean, exchange: Exchange): void {
  const { written, bytes, ended, closed } = exchange;
  if (isTaken) {
    exchange.blame(
      "application",
      "ext-upgrade",
      "Cannot upgrade: the connection was taken before; wanted one call",
    );
  }
  if (written > 0 || bytes > 0 || ended || closed) {
    exchange.blame(
      "application",
      "ext-upgrade",
      "Cannot upgrade: the response has begun; wanted the call before its first byte",
    );
  }
}
