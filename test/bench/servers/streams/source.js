/** Reads the parameters of a target. */
export function query(target) {
  return Object.fromEntries(new URLSearchParams(target.slice(target.indexOf("?"))));
}

/** Yields so many bytes, in blocks of a size; the same block again and again. */
export function* pieces(bytes, size) {
  const block = Buffer.alloc(size, "x");
  for (let left = bytes; left > 0; left -= size)
    yield left < size ? block.subarray(0, left) : block;
}
