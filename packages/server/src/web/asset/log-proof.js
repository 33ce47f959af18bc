// SPDX-License-Identifier: Apache-2.0
/** Checks the proofs on a page with the browser's own cryptography, and says what was found. The page does without. */
import { parseCheckpoint } from '@holdfast/core/tlog/checkpoint.ts'
import { checkChain, readLeaf } from '@holdfast/core/tlog/leaf.ts'
import { webCrypto } from '@holdfast/core/tlog/log-crypto.ts'
import { hashLeaf, verifyInclusion } from '@holdfast/core/tlog/merkle.ts'
import { parseNote, parseVerifierKey, verifyNote } from '@holdfast/core/tlog/note.ts'
import { parseLogProof } from '@holdfast/core/tlog/tlog-proof.ts'

for (const block of document.querySelectorAll('[data-log-check]')) run(block)

async function run(block) {
  const result = block.querySelector('[data-log-result]')
  if (!(await canCheck()))
    return say(result, 'plain', 'This browser cannot check it', 'It needs https and Ed25519.')
  say(result, 'plain', 'Your browser is checking …', '')
  try {
    say(result, 'good', 'Verified here, on your machine', await verify(block))
  } catch (error) {
    say(
      result,
      'bad',
      'Not verified',
      `${error.message}. Do not rely on what this page says; keep a copy of it.`,
    )
  }
}

/** Pages that came by plain http have no cryptography, and old browsers not this one. */
async function canCheck() {
  const { subtle } = globalThis.crypto
  if (subtle === undefined) return false
  return subtle.generateKey('Ed25519', false, ['sign', 'verify']).then(
    () => true,
    () => false,
  )
}

async function verify(block) {
  const key = await parseVerifierKey(webCrypto, block.dataset.vkey)
  const texts = [...block.querySelectorAll('[data-log-proof]')].map(each => each.textContent)
  const proven = []
  for (const text of texts) proven.push(await verifyProof(text, key, block.dataset.origin))
  const [first] = proven
  compare(first.leaf, JSON.parse(block.dataset.claim))
  const entries = proven.map(each => each.index).join(' and ')
  const words = [
    `Entry ${entries} of ${first.size} under a checkpoint signed by ${key.name} (key ${key.id}), with what this page says of it.`,
  ]
  words.push(...(await verifyChain(block, proven)))
  words.push('The key is the one this page names: compare it with the one you pinned.')
  return words.join(' ')
}

async function verifyProof(text, key, origin) {
  const { entry, index, path, checkpoint } = parseLogProof(text)
  const note = parseNote(checkpoint)
  await verifyNote(webCrypto, note, [key])
  const tree = parseCheckpoint(note.text)
  if (tree.origin !== origin) throw new Error(`The checkpoint is of another log: ${tree.origin}`)
  const leaf = await hashLeaf(webCrypto, entry)
  const isIncluded = await verifyInclusion(webCrypto, { leaf, index, size: tree.size, path, root: tree.root })
  if (!isIncluded) throw new Error(`Entry ${index} is not in the tree that was signed`)
  const said = readLeaf(entry)
  if (said.log !== origin) throw new Error(`Entry ${index} was made for another log`)
  return { index, size: tree.size, leaf: said, text: new TextDecoder().decode(entry) }
}

/** What the page shows beside the proof must be what was proven. */
function compare(leaf, claim) {
  for (const [name, shown] of Object.entries(claim)) {
    const proven = name === 'integrity' ? leaf.fields.dist?.integrity : leaf.fields[name]
    if (proven !== shown) throw new Error(`The page says ${shown}, and the entry ${proven}`)
  }
}

/** The history of the package: no entry left out between the first and the last, which is proven. */
async function verifyChain(block, proven) {
  const scope = block.parentElement ?? block
  const texts = [...scope.querySelectorAll('[data-log-leaf]')].map(each => each.textContent)
  if (texts.length === 0) return []
  const leaves = texts.map(text => new TextEncoder().encode(text))
  await checkChain(webCrypto, leaves)
  if (proven.at(-1).text !== texts.at(-1))
    throw new Error('The last entry of the history is not the one that was proven')
  return leaves.length === 1
    ? ['It is the only entry of its package.']
    : [`The ${leaves.length} entries of its package follow one another without a gap.`]
}

function say(result, tone, title, words) {
  result.className = `notice ${tone}`
  const strong = document.createElement('strong')
  strong.textContent = title
  const body = document.createElement('div')
  body.textContent = words
  result.replaceChildren(strong, ...(words === '' ? [] : [body]))
}
