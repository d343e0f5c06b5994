import { createHook } from "node:async_hooks";

/** Counts the promises that a synchronous function creates, its own and those of what it calls. */
export function countPromises(act: () => void): number {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "PROMISE") count += 1;
    },
  });
  hook.enable();
  try {
    act();
  } finally {
    hook.disable();
  }
  return count;
}
