// SPDX-License-Identifier: Apache-2.0
import type { Mirrors, Store } from '../ports.ts'

/** What is kept of upstreams, without asking them: for whoever looks at many packages, or at what somebody typed. */
export function keptMirrors(store: Store, now: number): Mirrors {
  const get: Mirrors['get'] = async (name, origin) => {
    const mirror = await store.mirrors.find(name)
    return mirror?.origin === origin ? { mirror, freshUntil: now, warning: 'stale' } : undefined
  }
  return { get, refresh: get }
}
