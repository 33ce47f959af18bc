// SPDX-License-Identifier: Apache-2.0
// An upstream registry some way off: the files of a folder, each answer after a delay, and copies of one large document.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const [root = '.', delay = '0', port = '0', copyCount = '0'] = process.argv.slice(2)
/** `/bench-copy-07` is the document of `bench-copy-00` under its own name, made once: half a second each is no part of what is measured. */
const copies = makeCopies('bench-copy-00', Number(copyCount))

function makeCopies(prototype: string, count: number): ReadonlyMap<string, Buffer> {
  const made = new Map<string, Buffer>()
  if (count === 0) return made
  const text = readFileSync(join(root, prototype, 'index.json'), 'latin1')
  for (let at = 0; at < count; at++) {
    const name = `bench-copy-${String(at).padStart(2, '0')}`
    made.set(`/${name}`, gzipSync(Buffer.from(text.replaceAll(prototype, name), 'latin1'), { level: 1 }))
  }
  return made
}

function answer(path: string, gzip: boolean): [body: Buffer, head: Record<string, string>] | undefined {
  const copy = copies.get(path)
  if (copy !== undefined) return [copy, { 'content-type': 'application/json', 'content-encoding': 'gzip' }]
  if (path.endsWith('.tgz')) {
    const file = join(root, path)
    return existsSync(file) ? [readFileSync(file), { 'content-type': 'application/octet-stream' }] : undefined
  }
  const file = join(root, path, gzip ? 'index.json.gz' : 'index.json')
  if (!existsSync(file)) return undefined
  const head = { 'content-type': 'application/json', ...(gzip ? { 'content-encoding': 'gzip' } : {}) }
  return [readFileSync(file), head]
}

const server = createServer((request, response) => {
  setTimeout(() => {
    const path = decodeURIComponent(request.url ?? '/')
    const found = answer(path, request.headers['accept-encoding']?.includes('gzip') === true)
    if (!found) return response.writeHead(404).end('{}')
    const [body, head] = found
    response.writeHead(200, { ...head, 'content-length': body.length }).end(body)
  }, Number(delay))
})
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object')
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`)
})
