// SPDX-License-Identifier: Apache-2.0
/** The five real clients, each in a home of its own so that nothing of this machine leaks in. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Kind = 'npm' | 'pnpm' | 'yarn' | 'berry' | 'bun'

/** What a run gave. */
export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Both, as a person sees them. */
  readonly text: string
}

/** Where a client runs: a home with its configuration, and folders of packages below it. */
export interface Desk {
  readonly kind: Kind
  readonly home: string
  /** Runs the client in a folder of this desk. */
  run(folder: string, args: readonly string[], options?: RunOptions): Promise<Run>
  /** Runs `holdfast …` in a folder of this desk, where the client is what its name on the PATH leads to. */
  holdfast(folder: string, args: readonly string[]): Promise<Run>
  /** Makes a folder with a `package.json` and other files; answers with its name. */
  folder(name: string, manifest: Readonly<Record<string, unknown>>, files?: Files): Promise<string>
  /** The manifest of an installed package, or undefined when it is not there. */
  installed(folder: string, name: string): Promise<Record<string, unknown> | undefined>
  /** Removes what was installed and every cache, as on a fresh machine; lock files stay. */
  forget(folder: string): Promise<void>
  /** Writes the client's configuration anew: with another token, or none. */
  configure(token: string | undefined, more?: Readonly<Record<string, string>>): Promise<void>
  remove(): Promise<void>
}

type Files = Readonly<Record<string, string>>

export interface RunOptions {
  readonly input?: string
  /** Runs in a terminal: some clients ask only there. */
  readonly terminal?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** Said for each piece of output: answers a prompt, or acts as the person at the browser. */
  onOutput?(text: string, write: (input: string) => void): void
}

const launcher = fileURLToPath(new URL('../../../cli/bin/holdfast.js', import.meta.url))
const modules = fileURLToPath(new URL('../../../../node_modules/', import.meta.url))
const programs: Record<Kind, readonly string[]> = {
  npm: [process.execPath, join(modules, 'npm/bin/npm-cli.js')],
  pnpm: [join(modules, '@pnpm/exe.linux-x64/pnpm')],
  yarn: [process.execPath, join(modules, 'yarn/bin/yarn.js')],
  berry: [process.execPath, join(modules, '@yarnpkg/cli-dist/bin/yarn.js')],
  bun: [join(modules, '@oven/bun-linux-x64/bin/bun')],
}
const runWithinMs = 150_000

/** False where npm found no build of a client for this platform. */
export function isHere(kind: Kind): boolean {
  return existsSync(programs[kind].at(-1) ?? '')
}

/** Why a test that needs a terminal cannot run here, or false. */
export const noTerminal = existsSync('/usr/bin/script')
  ? false
  : 'there is no program `script` here, which gives a client a terminal'

/** A fresh home for one client, pointed at a registry. */
export async function openDesk(kind: Kind, registry: string, token?: string): Promise<Desk> {
  const home = await mkdtemp(join(tmpdir(), `holdfast-${kind}-`))
  const configure = (secret: string | undefined, more: Readonly<Record<string, string>> = {}) =>
    writeFiles(home, kind === 'berry' ? berryConfig(registry, secret, more) : npmrc(registry, secret, more))
  await configure(token)
  return {
    kind,
    home,
    configure,
    run: (folder, args, options) => run(kind, home, join(home, folder), args, options),
    holdfast: (folder, args) => runHoldfast(kind, home, join(home, folder), args),
    async folder(name, manifest, files = {}) {
      const own = {
        'package.json': JSON.stringify(manifest, null, 2),
        ...(kind === 'berry' ? { 'yarn.lock': '' } : {}),
      }
      await writeFiles(join(home, name), { ...own, ...files })
      return name
    },
    installed: (folder, name) => readManifest(join(home, folder, 'node_modules', name, 'package.json')),
    async forget(folder) {
      for (const each of ['cache', 'store', 'berry', 'bun', 'data', `${folder}/node_modules`])
        await rm(join(home, each), { recursive: true, force: true, maxRetries: 5 })
    },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  }
}

async function readManifest(file: string): Promise<Record<string, unknown> | undefined> {
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined
}

function npmrc(registry: string, token: string | undefined, more: Readonly<Record<string, string>>): Files {
  const place = registry.replace(/^https?:/, '')
  const lines = [`registry=${registry}`, ...Object.entries(more).map(([key, value]) => `${key}=${value}`)]
  if (token !== undefined) lines.push(`${place}:_authToken=${token}`)
  return { '.npmrc': `${lines.join('\n')}\n` }
}

