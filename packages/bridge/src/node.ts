export { fromNode, type NodeHandler } from "./node/from-node.ts";
