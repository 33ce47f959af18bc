// SPDX-License-Identifier: Apache-2.0
/** Whatever is fed to whatever reads strangers' words: a value comes out, or a problem in words. Never anything else. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  compareVersions,
  confusableKey,
  isProblem,
  matchesName,
  type NamePattern,
  parseDigest,
  parseDistTag,
  parseIntegrity,
  parseJson,
  parseNamePattern,
  parsePackageName,
  parseVersion,
  problemTable,
} from '@holdfast/core'
import fc from 'fast-check'
import { type Arguments, configOptions, readArguments, UsageError } from '../../src/command/usage.ts'
import { addressReader, openIdentify } from '../../src/http/index.ts'
import { isToken, parseEmail, parseLogin } from '../../src/identity/index.ts'
import { ConfigFaults, readConfig } from '../../src/main.ts'
import { chooseEncoding, isUnchanged } from '../../src/protocol/npm/hot-path.ts'
import { readPublishBody } from '../../src/protocol/npm/publish-body.ts'
import { parseRange } from '../../src/protocol/npm/route/read.ts'
import { findRoute, route, splitPath } from '../../src/protocol/npm/router.ts'
import { openMemoryBlobs } from '../../src/store/index.ts'
import { type Live, publishDocument, startLive } from '../live.ts'

const runs = { numRuns: 400 }

/** Text as strangers make it: near what is right, and far from it. */
const nearly = (...parts: readonly string[]) =>
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc
      .array(
        fc.constantFrom(
          ...parts,
          '\0',
          '\n',
          '../',
          '%2f',
          '"',
          "'",
          ' ',
          '\u202e',
          '\ud800',
          '0',
          '9'.repeat(20),
        ),
        { maxLength: 12 },
      )
      .map(all => all.join('')),
    fc.constantFrom(...parts).map(part => part.repeat(5000)),
  )

const anything = fc.oneof(
  fc.anything(),
  fc.constantFrom(undefined, null, {}, [], 0, Number.NaN, '__proto__', new Date(0)),
)