/** Berry refuses http and packages younger than a day unless told otherwise. */
function berryConfig(
  registry: string,
  token: string | undefined,
  more: Readonly<Record<string, string>>,
): Files {
  const settings: Record<string, unknown> = {
    npmRegistryServer: registry.replace(/\/$/, ''),
    unsafeHttpWhitelist: ['127.0.0.1'],
    npmMinimalAgeGate: 0,
    enableTelemetry: false,
    enableImmutableInstalls: false,
    nodeLinker: 'node-modules',
    ...(token === undefined ? {} : { npmAuthToken: token }),
    ...more,
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return { '.yarnrc.yml': `${lines.join('\n')}\n` }
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}

/** Only what is written here reaches a client: no setting, token or proxy of whoever runs the tests. */
function environment(kind: Kind, home: string): NodeJS.ProcessEnv {
  return {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    NO_COLOR: '1',
    DO_NOT_TRACK: '1',
    // Hundreds of runs load the same programs.
    NODE_COMPILE_CACHE: join(modules, '../.cache/compile'),
    ...ofKind[kind](home),
  }
}

const ofKind: Record<Kind, (home: string) => Readonly<Record<string, string>>> = {
  npm: home => ({
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_globalconfig: join(home, 'global-npmrc'),
    npm_config_cache: join(home, 'cache/npm'),
    npm_config_prefix: join(home, 'prefix'),
    npm_config_update_notifier: 'false',
    npm_config_fetch_retries: '0',
  }),
  pnpm: home => ({
    PNPM_HOME: join(home, 'pnpm'),
    // Left at its default it takes the oldest version that fits as long as all are younger than a day.
    pnpm_config_minimum_release_age: '0',
    // A dependency with an install script is a warning to the others.
    pnpm_config_strict_dep_builds: 'false',
    pnpm_config_store_dir: join(home, 'store'),
  }),
  yarn: home => ({ YARN_CACHE_FOLDER: join(home, 'cache/yarn') }),
  berry: home => ({ YARN_GLOBAL_FOLDER: join(home, 'berry'), YARN_ENABLE_TELEMETRY: '0' }),
  bun: home => ({ BUN_INSTALL: join(home, 'bun'), BUN_INSTALL_CACHE_DIR: join(home, 'cache/bun') }),
}

/** `script`, which every Debian and every macOS has, gives the client a terminal and us its exit code. */
function inTerminal(line: readonly string[]): string[] {
  if (process.platform === 'darwin') return ['script', '-qe', '/dev/null', ...line]
  const quoted = line.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  return ['script', '-qefc', quoted, '/dev/null']
}

/** Without colours, cursor movements and carriage returns. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals send
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, '')
}

async function runHoldfast(kind: Kind, home: string, cwd: string, args: readonly string[]): Promise<Run> {
  const name = kind === 'berry' ? 'yarn' : kind
  const line = programs[kind].map(word => `'${word}'`).join(' ')
  await mkdir(join(home, 'bin'), { recursive: true })
  await writeFile(join(home, 'bin', name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 })
  const env = { PATH: `${join(home, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin` }
  return runLine([process.execPath, launcher, ...args], kind, home, cwd, { env })
}

function run(
  kind: Kind,
  home: string,
  cwd: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  return runLine([...programs[kind], ...args], kind, home, cwd, options)
}

function runLine(
  line: readonly string[],
  kind: Kind,
  home: string,
  cwd: string,
  options: RunOptions,
): Promise<Run> {
  const [program = '', ...rest] = options.terminal === true ? inTerminal(line) : line
  const child = spawn(program, rest, {
    cwd,
    env: { ...environment(kind, home), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // Who asks in a terminal prints the question, and then throws away what was typed before it listens key by key.
  const type = (input: string) => {
    if (options.terminal === true) setTimeout(() => child.stdin.write(input.replace('\n', '\r')), 500)
    else child.stdin.write(input)
  }
  const said = { stdout: '', stderr: '', text: '' }
  const hear = (channel: 'stdout' | 'stderr') => (piece: string) => {
    said[channel] += piece
    said.text = plain(said.text + piece)
    options.onOutput?.(said.text, type)
  }
  child.stdout.setEncoding('utf8').on('data', hear('stdout'))
  child.stderr.setEncoding('utf8').on('data', hear('stderr'))
  // A client that ends before it reads what was typed is no fault of the test.
  child.stdin.on('error', () => {})
  if (options.onOutput === undefined) child.stdin.end(options.input ?? '')
  const { promise, resolve, reject } = Promise.withResolvers<Run>()
  const timer = setTimeout(() => child.kill('SIGKILL'), runWithinMs)
  child.on('error', reject)
  child.on('close', code => resolve({ code, ...said }))
  return promise.finally(() => clearTimeout(timer))
}

/** How each client says the same thing. */
export const commands: Record<Kind, Commands> = {
  npm: {
    install: ['install'],
    frozen: ['ci'],
    add: spec => ['install', spec],
    update: name => ['update', name],
    publish: ['publish'],
    lockFile: 'package-lock.json',
  },
  pnpm: {
    install: ['install'],
    frozen: ['install', '--frozen-lockfile'],
    add: spec => ['add', spec],
    update: name => ['update', name],
    publish: ['publish', '--no-git-checks'],
    lockFile: 'pnpm-lock.yaml',
  },
  yarn: {
    install: ['install'],
    frozen: ['install', '--frozen-lockfile'],
    add: spec => ['add', spec],
    update: name => ['upgrade', name],
    publish: ['publish', '--non-interactive'],
    lockFile: 'yarn.lock',
  },
  berry: {
    install: ['install'],
    frozen: ['install', '--immutable'],
    add: spec => ['add', spec],
    update: name => ['up', '-R', name],
    publish: ['npm', 'publish'],
    lockFile: 'yarn.lock',
  },
  bun: {
    install: ['install'],
    frozen: ['install', '--frozen-lockfile'],
    add: spec => ['add', spec],
    update: name => ['update', name],
    publish: ['publish'],
    lockFile: 'bun.lock',
  },
}

interface Commands {
  readonly install: readonly string[]
  readonly frozen: readonly string[]
  add(spec: string): readonly string[]
  update(name: string): readonly string[]
  readonly publish: readonly string[]
  readonly lockFile: string
}
