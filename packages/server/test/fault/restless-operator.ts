// SPDX-License-Identifier: Apache-2.0
/** An operator at the command line of a running instance, who changes their mind until somebody ends them. */
import { flushCompileCache } from 'node:module'
import type { PackageName, Version } from '@holdfast/core'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts } from '../../src/main.ts'
import { configIn } from '../live.ts'

const [folder = '', name = ''] = process.argv.slice(2)
const { ports } = await openPorts(configIn(folder))
const subject = { name: name as PackageName, version: '1.0.0' as Version }
const reason = { code: 'other', words: 'of two minds' } as const
const { status } = (await ports.store.catalog.findVersion(subject.name, subject.version)) ?? {}
if (status === 'yanked') await takeMeasure(ports, operator, 'unyank', subject, reason)
flushCompileCache()
process.send?.('ready')
for (;;) {
  await takeMeasure(ports, operator, 'yank', subject, reason)
  await takeMeasure(ports, operator, 'unyank', subject, reason)
}
