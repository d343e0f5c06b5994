/**
 * Is the key under which an application that hosts a handler for node's requests has that handler. A server
 * with requests of node's may call it in the place of the application, where nothing is around that.
 *
 * @see SPEC.md [ext-node-handler]
 */
export const nodeHandlerKey: unique symbol = Symbol.for("wsgi.node_handler") as never;
