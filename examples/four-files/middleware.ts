import { mapBody, ResponseHeaders, when, type Middleware } from "@wsgi/core";

/**
 * Adds a message to what the application answers. To its server it is an application: it is called with
 * a request and returns a body. To its application it is a server: it calls it and takes its answer.
 */
export function addMessage(message: string): Middleware {
  return function addMessage(app) {
    return function addMessage(environ, startResponse) {
      const body = app(environ, (status, headers, excInfo) => {
        // The body grows, so a length that the application has declared is not right any more.
        const { list } = new ResponseHeaders(headers).delete("Content-Length");
        return startResponse(status, list, excInfo);
      });
      return when(body, (chunks) => mapBody(chunks, { end: () => message }));
    };
  };
}
