// SPDX-License-Identifier: Apache-2.0
// An upstream registry some way off: the files of a folder, each answer after a delay, and copies of one large document.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const [root = '.', delay = '0'] = process.argv.slice(2)
/** `/bench-copy-07` is the document of `bench-copy-00` under its own name. */
const copy = /^\/(bench-copy-\d\d)$/
const prototype = 'bench-copy-00'

function answer(path: string, gzip: boolean): [body: Buffer, head: Record<string, string>] | undefined {
  const name = copy.exec(path)?.[1]
  if (name !== undefined) {
    const text = readFileSync(join(root, prototype, 'index.json'), 'latin1')
    const body = gzipSync(Buffer.from(text.replaceAll(prototype, name), 'latin1'), { level: 1 })
    return [body, { 'content-type': 'application/json', 'content-encoding': 'gzip' }]
  }
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
server.listen(Number(process.argv[4] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object')
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`)
})
