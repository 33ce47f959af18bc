// SPDX-License-Identifier: Apache-2.0
/** `holdfast audit` as people run it, against registries that note what they were asked. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, beforeEach, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openCommandLine } from '../../test/command-line.ts'
import { assertValid } from '../../test/schema.ts'

const home = await mkdtemp(join(tmpdir(), 'holdfast-audit-'))
after(() => rm(home, { recursive: true }))

interface Listening {
  readonly url: string
  /** What it was asked about, each time; with the credential that came along. */
  readonly asked: { names: Record<string, string[]>; credential: string | undefined }[]
}

/** A registry that knows something against the names it is told of. */
async function listen(known: Readonly<Record<string, unknown>>): Promise<Listening> {
  const asked: Listening['asked'] = []
  const server = createServer(async (request, response) => {
    if (request.url !== '/npm/-/npm/v1/security/advisories/bulk') return response.writeHead(404).end()
    const names = JSON.parse(gunzipSync(await buffer(request)).toString()) as Record<string, string[]>
    asked.push({ names, credential: request.headers.authorization })
    const found = Object.entries(known).filter(([name]) => name in names)
    const notice = 'bare' in names ? { 'npm-notice': 'Advisories are missing \u00ffhere.' } : {}
    return response
      .writeHead(200, { 'content-type': 'application/json', ...notice })
      .end(JSON.stringify(Object.fromEntries(found)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`, asked }
}

const flaw = (id: string, severity: string, range: string) => ({
  id: 7,
  url: `https://advisories.example/a b/${id}`,
  title: `trouble \u001b[31m${id}`,
  severity,
  vulnerable_versions: range,
})
const open = await listen({
  deep: [flaw('GHSA-aaaa-bbbb-cccc', 'critical', '>=1.0.0 <1.2.3 || >=2.0.0 <2.1.0')],
  tool: [flaw('GHSA-dddd-eeee-ffff', 'low', '*')],
  'not-asked': [flaw('GHSA-none', 'high', '*')],
})
const acme = await listen({})

const at = (registry: string, name: string) => `${registry}${name}/-/x.tgz`
const lock = {
  lockfileVersion: 3,
  packages: {
    '': {
      name: 'app',
      dependencies: { top: '^1.0.0', '@acme/own': '*', '@else/secret': '*' },
      devDependencies: { tool: '*' },
    },
    'node_modules/top': { version: '1.0.0', dependencies: { deep: '^2.0.0' }, resolved: at(open.url, 'top') },
    'node_modules/deep': { version: '2.0.5', resolved: at(open.url, 'deep') },
    'node_modules/tool': { version: '3.0.0', dev: true, resolved: at(open.url, 'tool') },
    'node_modules/@acme/own': { version: '1.0.0', resolved: at(acme.url, '@acme/own') },
    'node_modules/@else/secret': {
      version: '1.0.0',
      resolved: 'https://private.example/@else/secret/-/x.tgz',
    },
    'node_modules/forked': { version: '1.0.0', resolved: 'git+ssh://git@git.example/secret-repo.git#abc' },
  },
}

const commandLine = openCommandLine(home)
const audit = (...words: string[]) => commandLine({}, 'audit', ...words)

beforeEach(async () => {
  open.asked.length = 0
  acme.asked.length = 0
  await writeFile(join(home, 'package-lock.json'), JSON.stringify(lock, null, 2))
  const place = acme.url.replace('http:', '')
  await writeFile(
    join(home, '.npmrc'),
    `registry=${open.url}\n@acme:registry=${acme.url}\n${place}:_authToken=hidden\n`,
  )
})

test('what is known is told with its way, its end and its weight in words, and sets the exit code', async () => {
  const { out, code, err } = await audit()
  assert.equal(code, 1, err)
  assert.match(
    out,
    /^critical +deep@2\.0\.5 +GHSA-aaaa-bbbb-cccc trouble +\S+ +2\.1\.0 +unknown +top@1\.0\.0$/m,
  )
  assert.match(out, /^low +tool@3\.0\.0 .* the project \(dev\)$/m)
  assert.ok(!out.includes('\u001b'), 'words of strangers move no cursor')
  assert.equal((await audit('--level', 'high', '--json')).code, 1)
  const found = JSON.parse((await audit('--omit', 'dev', '--json')).out)
  assert.deepEqual(
    found.findings.map((each: Record<string, unknown>) => [
      each['advisory'],
      each['fixed'],
      each['path'],
      each['scope'],
    ]),
    [['GHSA-aaaa-bbbb-cccc', '2.1.0', ['top@1.0.0', 'deep@2.0.5'], 'required']],
  )
})

test('nothing at the level is 0, and a wrong word is 2', async () => {
  await writeFile(
    join(home, 'package-lock.json'),
    JSON.stringify({ ...lock, packages: { 'node_modules/tool': { version: '3.0.0' } } }),
  )
  assert.equal((await audit('--level', 'moderate')).code, 0)
  assert.equal((await audit('--level', 'worst')).code, 2)
  assert.equal((await audit('nowhere')).code, 2)
})

test('each name goes to the registry of its scope, and those from elsewhere go nowhere', async () => {
  const { out } = await audit('--json')
  assert.deepEqual(
    open.asked.map(({ names }) => Object.keys(names).sort()),
    [['deep', 'tool', 'top']],
  )
  assert.deepEqual(acme.asked, [{ names: { '@acme/own': ['1.0.0'] }, credential: 'Bearer hidden' }])
  assert.equal(open.asked[0]?.credential, undefined)
  assert.deepEqual(JSON.parse(out).withheld, ['@else/secret'])
  open.asked.length = 0
  await audit('--registry', open.url)
  assert.deepEqual(
    open.asked.map(({ names }) => Object.keys(names).sort()),
    [['deep', 'tool', 'top']],
  )
})

test('entries that are no version of a package are told, and not passed over', async () => {
  const packages = {
    'node_modules/tool': { version: '3.0.0 || 1' },
    'node_modules/A b': { version: '1.0.0' },
  }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ ...lock, packages }))
  assert.deepEqual(JSON.parse((await audit('--json')).out).unread, ['A b@1.0.0', 'tool@3.0.0 || 1'])
  assert.match((await audit()).out, /^Nothing can be known of these entries.*tool@3\.0\.0/m)
})

