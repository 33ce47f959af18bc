// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer } from '../http/index.ts'
import { type CoreModules, loadCoreModules } from './core-asset.ts'

const sources = {
  'style.css': 'text/css',
  'copy.js': 'text/javascript',
  'log-proof.js': 'text/javascript',
  'passkey.js': 'text/javascript',
  'icon.svg': 'image/svg+xml',
} as const

type AssetName = keyof typeof sources

interface Asset {
  readonly path: string
  readonly type: string
  readonly bytes: Buffer
}

/** How scripts import a module of core; a browser needs its address. */
const coreImport = /'@holdfast\/core\/([^']+)'/g

let loaded: ReadonlyMap<string, Asset> | undefined
let loadedCore: CoreModules | undefined

/** The address of a file, with the hash of its content in it: what is behind it never changes. */
export function assetPath(name: AssetName): string {
  const asset = assets().get(name)
  if (asset === undefined) throw new Error(`no such asset: ${name}`)
  return asset.path
}

/** The file behind an address, or undefined when there is none, or its content is another by now. */
export function findAsset(path: string): Answer | undefined {
  const asset = [...assets().values()].find(each => each.path === path)
  if (asset !== undefined) return answer(asset.type, asset.bytes)
  const source = core().find(path)
  return source === undefined ? undefined : answer('text/javascript', source)
}

function answer(type: string, body: string | Buffer): Answer {
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      // An SVG opened by itself is a document.
      'content-security-policy': "default-src 'none'",
    },
    body,
  }
}

function assets(): ReadonlyMap<string, Asset> {
  loaded ??= new Map(Object.entries(sources).map(([name, type]) => [name, load(name, type)]))
  return loaded
}

function core(): CoreModules {
  loadedCore ??= loadCoreModules(
    [...read('log-proof.js').matchAll(coreImport)].map(([, place = '']) => place),
  )
  return loadedCore
}

function load(name: string, type: string): Asset {
  const text = read(name)
  const bytes = Buffer.from(text.replaceAll(coreImport, (_, place) => `'${core().path(place)}'`))
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  const dot = name.lastIndexOf('.')
  return { path: `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`, type, bytes }
}

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, 'asset', name), 'utf8')
}
