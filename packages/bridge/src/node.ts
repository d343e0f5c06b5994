export {
  toFastify,
  toKoa,
  type FastifyReply,
  type FastifyScope,
  type KoaContext,
} from "./node/frameworks.ts";
export {
  fromConnect,
  nodeRequestKey,
  type ConnectMiddleware,
  type NodeRequestEnviron,
} from "./node/from-connect.ts";
export { fromNode, type NodeHandler } from "./node/from-node.ts";
export { toNode, type ToNodeOptions } from "./node/to-node.ts";
