// SPDX-License-Identifier: Apache-2.0
/** `npm stage`: versions that wait for approval (protocol reference, section 10.3). */
import { formatIntegrity, parsePackageName } from '@holdfast/core'
import {
  approveStaged,
  getStaged,
  listStaged,
  openForStage,
  openStaged,
  rejectStaged,
  type StageView,
  stagePath,
  stageVersion,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, headerText, json } from '../answer.ts'
import { packageOf, part } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'
import { heldWords, notYetVisible, readBody, withUpload } from './publish.ts'

export const stageRoutes: readonly Route[] = [
  route('POST /-/stage/package/:pkg', stage),
  route('GET /-/stage', list),
  route('GET /-/stage/:id', view),
  route('GET /-/stage/:id/tarball', download),
  route('POST /-/stage/:id/approve', approve),
  route('DELETE /-/stage/:id', reject),
]

const defaultPerPage = 100

async function stage(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const name = packageOf(params)
  // Before a byte of the body is stored.
  await openForStage(ports, call.actor, name)
  const body = await readBody(ports, call)
  return withUpload(ports, name, body, async upload => {
    const staged = await stageVersion(ports, call.actor, upload)
    return json(201, { stageId: staged.id }, reviewNotice(ports, staged))
  })
}

async function list(ports: Ports, call: Call): Promise<Answer> {
  const wanted = call.query.get('package')
  const all = await listStaged(ports, call.actor, wanted === null ? undefined : parsePackageName(wanted))
  const page = count(call.query.get('page'), 0)
  const perPage = Math.min(Math.max(count(call.query.get('perPage'), defaultPerPage), 1), defaultPerPage)
  const items = all.slice(page * perPage, (page + 1) * perPage).map(each => describe(ports, each))
  return json(200, { items, total: all.length })
}

async function view(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return json(200, describe(ports, await getStaged(ports, call.actor, part(params, 'id'))))
}

async function download(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const { reader, integrity } = await openStaged(ports, call.actor, part(params, 'id'))
  const headers = {
    'content-type': 'application/octet-stream',
    'cache-control': 'no-store',
    'x-integrity': integrity,
  }
  return { status: 200, headers, stream: { reader, start: 0, length: reader.sizeBytes } }
}

async function approve(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const { staged, missing, held, isVisible } = await approveStaged(ports, call.actor, part(params, 'id'))
  const { package: name, version } = staged
  const spec = `${name}@${version}`
  if (isVisible && held === '') return json(200, { ok: true, success: true, id: spec, missing })
  // npm itself says that it is published.
  const waits = `Approved, and not published yet: ${missing} more must approve ${spec}`
  const published = held === '' ? `${spec} ${notYetVisible}` : `Approved, and ${spec} is ${heldWords(held)}`
  const words = missing > 0 ? waits : published
  return json(200, { ok: true, success: true, id: spec, missing }, { 'npm-notice': headerText(words) })
}

async function reject(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await rejectStaged(ports, call.actor, part(params, 'id'))
  return done
}

function describe(ports: Ports, { staged, stager, approvals, needed }: StageView): Record<string, unknown> {
  const { id, package: packageName, version, tag, shasum } = staged
  return {
    id,
    packageName,
    version,
    status: 'staged',
    tag,
    createdAt: new Date(staged.stagedAt).toISOString(),
    actor: stager,
    actorType: { person: 'user', job: 'oidc', robot: 'robot' }[staged.stagerKind],
    shasum,
    integrity: formatIntegrity(staged.digest),
    size: staged.sizeBytes,
    expiresAt: new Date(staged.expiresAt).toISOString(),
    approvals: `${approvals.length} of ${needed}`,
    page: ports.config.publicUrl + stagePath(staged),
  }
}

function reviewNotice(ports: Ports, staged: StageView['staged']): Record<string, string> {
  return {
    'npm-notice': headerText(`Its maintainers decide at ${ports.config.publicUrl}${stagePath(staged)}`),
  }
}

function count(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : otherwise
}
