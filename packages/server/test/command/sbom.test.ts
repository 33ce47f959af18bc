// SPDX-License-Identifier: Apache-2.0
/** Bills of materials of real lock files, held against the schemas of their formats. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readText } from '../client/registry.ts'
import { assertValid } from '../schema.ts'
import { holdfast } from './command-line.ts'

const fixture = fileURLToPath(new URL('../fixture/', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'holdfast-sbom-'))
after(() => rm(folder, { recursive: true }))

// biome-ignore lint/suspicious/noExplicitAny: the schemas say what it is
async function sbom(place: string, format: 'cyclonedx' | 'spdx', ...more: string[]): Promise<any> {
  const { out, err, code } = await holdfast('sbom', place, '--format', format, ...more)
  assert.equal(code, 0, err)
  const bill = JSON.parse(out)
  assertValid(format, bill)
  return bill
}

test('a project of hundreds of packages has a valid bill in both formats, the same each time', async () => {
  const place = join(folder, 'project')
  await cp(join(fixture, 'project'), place, { recursive: true })
  const lock = JSON.parse(await readText(place, 'package-lock.json'))
  const [first, again] = [
    await sbom(place, 'cyclonedx', '--offline'),
    await sbom(place, 'cyclonedx', '--offline'),
  ]
  assert.deepEqual(first, again)
  const installed = new Set(
    Object.entries<{ version: string; name?: string }>(lock.packages)
      .filter(([path]) => path !== '')
      .map(
        ([path, { name, version }]) =>
          `${name ?? path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`,
      ),
  )
  assert.equal(first.components.length, installed.size)
  for (const { name, hashes, licenses } of first.components) {
    assert.match(hashes[0].content, /^[0-9a-f]{128}$/, name)
    assert.ok(licenses?.length > 0, name)
  }
  const refs = new Set([first.metadata.component, ...first.components].map(each => each['bom-ref']))
  for (const { ref, dependsOn } of first.dependencies)
    for (const each of [ref, ...dependsOn]) assert.ok(refs.has(each), each)
  const reached = new Set<string>()
  const walk = (ref: string): void => {
    if (reached.has(ref)) return
    reached.add(ref)
    for (const each of first.dependencies.find((entry: { ref: string }) => entry.ref === ref)?.dependsOn ??
      [])
      walk(each)
  }
  walk(first.metadata.component['bom-ref'])
  assert.equal(reached.size, refs.size, 'everything hangs on the project')
  const spdx = await sbom(place, 'spdx', '--offline')
  assert.equal(spdx.packages.length, installed.size + 1)
})

const digest = Buffer.alloc(64, 7)
const integrity = `sha512-${digest.toString('base64')}`
/** One dependency and one for development, as each manager locks them. */
const locks: Readonly<Record<string, string>> = {
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': {
        name: 'app',
        version: '1.0.0',
        dependencies: { '@acme/ui': '^1.0.0' },
        devDependencies: { tool: '*' },
      },
      'node_modules/@acme/ui': { version: '1.2.0', integrity },
      'node_modules/tool': { version: '2.0.0', integrity, dev: true },
    },
  }),
  'pnpm-lock.yaml': `lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      '@acme/ui':\n        specifier: ^1.0.0\n        version: 1.2.0\n    devDependencies:\n      tool:\n        specifier: '*'\n        version: 2.0.0\n\npackages:\n\n  '@acme/ui@1.2.0':\n    resolution: {integrity: ${integrity}}\n\n  tool@2.0.0:\n    resolution: {integrity: ${integrity}}\n\nsnapshots:\n\n  '@acme/ui@1.2.0': {}\n\n  tool@2.0.0: {}\n`,
  'yarn.lock': `# yarn lockfile v1\n\n\n"@acme/ui@^1.0.0":\n  version "1.2.0"\n  integrity ${integrity}\n\ntool@*:\n  version "2.0.0"\n  integrity ${integrity}\n`,
  'berry/yarn.lock': `__metadata:\n  version: 8\n\n"@acme/ui@npm:^1.0.0":\n  version: 1.2.0\n  resolution: "@acme/ui@npm:1.2.0"\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "app@workspace:."\n  dependencies:\n    "@acme/ui": "npm:^1.0.0"\n    tool: "npm:*"\n\n"tool@npm:*":\n  version: 2.0.0\n  resolution: "tool@npm:2.0.0"\n`,
  'bun.lock': `{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "app",\n      "dependencies": { "@acme/ui": "^1.0.0", },\n      "devDependencies": { "tool": "*", },\n    },\n  },\n  "packages": {\n    "@acme/ui": ["@acme/ui@1.2.0", "", {}, "${integrity}"],\n    "tool": ["tool@2.0.0", "", {}, "${integrity}"],\n  }\n}\n`,
}

test('lock files of every manager, with what only the registry knows: licences, digests, provenance', async () => {
  const manifestOf: Record<string, unknown> = {
    '/npm/@acme%2fui/1.2.0': {
      license: '(MIT OR Apache-2.0)',
      dist: {
        integrity,
        attestations: {
          url: 'https://registry.example/attestation',
          provenance: { predicateType: 'https://slsa.dev/provenance/v1' },
        },
      },
    },
    '/npm/tool/2.0.0': { license: 'SEE LICENSE IN ours', dist: { integrity } },
  }
  const server = createServer((request, response) => {
    const found = manifestOf[request.url ?? '']
    response
      .writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(found ?? {}))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`
  try {
    for (const [file, text] of Object.entries(locks)) {
      const place = await mkdtemp(join(folder, 'lock-'))
      const manifest = {
        name: 'app',
        version: '1.0.0',
        dependencies: { '@acme/ui': '^1.0.0' },
        devDependencies: { tool: '*' },
      }
      await writeFile(join(place, 'package.json'), JSON.stringify(manifest))
      await writeFile(join(place, file.split('/').at(-1) ?? ''), text)
      const bill = await sbom(place, 'cyclonedx', '--registry', registry)
      const [ui, tool] = bill.components
      assert.equal(ui.purl, 'pkg:npm/%40acme/ui@1.2.0', file)
      assert.deepEqual([ui.group, ui.name, ui.version, ui.scope], ['@acme', 'ui', '1.2.0', 'required'], file)
      assert.deepEqual(ui.hashes, [{ alg: 'SHA-512', content: digest.toString('hex') }], file)
      assert.deepEqual(ui.licenses, [{ expression: '(MIT OR Apache-2.0)' }], file)
      assert.ok(
        ui.externalReferences.some((each: { type: string }) => each.type === 'attestation'),
        file,
      )
      assert.deepEqual(
        [tool.scope, tool.licenses],
        ['excluded', [{ license: { name: 'SEE LICENSE IN ours' } }]],
        file,
      )
      assert.deepEqual(
        bill.dependencies[0].dependsOn,
        ['pkg:npm/%40acme/ui@1.2.0', 'pkg:npm/tool@2.0.0'],
        file,
      )
      const spdx = await sbom(place, 'spdx', '--registry', registry)
      const types = spdx.relationships.map((each: { relationshipType: string }) => each.relationshipType)
      assert.deepEqual(types, ['DESCRIBES', 'DEPENDS_ON', 'DEV_DEPENDENCY_OF'], file)
      assert.match(spdx.packages[2].licenseDeclared, /^LicenseRef-/, file)
      assert.equal((await sbom(place, 'cyclonedx', '--offline', '--omit', 'dev')).components.length, 1, file)
    }
  } finally {
    server.close().closeAllConnections()
  }
})
