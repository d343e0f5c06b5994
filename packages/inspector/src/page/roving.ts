/**
 * Moves the focus with the arrow keys among the elements of a group that have `data-roving`, so that the
 * group is one stop for Tab.
 *
 * @param keys - which keys lead to the one before and the one after
 * @returns what handles a key
 */
export function roving(before: string, after: string): (event: KeyboardEvent) => void {
  return function move(event) {
    const group = event.currentTarget as HTMLElement;
    const items = [...group.querySelectorAll<HTMLElement>("[data-roving]")];
    const place = items.indexOf(event.target as HTMLElement);
    if (place === -1) return;
    const targets: Readonly<Record<string, number>> = {
      [before]: Math.max(0, place - 1),
      [after]: Math.min(items.length - 1, place + 1),
      Home: 0,
      End: items.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    items[target]!.focus();
  };
}
