// A WebSocket begins as a request, which goes through the layers like any other. An application that takes
// the connection over owns it from then on; the library ws speaks the protocol on it.
//
//   node examples/dist/16-websockets.js

import { stack, type Application } from "@wsgi/core";
import { accessLog } from "@wsgi/middleware/access-log";
import { serve, untilStopped, upgradeKey, type UpgradeEnviron } from "@wsgi/server";
import { WebSocketServer } from "ws";

const sockets = new WebSocketServer({ noServer: true });

const shout: Application<UpgradeEnviron> = (environ, startResponse) => {
  const upgrade = environ[upgradeKey];
  if (upgrade === undefined || environ.HTTP_UPGRADE?.toLowerCase() !== "websocket") {
    startResponse("426 Upgrade Required", [["Content-Type", "text/plain"]]);
    return ["Come back with a WebSocket\n"];
  }
  const { req, socket, head } = upgrade(environ);
  sockets.handleUpgrade(req, socket, head, (client) => {
    client.on("message", (text) => client.send(`${String(text).toUpperCase()}!`));
  });
  // Nobody is sent this, but the layers look at it.
  startResponse("200 OK", [["X-Protocol", "websocket"]]);
  return [];
};

const server = await serve(stack(accessLog({ format: "common" }))(shout), {
  host: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  upgrade: true, // without it nothing but requests and responses
});
console.log(`Serving on ${server.url}`);

// An open WebSocket is a request under way: it has this long to end when the server is stopped.
process.exit(await untilStopped(server, { timeout: 5_000 }));
