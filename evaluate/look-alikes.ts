// SPDX-License-Identifier: Apache-2.0
/** How many labelled squats are held, and how many honest names with them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadLookAlike } from '../packages/server/src/vulnerability/index.ts'
import type { Figure, Part } from '../scripts/evaluate.ts'

const fixture = join(import.meta.dirname, '../packages/server/test/fixture/evaluation')
const list = join(import.meta.dirname, '../packages/server/src/vulnerability/look-alike/popular-names.txt')
const folds = 5

interface Pair {
  readonly name: string
  readonly target: string
  readonly isSquat: boolean
}

/** Figures of names that are taken for others. */
export const part: Part = { name: 'look-alikes', run }

async function run(): Promise<readonly Figure[]> {
  const { findLookAlike, loadPopularNames, readPopularNames } = await loadLookAlike()
  const index = await loadPopularNames()
  const look = (name: string) => findLookAlike(index, name)
  const isHeld = (name: string) => look(name).verdict === 'hold'
  const pairs = readPairs()
  const squats = pairs.filter(({ isSquat }) => isSquat)
  const held = squats.filter(({ name }) => isHeld(name))
  const named = held.filter(({ name, target }) => look(name).target === target)
  const [even, odd] = [0, 1].map(half => squats.filter((_, at) => at % 2 === half))
  const benign = pairs.filter(({ isSquat }) => !isSquat)
  const ordinary = readLines('less-used-names.txt')
  const drawn = readLines('less-used-names-2.txt')
  const began = performance.now()
  const ordinaryHeld = ordinary.filter(isHeld)
  const eachMs = (performance.now() - began) / ordinary.length
  const listed = readFileSync(list, 'utf8').split('\n')
  const tail = listed
    .slice(Math.floor(listed.length / 5))
    .filter(line => line !== '' && !line.startsWith('= '))
  const heldOut = tail.filter((_, at) => at % 40 === 0)
  const listedHeld = heldOut.filter(isHeld)
  const unseen = Array.from({ length: folds }, (_, fold) => {
    const out = new Set(heldOut.filter((_, at) => at % folds === fold))
    const without = readPopularNames(listed.filter(line => !out.has(line)).join('\n'))
    return [...out].filter(name => findLookAlike(without, name).verdict === 'hold').length
  }).reduce((sum, each) => sum + each, 0)
  return [
    share('squats held', held.length, squats.length, 60, 'least'),
    share('of those, with the target that people named', named.length, held.length),
    share('squats held, even half', countHeld(even, isHeld), even?.length ?? 0, 60, 'least'),
    share('squats held, odd half', countHeld(odd, isHeld), odd?.length ?? 0, 60, 'least'),
    share('hard benign pairs held', countHeld(benign, isHeld), benign.length, 20, 'most'),
    share(
      'less used names held (none of them in the list)',
      ordinaryHeld.length,
      ordinary.length,
      1.5,
      'most',
    ),
    share('others, drawn when the rules stood', countNames(drawn, isHeld), drawn.length, 1.5, 'most'),
    ...made(listed, isHeld),
    share('names of rank 10,000 to 50,000 held', listedHeld.length, heldOut.length, 1.5, 'most'),
    share('the same, each taken out of the list before', unseen, heldOut.length),
    { row: 'one name', value: `${eachMs.toFixed(1)} ms`, wanted: '≤ 5 ms', isMet: eachMs <= 5 },
  ]
}

function countHeld(pairs: readonly Pair[] = [], isHeld: (name: string) => boolean): number {
  return pairs.filter(({ name }) => isHeld(name)).length
}

function countNames(names: readonly string[], isHeld: (name: string) => boolean): number {
  return names.filter(isHeld).length
}

/** Names made of well-used ones by each trick in turn, at places that the name itself decides: of each rank, how many are held. */
function made(listed: readonly string[], isHeld: (name: string) => boolean): readonly Figure[] {
  const names = listed.filter(line => line !== '' && !/^[=#] /.test(line))
  const known = new Set(names)
  const ranks = [
    [0, 1000],
    [1000, 5000],
    [5000, 10_000],
    [10_000, 50_000],
  ] as const
  return ranks.map(([first, end], at) => {
    const some = names.slice(first, end).filter(name => name.replace(/^@.*\//, '').length >= 5)
    const step = Math.max(1, Math.floor(some.length / 400))
    const squats = some
      .filter((_, index) => index % step === 0)
      .flatMap((name, index) => squatOf(name, index) ?? [])
      .filter(name => !known.has(name))
    const row = `names made of those of rank ${first + 1} to ${end} by 16 tricks, held`
    return at < 2
      ? share(row, countNames(squats, isHeld), squats.length, 60, 'least')
      : share(row, countNames(squats, isHeld), squats.length)
  })
}

const keys: Readonly<Record<string, string>> = {
  a: 's',
  e: 'r',
  i: 'o',
  o: 'p',
  n: 'm',
  t: 'r',
  s: 'd',
  l: 'k',
}

/** What one trick makes of a name, if it can be played on it. */
function squatOf(name: string, index: number): string | undefined {
  if (name.startsWith('@')) {
    const [scope = '', base = ''] = name.slice(1).split('/')
    return [`${scope}-${base}`, `@${scope}-official/${base}`, `@${swap(scope, 1)}/${base}`][index % 3]
  }
  const at = 1 + (index % (name.length - 2))
  const [before, letter, after] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)]
  const tricks = [
    swap(name, at),
    before + after,
    before + letter + letter + after,
    keys[letter] === undefined ? undefined : before + keys[letter] + after,
    `${before}${letter}e${after}`,
    name.replace(/[-._]/, ''),
    name.replace(/-/, '_'),
    name.replace(/l/, '1').replace(/o/, '0'),
    `${name}js`,
    `${name}-js`,
    `node-${name}`,
    `${name}-latest`,
    `${name}2`,
    name.endsWith('s') ? name.slice(0, -1) : `${name}s`,
    swap(before + after, 1),
    name.split('-').reverse().join('-'),
  ]
  const made = tricks[index % tricks.length]
  return made === name ? undefined : made
}

function swap(name: string, at: number): string {
  return name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2)
}

function share(row: string, some: number, all: number, percent?: number, limit?: 'least' | 'most'): Figure {
  const value = (100 * some) / all
  const wanted = percent === undefined ? '' : `${limit === 'least' ? '≥' : '≤'} ${percent} %`
  const isMet = percent === undefined || (limit === 'least' ? value >= percent : value <= percent)
  return { row, value: `${value.toFixed(1)} % (${some} of ${all})`, wanted, isMet }
}

function readPairs(): readonly Pair[] {
  return readLines('look-alike-pairs.tsv')
    .slice(1)
    .map(line => {
      const [name = '', target = '', label] = line.split('\t')
      return { name, target, isSquat: label === 'typosquat' }
    })
}

function readLines(file: string): readonly string[] {
  return readFileSync(join(fixture, file), 'utf8').trim().split('\n')
}
