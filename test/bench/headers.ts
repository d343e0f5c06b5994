// What clients send besides Host.

/** Is what Chrome sends when a page is opened; with Host, 15 fields. */
export const browser: Readonly<Record<string, string>> = {
  Connection: "keep-alive",
  "sec-ch-ua": '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
  "sec-ch-ua-mobile": "?0",
  "sec-ch-ua-platform": '"Linux"',
  "Upgrade-Insecure-Requests": "1",
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  Accept:
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-User": "?1",
  "Sec-Fetch-Dest": "document",
  Referer: "http://127.0.0.1/articles/2026",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
};

/** Is the same through a proxy and with cookies; with Host, 20 fields. */
export const proxied: Readonly<Record<string, string>> = {
  ...browser,
  Cookie: "session=0123456789abcdef0123456789abcdef; theme=dark; visits=41",
  "X-Forwarded-For": "203.0.113.7",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "www.example.com",
  "X-Request-Start": "1763725200000",
};

/** Is what a small client sends; with Host, 2 fields. */
export const small: Readonly<Record<string, string>> = { Accept: "*/*" };

/** Is what a program sends to an API; with Host, 10 fields. */
export const program: Readonly<Record<string, string>> = {
  Connection: "keep-alive",
  "User-Agent": "benchmark/1.0",
  Accept: "application/json, text/plain;q=0.9, */*;q=0.5",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en",
  "Cache-Control": "no-cache",
  Cookie: "session=0123456789abcdef0123456789abcdef; theme=dark; visits=41",
  Referer: "http://127.0.0.1/articles/2026",
  "X-Forwarded-For": "203.0.113.7",
};

/** Writes the head of a request out. */
export function headText(
  path: string,
  headers: Readonly<Record<string, string>>,
  host = "127.0.0.1:8000",
): string {
  const lines = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
