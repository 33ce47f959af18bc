// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { configKeys, environmentName } from '../../src/main.ts'
import { freshPath } from './command-line.ts'

const root = join(import.meta.dirname, '../../../..')
const read = (file: string) => readFile(join(root, file), 'utf8')
const run = promisify(execFile)

async function instructions(): Promise<readonly (readonly [word: string, rest: string])[]> {
  const text = (await read('deploy/Containerfile')).replaceAll(/\\\n\s*/g, '').replaceAll(/^#.*\n?/gm, '')
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

test('the image runs as a numbered user that is not root, from the last instruction that needs root on', async () => {
  const all = await instructions()
  const user = all.findLastIndex(([word]) => word === 'USER')
  assert.match(all[user]?.[1] ?? '', /^[1-9]\d{3,}:[1-9]\d{3,}$/)
  assert.deepEqual(
    all.slice(user).filter(([word]) => word === 'RUN' || word === 'COPY'),
    [],
  )
  assert.ok(user > all.findLastIndex(([word]) => word === 'FROM'))
})

test('every base is an exact version of Node.js that is new enough, and nothing is fetched past the lock file', async () => {
  const all = await instructions()
  const bases = all.filter(([word]) => word === 'FROM').map(([, base]) => base)
  for (const base of bases)
    assert.match(base, /^docker\.io\/library\/node:24\.(1[5-9]|[2-9]\d)\.\d+-\w+-slim( AS \w+)?$/)
  const runs = all.filter(([word]) => word === 'RUN').map(([, command]) => command)
  assert.ok(runs.some(command => /^npm ci --omit=dev .*--ignore-scripts/.test(command)))
  for (const command of runs) assert.doesNotMatch(command, /curl|wget|apt|npm (install|i)\b|sudo|https?:/)
  assert.ok(all.every(([word]) => word !== 'ADD'))
})

test('the image is asked for its health, stops on SIGTERM, starts without a shell and sets only keys that exist', async () => {
  const all = new Map(await instructions())
  assert.match(all.get('HEALTHCHECK') ?? '', /\/-\/health\/ready/)
  assert.equal(all.get('STOPSIGNAL'), 'SIGTERM')
  assert.ok(Array.isArray(JSON.parse(all.get('ENTRYPOINT') ?? '')))
  const set = [...(all.get('ENV') ?? '').matchAll(/HOLDFAST_\w+/g)].map(([name]) => name)
  const known = configKeys.map(environmentName)
  assert.deepEqual(
    set.filter(name => !known.includes(name)),
    [],
  )
})

test('everything the image copies is there, and what the launcher needs is among it', async () => {
  const copied = (await instructions()).filter(
    ([word, rest]) => word === 'COPY' && !rest.startsWith('--from'),
  )
  for (const [, rest] of copied) {
    for (const source of rest.split(' ').slice(0, -1)) assert.ok(existsSync(join(root, source)), source)
  }
  const manifests = globSync('packages/*/package.json', { cwd: root }).map(path => path.replaceAll('\\', '/'))
  const text = copied.map(([, rest]) => rest).join(' ')
  for (const manifest of manifests) assert.ok(text.includes(manifest), manifest)
})

/** Directives of a unit; a directive that stands twice has both values. */
async function directives(): Promise<ReadonlyMap<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const [, key = '', value = ''] of (await read('deploy/holdfast.service')).matchAll(/^(\w+)=(.*)$/gm)) {
    found.set(key, [...(found.get(key) ?? []), value])
  }
  return found
}

test('the unit has no root, no capabilities, and only its own folder to write to', async () => {
  const unit = await directives()
  const wanted = {
    User: 'holdfast',
    NoNewPrivileges: 'yes',
    CapabilityBoundingSet: '',
    ProtectSystem: 'strict',
    ProtectHome: 'yes',
    PrivateTmp: 'yes',
    PrivateDevices: 'yes',
    StateDirectory: 'holdfast',
    StateDirectoryMode: '0700',
    UMask: '0077',
    SystemCallArchitectures: 'native',
    RestrictNamespaces: 'yes',
    LockPersonality: 'yes',
  }
  for (const [key, value] of Object.entries(wanted)) assert.deepEqual(unit.get(key), [value], key)
  assert.equal(unit.has('ReadWritePaths'), false)
  assert.match(unit.get('ExecStart')?.[0] ?? '', /^\/\S+node \/\S+holdfast\.js serve /)
  // What a stop needs at most, see `serve`.
  assert.ok(Number(unit.get('TimeoutStopSec')?.[0]) > 10)
})

test('systemd has nothing to say against the unit', async context => {
  const folder = freshPath()
  await mkdir(folder)
  const unit = join(folder, 'holdfast.service')
  await writeFile(
    unit,
    (await read('deploy/holdfast.service')).replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'),
  )
  const done = await run('systemd-analyze', ['verify', unit]).catch(error => error)
  // Not on every machine; the rules above hold on all.
  if (done.code === 'ENOENT') return context.diagnostic('no systemd-analyze here')
  assert.equal(
    done.stderr
      .split('\n')
      .filter((line: string) => line.includes('holdfast.service'))
      .join('\n'),
    '',
  )
})

test('the proxies replace forwarded addresses, pass bodies of every size allowed, and keep the metrics to themselves', async () => {
  const nginx = await read('deploy/nginx.conf')
  assert.match(nginx, /proxy_set_header X-Forwarded-For \$remote_addr;/)
  assert.match(nginx, /client_max_body_size 400m;/)
  assert.match(nginx, /proxy_request_buffering off;/)
  assert.match(nginx, /merge_slashes off;/)
  // With a URI behind it nginx would decode `%2f` in names.
  assert.doesNotMatch(nginx, /proxy_pass http:\/\/[^/;]+\/[^;]*;/)
  for (const text of [nginx, await read('deploy/Caddyfile')]) assert.match(text, /\/-\/metrics/)
})

/** The rows of the table of keys: key, environment, default. */
async function documentedKeys(): Promise<string[][]> {
  const rows = [
    ...(await read('docs/operating.md')).matchAll(/^\| `(\w+)` \| `(HOLDFAST_\w+)` \| ([^|]+) \|/gm),
  ]
  return rows.map(([, key = '', environment = '', fallback = '']) => [
    key,
    environment,
    fallback.replaceAll('`', '').trim(),
  ])
}

test('docs/operating.md lists every key of the configuration with its environment name and default, and no other', async () => {
  const { readConfig } = await import('../../src/main.ts')
  const config: Readonly<Record<string, unknown>> = { ...readConfig({}, {}) }
  // Made from others at the start.
  const made: Readonly<Record<string, string>> = {
    data: './data',
    keys: 'keys in data',
    publicUrl: 'from host and port',
    ciIssuers: 'github gitlab circleci',
    nameServers: "the machine's",
    advisoryFeeds: 'osv where an origin is public, else none',
  }
  const wanted = configKeys.map(key => [key, environmentName(key), made[key] ?? say(config[key])])
  assert.deepEqual(await documentedKeys(), wanted)
})

function say(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none'
  return String(value)
}
