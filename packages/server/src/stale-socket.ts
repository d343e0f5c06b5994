import { lstat, unlink } from "node:fs/promises";
import net from "node:net";

/**
 * Removes the file of a Unix socket whose server has ended without doing so, as one that was killed. A
 * socket on which somebody answers, and a file that is no socket, stay as they are.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if ((await isSocket(path)) && (await isRefused(path))) await unlink(path);
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSocket();
  } catch {
    // It does not exist, which is as usual, or is none of ours; to listen will tell.
    return false;
  }
}

/** Tells whether nobody listens: any other answer, a denied permission too, comes from somebody. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });
}
