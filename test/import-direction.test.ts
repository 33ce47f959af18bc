// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { explainWrong, findWrongImports, readImports } from '../scripts/import-rule.ts'

const server = 'packages/server/src'

/** What must never be imported: the file, its statement, and the words that say why. */
const wrong: readonly (readonly [string, string, RegExp])[] = [
  [
    `packages/core/src/digest.ts`,
    `import { createHash } from 'node:crypto'`,
    /core imports only its own files/,
  ],
  [`packages/core/src/digest.ts`, `import { z } from 'zod'`, /core imports only its own files/],
  [`packages/core/src/digest.ts`, `import { a } from '../../server/src/main.ts'`, /leaves the package/],
  [`packages/server/src/main.ts`, `import { run } from '@holdfast/cli'`, /only packages\/cli/],
  [
    `packages/cli/src/main.ts`,
    `import { runServerCommand } from '@holdfast/server/command'`,
    /one dynamic import/,
  ],
  [`packages/cli/src/main.ts`, `const m = await import('@holdfast/server')`, /one dynamic import/],
  [`packages/cli/src/command/verify.ts`, `await import('@holdfast/server/command')`, /one dynamic import/],
  [
    `${server}/flow/publish.ts`,
    `import { authorize } from '../identity/authorize.ts'`,
    /past the door identity/,
  ],
  [`${server}/main.ts`, `import { sqlite } from './store/sql/sqlite.ts'`, /past the door store\/sql/],
  [`${server}/flow/publish.ts`, `export { answer } from '../http/index.ts'`, /flow does not import http/],
  [`${server}/flow/publish.ts`, `import { readConfig } from '../main.ts'`, /flow does not import main/],
  [
    `${server}/web/home.ts`,
    `import { packument } from '../protocol/npm/index.ts'`,
    /web does not import protocol/,
  ],
  [
    `${server}/protocol/npm/route.ts`,
    `import { openStore } from '../../store/sql/index.ts'`,
    /only main.ts names/,
  ],
  [`${server}/store/sql/event.ts`, `import { authorize } from '../../identity/index.ts'`, /port types only/],
  [
    `${server}/identity/grant.ts`,
    `import { inspect } from '../integrity/index.ts'`,
    /identity does not import integrity/,
  ],
  [
    `${server}/incident/freeze.ts`,
    `import type { Token } from '../identity/index.ts'`,
    /incident does not import/,
  ],
  [
    `${server}/incident/freeze.ts`,
    `import { Grant } from '../identity/index.ts'`,
    /incident does not import/,
  ],
  [`${server}/catalog/gate.ts`, `import { publish } from '../flow/index.ts'`, /catalog does not import flow/],
  [`${server}/ports.ts`, `import { gate } from './catalog/index.ts'`, /types only/],
  [`${server}/common/thing.ts`, `import { gate } from '../catalog/index.ts'`, /no place in the import rules/],
]

const right: readonly (readonly [string, string])[] = [
  [`packages/cli/src/main.ts`, `await import('@holdfast/server/command')`],
  [`${server}/flow/publish.ts`, `import {\n  authorize,\n  type Grant,\n} from '../identity/index.ts'`],
  [`${server}/incident/freeze.ts`, `import type { Actor, Grant } from '../identity/index.ts'`],
  [`${server}/store/sql/event.ts`, `import { type Actor } from '../../identity/index.ts'`],
  [`${server}/flow/publish.test.ts`, `import { authorize } from '../identity/authorize.ts'`],
  [`${server}/command/serve.ts`, `await import('../main.ts')`],
  [
    `${server}/catalog/gate.ts`,
    `// import { publish } from '../flow/index.ts'\nimport { a } from './port.ts'`,
  ],
]

test('every import of the three packages points inwards, through a door', async () => {
  assert.deepEqual(await findWrongImports(join(import.meta.dirname, '..')), [])
})

test('each wrong direction is noticed', () => {
  for (const [file, text, why] of wrong) {
    assert.match(readImports(file, text).map(explainWrong).join(), why, `${file}: ${text}`)
  }
})

test('what the rules allow is let through', () => {
  for (const [file, text] of right) {
    const imports = readImports(file, text)
    assert.deepEqual(imports.map(explainWrong), [undefined], `${file}: ${text}`)
  }
})
