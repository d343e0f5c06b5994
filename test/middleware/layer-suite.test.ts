import { stack, type Middleware } from "@wsgi/core";
import { cookies } from "@wsgi/cookies";
import { accessLog } from "@wsgi/middleware/access-log";
import { append } from "@wsgi/middleware/append";
import { cascade } from "@wsgi/middleware/cascade";
import { catchErrors } from "@wsgi/middleware/catch-errors";
import { contentLength } from "@wsgi/middleware/content-length";
import { head } from "@wsgi/middleware/head";
import { mount } from "@wsgi/middleware/mount";
import { requestId } from "@wsgi/middleware/request-id";
import { when } from "@wsgi/middleware/when";
import { router } from "@wsgi/router";
import { respond } from "@wsgi/testing";
import { layerSuite } from "@wsgi/testing/layer-suite";

const destination = { write() {} };
const goodbye = (text: string): string => `${text}Goodbye!`;
const notFound = respond(["Not here"], { status: "404 Not Found" });
const same: Middleware = (app) => app;

layerSuite(same, { name: "no layer at all" });

layerSuite(accessLog({ destination }));

layerSuite(append("Goodbye!", { types: ["*"] }), { body: goodbye });

layerSuite((app) => cascade(notFound, app), { name: "cascade() to the second" });

const captured = "what it asks before the last is captured, until it is known whether it stands";

layerSuite((app) => cascade(app, notFound), {
  name: "cascade() to the first",
  except: {
    "layer-start": captured,
    "write-flush": captured,
    "write-as-yielded": captured,
    "write-full": captured,
  },
});

layerSuite(catchErrors());

layerSuite(contentLength());

layerSuite(head());

layerSuite(mount({ "/elsewhere": notFound }), { name: "mount() to the rest" });

layerSuite((app) => mount({ "/wiki": app }), { name: "mount() to a place", target: "/wiki/Home" });

layerSuite(requestId());

layerSuite(
  when(() => true, head()),
  { name: "when() with the layer" },
);

layerSuite(
  when(() => false, head()),
  { name: "when() without it" },
);

layerSuite(cookies());

layerSuite(
  (app) => {
    const routes = router();
    routes.all("/users/:id", app);
    return routes;
  },
  { name: "router()", target: "/users/1" },
);

layerSuite(router(), { name: "router() to the rest" });

layerSuite(
  stack(
    accessLog({ destination }),
    requestId(),
    catchErrors(),
    contentLength(),
    head(),
    append("Goodbye!", { types: ["*"] }),
    cookies(),
  ),
  { name: "a stack of all", body: goodbye },
);
