// SPDX-License-Identifier: Apache-2.0

/** Works on up to `atOnce` items side by side and gives the results in the order of the items. */
export async function* mapAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  for await (const item of items) {
    const started = work(item)
    // Awaited in its turn; until then a failure is not an unhandled one.
    started.catch(() => undefined)
    running.push(started)
    const first = running.length >= atOnce ? running.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const each of running) yield await each
}
