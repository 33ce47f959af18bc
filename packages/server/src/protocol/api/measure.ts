// SPDX-License-Identifier: Apache-2.0
/** Measures: what responders close, see and open again. */
import { parsePackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  confirmMeasure,
  contain,
  freezeOwn,
  listMeasures,
  parseDraft,
  parseRevocation,
  previewMeasure,
  previewRevocation,
  readSwitches,
  revokeMeans,
  undoMeasure,
} from '../../flow/index.ts'
import { type Answer, type Call, parseJson } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBytes } from './body.ts'

const maxBodyBytes = 16 * 1024
/** A measure or a question about one, in texts. */
export const measureBody = v.record(v.string(), v.pipe(v.string(), v.maxLength(2000)))

/** `GET /api/v1/measures`: those that hold, then those that ended. */
export async function getMeasures(ports: Ports, call: Call): Promise<Answer> {
  return json(200, { measures: await listMeasures(ports, call.actor) })
}

/** `GET /api/v1/switches`: what of this registry is switched off now; for everybody. */
export async function getSwitches(ports: Ports): Promise<Answer> {
  const switches = await readSwitches(ports)
  const shown = switches.map(({ subject, reason, madeAt, lapsesAt }) => ({
    subject,
    reason,
    madeAt,
    lapsesAt,
  }))
  return json(200, { closed: shown })
}

/**
 * `POST /api/v1/measures` with `{"kind": "freeze", "subject", …}` or `{"kind": "block", "hash" | "indicator", …}` or `{"kind": "quarantine", "package"?, "version"?, "origin"?,
 * "publisher"?, "token"?, "since"?, "until"?, "hash"?, "indicator"?, …}`, and `"reason"`, `"words"?`, `"incident"?`, `"confirm"?`.
 */
export async function postMeasure(ports: Ports, call: Call): Promise<Answer> {
  return json(201, await contain(ports, call.actor, parseDraft(await readBody(call))))
}

/** `POST /api/v1/measures/preview` with the same: what it would close. */
export async function postPreview(ports: Ports, call: Call): Promise<Answer> {
  return json(200, await previewMeasure(ports, call.actor, parseDraft(await readBody(call))))
}

/** `POST /api/v1/measures/own` with `{"package", "words"?}`: a maintainer freezes a package. */
export async function postOwnFreeze(ports: Ports, call: Call): Promise<Answer> {
  const { package: name, words = '' } = await readBody(call)
  return json(201, await freezeOwn(ports, call.actor, parsePackageName(name), words))
}

/** `POST /api/v1/measures/confirm` with `{"id"}`. */
export async function postConfirm(ports: Ports, call: Call): Promise<Answer> {
  const { id = '' } = await readBody(call)
  await confirmMeasure(ports, call.actor, id)
  return json(200, { id, state: 'confirmed' })
}

/** `POST /api/v1/measures/undo` with `{"id"}`: `asked` until a second person says so too. */
export async function postUndo(ports: Ports, call: Call): Promise<Answer> {
  const { id = '' } = await readBody(call)
  return json(200, { id, state: await undoMeasure(ports, call.actor, id) })
}

/** `POST /api/v1/measures/revoke` with `{"account" | "publisher" | "package" | "token", "since"?, "until"?, "reason", "words"?, "confirm"?, "preview"?: "yes"}`: how much ends. */
export async function postRevoke(ports: Ports, call: Call): Promise<Answer> {
  const text = await readBody(call)
  const { query, why } = parseRevocation(text)
  const isPreview = text['preview'] === 'yes'
  const means = await (isPreview
    ? previewRevocation(ports, call.actor, query)
    : revokeMeans(ports, call.actor, query, why))
  const { holders, tokens, sessions, publishers, word } = means
  return json(200, {
    holders,
    tokens: tokens.length,
    sessions: sessions.length,
    publishers: publishers.length,
    ...(isPreview && word !== '' ? { word } : {}),
    state: isPreview ? 'preview' : 'revoked',
  })
}

async function readBody(call: Call): Promise<Readonly<Record<string, string | undefined>>> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const parsed = v.safeParse(measureBody, parseJson(await readBytes(call, maxBodyBytes)))
  if (!parsed.success) throw problem('invalid-body', { why: 'it has members that are no text' })
  return parsed.output
}
