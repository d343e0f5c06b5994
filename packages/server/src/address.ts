import { show } from "@wsgi/core";

/** Says where to listen. */
export interface AddressOptions {
  /** The name or address to listen on. Default: `"127.0.0.1"`, which only this machine reaches. */
  host?: string;
  /** The port, 0 to 65,535; 0 takes a free one. Default: 8000. */
  port?: number;
  /**
   * The path of a Unix socket to listen on, in place of host and port. One that a server has left there
   * is replaced, if nobody answers on it.
   */
  path?: string;
}

/** Is where a server listens. */
export type Address = { host: string; port: number } | { path: string };

/** @throws TypeError or RangeError for what is no address */
export function readAddress({ host, port, path }: AddressOptions): Address {
  if (path !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new TypeError("Cannot serve: both path and host or port are given; wanted one address");
    }
    if (typeof path !== "string" || path === "") {
      throw new TypeError(`Cannot serve: path is ${show(path)}; wanted the path of a Unix socket`);
    }
    return { path };
  }
  const address = { host: host ?? "127.0.0.1", port: port ?? 8000 };
  if (typeof address.host !== "string" || address.host === "") {
    throw new TypeError(`Cannot serve: host is ${show(host)}; wanted a name or an address`);
  }
  if (!Number.isInteger(address.port) || address.port < 0 || address.port > 65_535) {
    throw new RangeError(
      `Cannot serve: port is ${show(port)}; wanted a whole number from 0 to 65535`,
    );
  }
  return address;
}

/** Writes a host for a URL; an address that stands for every interface is not one to open. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Says what is wrong with an address that cannot be listened on, and what to do. */
export function explain({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "the address is in use; stop its server or choose another port";
  if (code === "EACCES")
    return "permission was denied; choose a port from 1024 upwards, or another path";
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return "this machine has no such address; wanted one of its own, 127.0.0.1";
  }
  return message;
}
