// SPDX-License-Identifier: Apache-2.0

/** The word that was likely meant by a mistyped one: at most two slips away (one in a short word), a swap of neighbours being one. */
export function findNearestWord(typed: string, words: Iterable<string>): string | undefined {
  if (typed.length > longestTyped) return undefined
  let [nearest, least]: [string | undefined, number] = [undefined, typed.length < 5 ? 2 : 3]
  for (const word of words) {
    const slips = countSlips(typed, word)
    if (slips < least) [nearest, least] = [word, slips]
  }
  return nearest
}

const longestTyped = 50

/** The optimal string alignment distance. */
function countSlips(one: string, other: string): number {
  let before: readonly number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row++) {
    const line = [row]
    for (let at = 1; at <= other.length; at++) {
      const isSame = one[row - 1] === other[at - 1]
      const isSwap = one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1]
      line[at] = Math.min(
        (last[at] ?? 0) + 1,
        (line[at - 1] ?? 0) + 1,
        (last[at - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (before[at - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    ;[before, last] = [last, line]
  }
  return last[other.length] ?? 0
}
