import type { JSX } from "preact";

/** Is shown while there is no request. */
export function EmptyPage({ isLive }: { isLive: boolean }): JSX.Element {
  return (
    <main class="empty">
      <h2>{isLive ? "No requests yet" : "Looking for the server"}</h2>
      <p>
        Make a request, in another window or with <code>curl -i {location.origin}/</code>, and here
        you see what each layer did to it.
      </p>
    </main>
  );
}
