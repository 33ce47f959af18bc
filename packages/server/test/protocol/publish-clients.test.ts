// SPDX-License-Identifier: Apache-2.0
/** What each real client packs and publishes is read whole, inspected without complaint, and agrees with itself. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { formatIntegrity } from '@holdfast/core'
import {
  checkManifestAgrees,
  defaultInspectLimits,
  type Inspection,
  inspectTarball,
} from '../../src/integrity/inspect.ts'
import { defaultPublishBodyLimits, readPublishBody } from '../../src/protocol/npm/publish-body.ts'
import { openMemoryBlobs } from '../../src/store/blob/index.ts'

const require = createRequire(import.meta.url)
const run = promisify(execFile)

type Files = Readonly<Record<string, string | object>>

interface Client {
  readonly name: string
  /** Program and arguments; undefined where the client does not run on this machine. */
  readonly command: readonly string[] | undefined
  readonly publish: readonly string[]
  /** What to run before, in the folder at the top. */
  readonly prepare?: readonly string[]
}

function find(path: string): string | undefined {
  try {
    const [, scope, name] = /^((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(path) ?? []
    return join(dirname(require.resolve(`${scope}/package.json`)), name ?? '')
  } catch {
    return undefined
  }
}

function nodeProgram(path: string): readonly string[] | undefined {
  const script = find(path)
  return script === undefined ? undefined : [process.execPath, script]
}

function program(path: string): readonly string[] | undefined {
  const file = find(path)
  return file === undefined ? undefined : [file]
}

/** Stands for the tarball that was packed before. */
const packed = '{packed}'

const npm: Client = {
  name: 'npm',
  command: nodeProgram('npm/bin/npm-cli.js'),
  publish: ['publish', '--tag', 'latest', '--ignore-scripts'],
}
const npmTarball: Client = {
  name: 'npm, given a tarball',
  command: npm.command,
  prepare: ['pack', '--ignore-scripts', '--pack-destination', '..'],
  publish: ['publish', packed, '--tag', 'latest'],
}
const pnpm: Client = {
  name: 'pnpm',
  command: program(`@pnpm/exe.${process.platform}-${process.arch}/pnpm`),
  publish: ['publish', '--no-git-checks', '--tag', 'latest', '--ignore-scripts'],
}
const yarn1: Client = {
  name: 'yarn 1',
  command: nodeProgram('yarn/bin/yarn.js'),
  publish: ['publish', '--non-interactive', '--tag', 'latest', '--ignore-scripts'],
}
const yarn4: Client = {
  name: 'yarn 4',
  command: nodeProgram('@yarnpkg/cli-dist/bin/yarn.js'),
  prepare: ['install'],
  publish: ['npm', 'publish', '--tag', 'latest'],
}
const bun: Client = {
  name: 'bun',
  command: program(`@oven/bun-${process.platform}-${process.arch}/bin/bun`),
  publish: ['publish', '--tag', 'latest', '--ignore-scripts'],
}

const manifest = { name: '@acme/ui', version: '1.2.3' }

const cases: readonly (readonly [what: string, files: Files, clients: readonly Client[]])[] = [
  [
    'sources, scripts and commands in every form',
    {
      'package.json': {
        ...manifest,
        version: 'v1.2.3',
        bin: './cli.js',
        dependencies: {
          a: 'user/repo',
          b: 'https://github.com/u/r',
          c: 'git+ssh://git@github.com/u/r.git#v1',
          d: ' ^1.0.0 ',
          o: '2',
        },
        optionalDependencies: { o: '2', p: 'user/repo' },
        peerDependencies: { q: '>=1', r: '*' },
        peerDependenciesMeta: { r: { optional: true } },
        scripts: {
          preinstall: 'node_modules/.bin/x y',
          postinstall: '',
          prepack: 'true',
          test: 'node_modules/.bin/z',
        },
      },
      'cli.js': '#!/usr/bin/env node\n',
      'README.md': '# Text\n',
    },
    [npm, npmTarball, pnpm, yarn1, bun],
  ],
  [
    'a folder of commands, a gyp file and dependencies in a list',
    {
      'package.json': {
        ...manifest,
        directories: { bin: './bin' },
        dependencies: ['a@1', 'b'],
        bundleDependencies: false,
      },
      'bin/one': '#!/usr/bin/env node\n',
      'bin/two.js': '#!/usr/bin/env node\n',
      'binding.gyp': '{}',
      'server.js': '',
    },
    [npm, npmTarball, pnpm, yarn1, bun],
  ],
  [
    'bundled dependencies and commands in a list',
    {
      'package.json': {
        ...manifest,
        bin: ['./a.js', 'b/c.js'],
        bundledDependencies: ['x'],
        dependencies: { x: '1.0.0' },
      },
      'a.js': '',
      'b/c.js': '',
      'node_modules/x/package.json': { name: 'x', version: '1.0.0' },
    },
    [npm, npmTarball, pnpm, bun],
  ],
  [
    'publishConfig',
    {
      'package.json': {
        ...manifest,
        main: 'src/index.ts',
        bin: { x: 'src/x.ts' },
        scripts: { postinstall: 'true' },
        peerDependencies: { q: '1' },
        publishConfig: {
          main: 'dist/index.js',
          bin: { x: 'dist/x.js' },
          exports: { '.': './dist/index.js' },
        },
      },
      'src/index.ts': '',
      'src/x.ts': '',
      'dist/index.js': '',
      'dist/x.js': '',
      'yarn.lock': '',
    },
    [npm, npmTarball, pnpm, yarn1, yarn4, bun],
  ],
  [
    'a dependency in the same workspace',
    {
      'package.json': { ...manifest, dependencies: { '@acme/core': 'workspace:^' }, bin: './x.js' },
      'x.js': '',
      '../core/package.json': { name: '@acme/core', version: '3.2.1' },
      '../package.json': { private: true, name: 'top', workspaces: ['ui', 'core'] },
      '../yarn.lock': '',
      '../pnpm-workspace.yaml': 'packages: [ui, core]\n',
    },
    [pnpm, yarn4],
  ],
]

describe('what real clients publish is accepted', { concurrency: 4 }, () => {
  for (const [what, files, clients] of cases) {
    for (const client of clients) {
      const skip = client.command === undefined && `${client.name} does not run here`
      test(`from ${client.name}: ${what}`, { skip }, async () => {
        const inspection = await publish(client, files)
        assert.equal(inspection.manifest['name'], '@acme/ui')
      })
    }
  }
})

async function publish(client: Client, files: Files): Promise<Inspection> {
  const top = await mkdtemp(join(tmpdir(), 'holdfast-clients-'))
  const inspections: Promise<Inspection>[] = []
  const server = await startRecorder(inspections)
  try {
    await writeFiles(join(top, 'home'), settingsFor(server))
    await writeFiles(join(top, 'ui'), files)
    const output = await runClient(client, top, registryOf(server))
    assert.equal(inspections.length, 1, output)
    return await (inspections[0] as Promise<Inspection>)
  } finally {
    server.closeAllConnections()
    server.close()
    await rm(top, { recursive: true, force: true })
  }
}

async function startRecorder(inspections: Promise<Inspection>[]): Promise<Server> {
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.method !== 'PUT') return response.writeHead(404).end('{"error":"not found"}')
    const inspection = accept(request)
    inspections.push(inspection)
    const failure = await inspection.then(() => undefined, String)
    return response
      .writeHead(failure === undefined ? 201 : 400)
      .end(JSON.stringify({ ok: !failure, error: failure }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const blobs = openMemoryBlobs()

async function accept(request: IncomingMessage): Promise<Inspection> {
  const body = await readPublishBody(request, defaultPublishBodyLimits, () => blobs.begin())
  const [published] = Object.values(body.document['versions'] as Record<string, Record<string, unknown>>)
  const writer = body.tarballs[0]?.writer
  assert.ok(published !== undefined && writer !== undefined)
  const { integrity, shasum } = published['dist'] as Record<string, string>
  assert.deepEqual([formatIntegrity(writer.digests().digest), writer.digests().shasum], [integrity, shasum])
  const inspection = await inspectTarball(writer.read(), defaultInspectLimits)
  checkManifestAgrees(inspection.manifest, published)
  return inspection
}

function settingsFor(server: Server): Files {
  const { port } = server.address() as AddressInfo
  const registry = registryOf(server)
  return {
    '.npmrc': `registry=${registry}\n//127.0.0.1:${port}/:_authToken=t\nupdate-notifier=false\n`,
    '.yarnrc': `registry "${registry}"\n`,
    '.yarnrc.yml': [
      `npmRegistryServer: "${registry}"`,
      'npmAuthToken: t',
      'npmAlwaysAuth: true',
      'unsafeHttpWhitelist: ["127.0.0.1"]',
      'enableTelemetry: false',
      'nodeLinker: node-modules',
    ].join('\n'),
  }
}

function registryOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  }
}

async function runClient(client: Client, top: string, registry: string): Promise<string> {
  const [file = '', ...first] = client.command ?? []
  const home = join(top, 'home')
  // Never the default registry, whatever a client makes of its settings.
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    CI: '1',
    npm_config_registry: registry,
    YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
  }
  const options = { cwd: join(top, 'ui'), env, timeout: 60_000 }
  const outputs: string[] = []
  for (const args of [client.prepare, client.publish]) {
    if (args === undefined) continue
    const tarball = (await readdir(top)).find(name => name.endsWith('.tgz')) ?? ''
    const words = [...first, ...args.map(word => (word === packed ? join('..', tarball) : word))]
    // A refusal makes the client fail; what it says belongs to the assertion.
    const { stdout, stderr } = await run(file, words, options).catch(failure => failure)
    outputs.push(String(stdout), String(stderr))
  }
  return outputs.join('\n')
}