function onlyProblems(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.ok(isProblem(error), String(error))
    assert.doesNotMatch(`${error.message} ${error.hint}`, /\p{Cc}|\p{Cf}/u, 'its text is not fit to print')
    const { say, hint } = problemTable[error.code]
    const places = [...`${say} ${hint}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
    assert.deepEqual(
      places.filter(name => !Object.hasOwn(error.data, name)),
      [],
      'a place of its text is not filled',
    )
  }
}

const readers: Readonly<Record<string, [read: (input: never) => unknown, inputs: fc.Arbitrary<unknown>]>> = {
  'package names': [parsePackageName, nearly('@', '/', 'acme', '-', '.', '_', 'node_modules')],
  'package names of any type': [parsePackageName, anything],
  versions: [parseVersion, nearly('1', '.', '-', '+', 'beta', '0', 'v')],
  'versions of any type': [parseVersion, anything],
  'dist-tags': [parseDistTag, nearly('latest', '1', '.', 'x', '>', '=', '~', '/')],
  'dist-tags of any type': [parseDistTag, anything],
  patterns: [parseNamePattern, nearly('@', '/', '*', 'acme', '-')],
  'patterns of any type': [parseNamePattern, anything],
  digests: [parseDigest, nearly('a', 'F', '0')],
  integrities: [parseIntegrity, nearly('sha512-', 'sha1-', 'AAAA', '==', '?', ' ')],
  logins: [parseLogin, nearly('alice', '@', '-', '.')],
  'mail addresses': [parseEmail, nearly('a', '@', '.', 'b.example', '<', '>')],
  tokens: [isToken, nearly('holdfast_', '_', 'abc')],
  JSON: [parseJson, nearly('{', '}', '[', ']', ':', ',', '"a"', '"__proto__"', '1e999', 'null', '\\u00')],
  paths: [splitPath, nearly('/', '%', '%2', '%2f', '%ff', '@', '-')],
  'look-alike keys': [confusableKey, nearly('0', 'l', 'rn')],
}

for (const [what, [read, inputs]] of Object.entries(readers)) {
  test(`reading ${what} gives a value or a problem`, () => {
    fc.assert(
      fc.property(inputs, input => onlyProblems(() => read(input as never))),
      runs,
    )
  })
}

test('a pattern that was read matches without failing, and versions that were read have an order', () => {
  const text = nearly('@', '/', '*', 'acme', '-', '1.0.0', '1', '.', '-beta')
  fc.assert(
    fc.property(text, text, (a, b) => {
      onlyProblems(() => matchesName(parseNamePattern(a) as NamePattern, parsePackageName(b)))
      onlyProblems(() => {
        const [x, y] = [parseVersion(a), parseVersion(b)]
        assert.equal(Math.sign(compareVersions(x, y)), -Math.sign(compareVersions(y, x)) + 0)
      })
    }),
    runs,
  )
})

test('a range lies within the bytes there are, or is none', () => {
  const header = nearly('bytes=', '0', '-', ',', '5', '99999999999999999999')
  fc.assert(
    fc.property(header, fc.nat(1000), (text, size) => {
      const range = parseRange(text, size)
      if (range === undefined || range === 'unsatisfiable') return
      assert.ok(0 <= range.start && range.start <= range.end && range.end < size)
    }),
    runs,
  )
})

test('an encoding is chosen, and never one that was refused or is not there', () => {
  const variant = { headers: [], body: new Uint8Array() }
  const [gzip, all] = [{ gzip: variant }, { identity: variant, gzip: variant, br: variant, zstd: variant }]
  fc.assert(
    fc.property(nearly('gzip', 'br', 'zstd', 'identity', ';q=0', ';q=1', ',', ' ', '*'), text => {
      assert.ok(['identity', 'gzip', 'br', 'zstd'].includes(chooseEncoding(text, all)))
      assert.ok(['identity', 'gzip'].includes(chooseEncoding(text, gzip)))
      assert.notEqual(chooseEncoding(`${text},br;q=0`, all), 'br')
      isUnchanged(text, 'W/"1-a"')
    }),
    runs,
  )
})

test('a forwarded address is an address', () => {
  const read = addressReader(['127.0.0.0/8', '::1'])
  fc.assert(
    fc.property(nearly('10.0.0.1', ',', '::1', '127.0.0.1', 'unknown', ':', '%eth0'), forwarded => {
      const request = { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: '127.0.0.1' } }
      assert.match(read(request as unknown as IncomingMessage), /^[0-9a-f.:]+$/i)
    }),
    runs,
  )
})

test('a route is found or there is a problem', () => {
  const routes = [
    route('GET /:pkg/:version', async () => ({ status: 200 })),
    route('PUT /-/package/:pkg/dist-tags/:tag', async () => ({ status: 200 })),
  ]
  fc.assert(
    fc.property(
      nearly('/', '@a', '-', 'package', 'dist-tags', '%2f'),
      fc.constantFrom('GET', 'PUT', 'HEAD', 'BREW'),
      (path, method) => onlyProblems(() => findRoute(routes, method, splitPath(path))),
    ),
    runs,
  )
})

test('a publish body gives a document or a problem, and leaves no bytes behind', async () => {
  const text = JSON.stringify(publishDocument('fuzzed', '1.0.0'))
  const change = fc.record({
    at: fc.nat(text.length),
    cut: fc.nat(40),
    put: nearly('{', '}', '"', ',', '_attachments', 'data', '.tgz', '\\', 'AAAA'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      async (changes, size) => {
        let open = 0
        const blobs = openMemoryBlobs()
        const begin = async () => {
          const writer = await blobs.begin()
          open += 1
          let isOpen = true
          const discard = async () => {
            if (isOpen) open -= 1
            isOpen = false
            await writer.discard()
          }
          return { ...bound(writer), discard }
        }
        const spoiled = changes.reduce(
          (body, { at, cut, put }) => body.slice(0, at) + put.slice(0, 2000) + body.slice(at + cut),
          text,
        )
        try {
          const body = await readPublishBody(
            pieces(Buffer.from(spoiled), size),
            { maxBodyBytes: 100_000, maxDocumentBytes: 50_000 },
            begin,
          )
          assert.equal(open, body.tarballs.length)
        } catch (error) {
          assert.ok(isProblem(error), String(error))
          assert.equal(open, 0, 'a writer is still open')
        }
      },
    ),
    { numRuns: 300 },
  )
})

function bound<T extends object>(object: T): T {
  return new Proxy(object, {
    get(target, key) {
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
    ownKeys: () => ['write', 'digests', 'read', 'keep', 'discard'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  })
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('a configuration file is read, or its faults are listed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const file = join(folder, 'holdfast.yaml')
  const key = fc.constantFrom(
    'port',
    'host',
    'data',
    'publicUrl',
    'read',
    'trustedProxies',
    'database',
    'smtp',
    'cacheBytes',
    '__proto__',
    'unknown',
  )
  const value = nearly(
    '0',
    '-1',
    '127.0.0.1',
    'http://',
    'postgres://',
    '[',
    ']',
    '{',
    '&a',
    '*a',
    ':',
    '- ',
    '"',
    '10.0.0.0/99',
  )
  const flags = fc.dictionary(key, fc.oneof(value, fc.constantFrom('10.0.0.0/99', '::1/129', '10.0.0.0/8')), {
    maxKeys: 3,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(key, value), { maxLength: 4 }),
      value,
      flags,
      async (lines, noise, given) => {
        await writeFile(file, `${lines.map(([k, v]) => `${k}: ${v}`).join('\n')}\n${noise}`)
        try {
          const config = readConfig(given, { HOLDFAST_PORT: noise }, file)
          addressReader(config.trustedProxies)
        } catch (error) {
          assert.ok(error instanceof ConfigFaults, String(error))
          assert.ok(error.faults.length > 0)
        }
      },
    ),
    { numRuns: 150 },
  )
  await rm(folder, { recursive: true })
})

test('a command line is understood, or the usage is said', () => {
  const word = fc.oneof(
    nearly('--', '-', '=', 'port', 'x'),
    fc.constantFrom(
      '--port',
      '--data',
      '--list',
      '--flag',
      '--',
      '-p',
      '--port=1',
      '--flag=1',
      '--__proto__',
      '--no-flag',
    ),
  )
  const options = { ...configOptions, list: 'list', flag: 'flag' } as const
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), words => {
      try {
        const read: Arguments = readArguments(words, options, 'Usage: test')
        assert.ok(read.words.every(each => typeof each === 'string'))
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error))
        assert.match(error.message, /Usage: test/)
      }
    }),
    runs,
  )
})

let live: Live
before(async () => {
  live = await startLive()
})
after(() => live.stop())

test('credentials of any shape make somebody, nobody, or a problem', async () => {
  const { peek, identify } = openIdentify(live.ports)
  const authorization = fc.oneof(
    nearly('Bearer', 'Basic', ' ', 'holdfast_', live.token, '='),
    nearly('alice', ':', 'password', '\0').map(
      text => `Basic ${Buffer.from(text.slice(0, 300)).toString('base64')}`,
    ),
  )
  const cookie = nearly('holdfast-session=', '__Host-', ';', '=', 'abc')
  await fc.assert(
    fc.asyncProperty(
      fc.option(authorization, { nil: undefined }),
      cookie,
      nearly('::1', '10.0.0.1'),
      async (said, cookies, address) => {
        const headers = {
          ...(said === undefined ? {} : { authorization: said }),
          cookie: cookies,
          'npm-otp': cookies,
          'user-agent': cookies,
        }
        peek(said)
        const { actor, bad } = await identify(headers, address).catch(error => {
          assert.ok(isProblem(error), String(error))
          return { actor: { kind: 'nobody' }, bad: error }
        })
        assert.ok(actor.kind === 'nobody' || said?.includes(live.token))
        assert.ok(bad === undefined || isProblem(bad))
      },
    ),
    { numRuns: 60 },
  )
})
