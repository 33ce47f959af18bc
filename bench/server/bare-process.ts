// SPDX-License-Identifier: Apache-2.0
// The yardstick: what node:http can do at most when all answers lie ready in memory.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, relative } from 'node:path'

const root = process.argv[2] ?? '.'
type Answer = { readonly body: Buffer; readonly head: Record<string, string | number>; readonly etag: string }
const answers = new Map<string, { readonly plain: Answer; readonly gzip: Answer }>()

for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (!entry.isFile() || path.endsWith('.gz')) continue
  const plain = answerOf(path, {})
  const gzip = path.endsWith('.json') ? answerOf(`${path}.gz`, { 'content-encoding': 'gzip' }) : plain
  answers.set(`/static/${relative(root, path)}`, { plain, gzip })
}

function answerOf(path: string, more: Record<string, string>): Answer {
  const body = readFileSync(path)
  const etag = `"${body.length.toString(16)}-${more['content-encoding'] ?? 'plain'}"`
  const type = path.endsWith('.tgz') ? 'application/octet-stream' : 'application/json'
  const head = { 'content-type': type, 'content-length': body.length, etag, vary: 'accept-encoding', ...more }
  return { body, head, etag }
}

const server = createServer((request, response) => {
  const found = answers.get(request.url ?? '')
  if (!found) return response.writeHead(404).end()
  const answer = request.headers['accept-encoding']?.includes('gzip') ? found.gzip : found.plain
  if (request.headers['if-none-match'] === answer.etag)
    return response.writeHead(304, { etag: answer.etag }).end()
  response.writeHead(200, answer.head).end(answer.body)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object')
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`)
})
