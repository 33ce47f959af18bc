// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePackument, tarballName } from '../corpus.ts'
import { send } from '../http.ts'
import { findFreePort, start, waitForAnswer } from '../process.ts'
import type { Peer, Stock } from './peer.ts'

const program = join(import.meta.dirname, '../node_modules/verdaccio/bin/verdaccio')

/** Why Verdaccio cannot be measured, if so. */
export function prepareVerdaccio(): string | undefined {
  return existsSync(program) ? undefined : 'Verdaccio is not installed (npm ci --prefix bench)'
}

/** Lays packages into a Verdaccio storage folder as Verdaccio itself does. */
export function writeVerdaccioStock(folder: string, stock: Stock): void {
  for (const [name, releases] of stock) {
    const home = join(folder, 'storage', name)
    mkdirSync(home, { recursive: true })
    const files = releases.map(r => ({ file: tarballName(name, r.version), data: r.tarball }))
    for (const { file, data } of files) writeFileSync(join(home, file), data)
    const document = {
      ...makePackument('http://127.0.0.1', releases),
      _uplinks: {},
      _distfiles: {},
      _attachments: Object.fromEntries(files.map(({ file }) => [file, { version: '' }])),
    }
    writeFileSync(join(home, 'package.json'), JSON.stringify(document))
  }
  const list = { list: [...stock.keys()], secret: 'b'.repeat(32) }
  writeFileSync(join(folder, 'storage/.verdaccio-db.json'), JSON.stringify(list))
}

/** What a start may be told: the kind of tokens (by default Verdaccio's own default), a token that exists already, a registry to stand before. */
export type VerdaccioStart = {
  readonly tokens?: 'default' | 'jwt'
  readonly token?: string
  readonly uplink?: string
}

/** Verdaccio as its users run it, but quiet: that flatters it a little. */
export async function startVerdaccio(folder: string, how: VerdaccioStart = {}): Promise<Peer> {
  mkdirSync(join(folder, 'storage'), { recursive: true })
  const configFile = join(folder, 'config.yaml')
  writeFileSync(configFile, configuration(folder, how))
  const registry = `http://127.0.0.1:${await findFreePort()}`
  const running = start({
    run: [process.execPath, program, '--config', configFile, '--listen', registry],
    folder,
    environment: { NODE_ENV: 'production' },
  })
  const readyMs = await waitForAnswer(running, `${registry}/-/ping`)
  return {
    name: 'verdaccio',
    running,
    registry,
    token: how.token ?? (await signUp(registry)),
    readyMs,
    packumentUrl: name => `${registry}/${name.replace('/', '%2f')}`,
    tarballUrl: (name, version) => `${registry}/${name}/-/${tarballName(name, version)}`,
  }
}

async function signUp(registry: string): Promise<string> {
  const account = JSON.stringify({ name: 'bench', password: 'bench-bench-bench', type: 'user' })
  const headers = { 'content-type': 'application/json' }
  const answer = await send('PUT', `${registry}/-/user/org.couchdb.user:bench`, headers, Buffer.from(account))
  const { token } = JSON.parse(answer.body.toString('utf8'))
  if (typeof token !== 'string') throw new Error(`Verdaccio gave no token: ${answer.body.toString('utf8')}`)
  return token
}

function configuration(folder: string, { tokens, uplink }: VerdaccioStart): string {
  const rights = `access: $all, publish: $authenticated${uplink === undefined ? '' : ', proxy: upstream'}`
  return `storage: ${folder}/storage
auth: { htpasswd: { file: ${folder}/htpasswd } }
uplinks: ${uplink === undefined ? '{}' : `{ upstream: { url: ${uplink} } }`}
packages: { '@*/*': { ${rights} }, '**': { ${rights} } }
max_body_size: 600mb
${tokens === 'jwt' ? 'security: { api: { jwt: { sign: { expiresIn: 29d } } } }' : ''}
log: { type: stdout, format: json, level: warn }
`
}
