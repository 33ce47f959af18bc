// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'

/**
 * That something holds for each of these values. A run that the time limit leaves behind has ended when this resolves: it
 * would go on changing things under the next test.
 */
export async function holds<T>(
  values: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
  limits: fc.Parameters<[T]>,
): Promise<void> {
  let running = Promise.resolve()
  const property = fc.asyncProperty(values, value => {
    running = check(value)
    return running
  })
  await fc.assert(property, limits)
  await running
}
