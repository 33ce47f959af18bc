// SPDX-License-Identifier: Apache-2.0
/** Addresses that try to walk, to hide, or to break the one who reads them. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Live, publishDocument, put, startLive } from '../live.ts'
import { request } from '../request.ts'
import { leavesNothing } from './trace.ts'
import { exchange } from './wire.ts'

let live: Live
const secret = 'the-secret-of-this-test'

before(async () => {
  live = await startLive()
  await (await put(live, '@acme/ui', publishDocument('@acme/ui', '1.0.0'))).text()
  await writeFile(join(live.folder, 'secret.txt'), secret)
})
after(() => live.stop())

const wanders = [
  '/npm/..%2fsecret.txt',
  '/npm/../secret.txt',
  '/npm/%2e%2e/secret.txt',
  '/npm/%2e%2e%2fsecret.txt',
  '/npm/..%5csecret.txt',
  '/npm/%252e%252e%252fsecret.txt',
  '/npm/@acme%2f..%2f..%2fsecret.txt',
  '/npm/@acme/ui/-/../../../secret.txt',
  '/npm/@acme/ui/-/..%2f..%2f..%2fsecret.txt',
  '/npm/@acme/ui/-/%2e%2e%2f%2e%2e%2fholdfast.db',
  '/npm/@acme%252fui',
  '/npm/%40acme%252fui',
  '/npm/@acme%2f%2fui',
  '/npm//@acme/ui',
  '/npm/@acme//ui',
  '/npm/@acme/ui/',
  '/npm/@acme/ui/-/',
  '/npm/@acme/ui/-/ui-1.0.0.tgz/',
  '/npm/@acme/ui/-/ui-1.0.0.tgz%00',
  '/npm/@acme/ui/-/ui-1.0.0.tgz%00.png',
  '/npm/@acme/ui/-/%00',
  '/npm/@acme/ui/-/ui-.tgz',
  '/npm/@acme/ui/-/ui-1.0.0%20.tgz',
  '/npm/@acme/ui/-/UI-1.0.0.tgz',
  '/npm/@acme/ui/1.0.0%00',
  '/npm/@acme/ui/%00',
  '/npm/@acme/ui/__proto__',
  '/npm/@acme/ui/constructor',
  '/npm/@acme/ui/hasOwnProperty',
  '/npm/__proto__',
  '/npm/constructor/1.0.0',
  '/npm/a%00b',
  '/npm/%00',
  '/npm/%',
  '/npm/%zz',
  '/npm/%c0%ae%c0%ae',
  '/npm/%ff',
  '/npm/%f0%9f%92%a9',
  '/npm/-/package/@acme%2fui/dist-tags/%00',
  '/npm/-/package/%00/dist-tags',
  '/npm/-/user/org.couchdb.user:%00',
  '/npm/-/user/org.couchdb.user:..%2f..',
  '/npm/-/org/%00/user',
  '/npm/-/org/%00/package',
  '/npm/-/user/%00/package',
  '/npm/-/team/%00/%00/user',
  '/npm/-/v1/done/%00',
  `/npm/${'a'.repeat(10_000)}`,
  `/npm/${'a/'.repeat(3000)}`,
  `/npm/${'%2f'.repeat(3000)}`,
  '/npm',
  '/npm?',
  '/assets/../server/src/main.ts',
  '/assets/%2e%2e/package.json',
  '/package/npm/..%2f..%2fsecret.txt',
  '/package/npm/%00',
  '/package/npm/@acme/ui?v=%00',
  '/package/npm/@acme/ui?v=../..',
  '/package/npm/@acme/ui?show=%00',
  '/search?q=%00',
  '/-/../npm/-/ping/..',
  '//evil.example/npm/x',
  '/;/npm/x',
]

for (const path of wanders) {
  test(`${path.slice(0, 60)} leads nowhere`, () =>
    leavesNothing(live, async () => {
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        const authorization = method === 'DELETE' ? `Bearer ${live.token}` : undefined
        const answer = await request(
          live.url,
          method,
          path,
          authorization === undefined ? {} : { authorization },
        )
        const isPage = path.startsWith('/package/') || path.startsWith('/search')
        assert.ok(
          (answer.status >= 400 && answer.status < 500) || (isPage && answer.status < 400),
          `${method} answers ${answer.status} ${answer.body}`,
        )
        assert.ok(!answer.body.includes(secret) && !answer.body.includes('SQLite format'), 'it tells')
        assert.doesNotMatch(answer.body.toString(), /\bat .*\.ts:\d+/, 'it shows a stack')
      }
    }))
}

test('search takes any text and any number', () =>
  leavesNothing(live, async () => {
    const texts = [
      '%00',
      '%',
      '_',
      "'",
      '"',
      '\\',
      '*',
      'a'.repeat(5000),
      '%f0%9f%92%a9',
      '%ff',
      '@',
      '@acme/',
      '%25',
      'is:x',
      '\u{10ffff}',
      'a '.repeat(300),
    ]
    for (const text of texts) {
      for (const rest of ['', '&size=-1', '&size=1e9', '&from=99999999999', '&size=x&from=%00']) {
        const answer = await request(
          live.url,
          'GET',
          `/npm/-/v1/search?text=${encodeURI(text).replaceAll('%25', '%')}${rest}`,
        )
        assert.ok(answer.status === 200 || answer.status === 400, `${text}: ${answer.status} ${answer.body}`)
      }
    }
  }))

test('an address with a host of its own, or none, is no way around', () =>
  leavesNothing(live, async () => {
    for (const target of ['http://evil.example/npm/@acme%2fui', '*', 'npm/x', '?', '#', '/\\evil.example']) {
      const answer = await exchange(
        live.url,
        `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
      )
      assert.match(answer, /^HTTP\/1.1 4\d\d /, target)
    }
  }))

test('headers that mean something here may say anything', () =>
  leavesNothing(live, async () => {
    const odd = [
      '',
      ' ',
      ',',
      ';',
      '\xff',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=--1',
      'bytes=0-0,1-1',
      'bytes=99999999999999999999-',
      '"',
      'W/',
      '*',
      'gzip;q=x',
      '__proto__',
      'Bearer',
      'Bearer ',
      'Basic',
      'Basic ====',
      'Basic AAAA',
      'Basic OgA=',
      'Digest x',
      'x'.repeat(8000),
    ]
    for (const name of [
      'range',
      'accept',
      'accept-encoding',
      'if-none-match',
      'if-range',
      'if-modified-since',
      'authorization',
      'cookie',
      'npm-otp',
      'npm-auth-type',
      'user-agent',
      'x-forwarded-for',
      'content-encoding',
    ]) {
      for (const value of odd) {
        for (const path of ['/npm/@acme%2fui', '/npm/@acme/ui/-/ui-1.0.0.tgz', '/npm/-/whoami', '/search']) {
          const answer = await request(live.url, 'GET', path, { [name]: value })
          assert.ok(
            answer.status < 500,
            `${name}: ${value.slice(0, 30)} on ${path}: ${answer.status} ${answer.body}`,
          )
        }
      }
    }
  }))
