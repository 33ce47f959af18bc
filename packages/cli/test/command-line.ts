// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { after } from 'node:test'
import { type Ended, openHost, type Settings } from '../../server/test/host.ts'

/**
 * `holdfast …` in a home of its own, where no setting of this machine reaches it: for tests of what commands do and print. It is
 * there until the tests of the file end.
 */
export function openCommandLine(home: string): (settings: Settings, ...words: string[]) => Promise<Ended> {
  const host = openHost({
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(home, 'compile-cache'),
  })
  after(() => host.close())
  return (settings, ...words) => host.run(home, settings, words)
}
