// SPDX-License-Identifier: Apache-2.0
/** Where a publish can be interrupted, in the order in which it comes there. */
export const points = [
  'blob:written',
  'blob:synced',
  'blob:renamed',
  'commit:before',
  'commit:begun',
  'commit:worked',
  'commit:after',
  'log:placed',
  'log:written',
  'log:signed',
  'log:cosigned',
  'log:published',
  'log:shown',
  'cursor:before',
  'cursor:after',
] as const

/** One of them. */
export type Point = (typeof points)[number]