test('SARIF names the lock file and the line of what it found', async () => {
  const { out } = await audit('--sarif')
  assertValid('sarif', JSON.parse(out))
  const { version, runs } = JSON.parse(out)
  assert.equal(version, '2.1.0')
  const [{ tool, results }] = runs
  assert.deepEqual(
    tool.driver.rules.map((rule: { id: string }) => rule.id),
    ['GHSA-aaaa-bbbb-cccc', 'GHSA-dddd-eeee-ffff'],
  )
  const { artifactLocation, region } = results[0].locations[0].physicalLocation
  assert.equal(artifactLocation.uri, 'package-lock.json')
  const line = JSON.stringify(lock, null, 2).split('\n')[region.startLine - 1]
  assert.match(line ?? '', /"node_modules\/deep"/)
  for (const { ruleId, ruleIndex, level } of results) {
    assert.equal(tool.driver.rules[ruleIndex].id, ruleId)
    assert.ok(['note', 'warning', 'error'].includes(level))
  }
})

test('what a registry says beside its answer is told', async () => {
  const packages = { 'node_modules/bare': { version: '1.0.0' } }
  await writeFile(join(home, 'package-lock.json'), JSON.stringify({ ...lock, packages }))
  const { code, out } = await audit()
  assert.equal(code, 0)
  assert.match(out, /^Nothing is known against 1 versions\.\nAdvisories are missing .here\.$/m)
  assert.deepEqual(JSON.parse((await audit('--json')).out).notices.length, 1)
})

test('a registry without advisories is no clean bill', async () => {
  const { code, err } = await audit('--registry', `${acme.url}none/`)
  assert.equal(code, 2)
  assert.match(err, /tells no advisories|cannot be asked/)
})
