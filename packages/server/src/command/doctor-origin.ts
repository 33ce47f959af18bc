// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at in the direction of upstream registries. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, openKeyFolder, openUpstream } from '../main.ts'
import type { Origin } from '../origin.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'

/** A check for each origin; one that says so where there is none. */
export function originChecks(config: Config): Check[] {
  const { origins = [] } = config
  if (origins.length === 0)
    return [
      {
        name: 'origins',
        look: async () => ok('origins', 'There is no upstream: this registry stands alone.'),
      },
    ]
  return origins.map(origin => ({ name: 'origins', look: () => checkOrigin(config, origin) }))
}

/** Throws `upstream-failed` where it cannot be asked. */
async function checkOrigin(config: Config, origin: Origin): Promise<Finding> {
  const { name, url } = origin
  const upstream = openUpstream(origin, { ...config, clock: Date.now })
  try {
    const keys = await upstream.listKeyIds()
    if (await isOurs(config, keys))
      return fail(
        'origins',
        `${name} (${url}) is this registry itself, and would wait for itself.`,
        'Name another address in `origins`, or `none`; one that was found at the first start is in the file `origin` of the data folder.',
      )
    if (keys.length > 0)
      return ok('origins', `${name} (${url}) answers, and signs with ${keys.length} key(s).`)
    return warn(
      'origins',
      `${name} (${url}) answers, but has no signing keys: what it says of a version is believed on its digest alone.`,
      'Nothing to do where that registry signs nothing; else check its address.',
    )
  } finally {
    upstream.close()
  }
}

async function isOurs({ keys: folder }: Config, keys: readonly string[]): Promise<boolean> {
  if (!existsSync(join(folder, 'npm.pem'))) return false
  return keys.includes((await openKeyFolder(folder)).keyId)
}
