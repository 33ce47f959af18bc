// SPDX-License-Identifier: Apache-2.0
import { type Release, tarballName, withDist } from './corpus.ts'
import { send } from './http.ts'
import type { Peer } from './server/peer.ts'

/** The body npm sends to publish a release. */
export function publishBody(registry: string, release: Release): Buffer {
  const file = tarballName(release.name, release.version)
  return Buffer.from(
    JSON.stringify({
      _id: release.name,
      name: release.name,
      'dist-tags': { latest: release.version },
      access: 'public',
      versions: { [release.version]: { ...withDist(registry, release), readme: release.readme } },
      _attachments: {
        [file]: {
          content_type: 'application/octet-stream',
          data: release.tarball.toString('base64'),
          length: release.tarball.length,
        },
      },
    }),
  )
}

/** Publishes one release and fails unless the peer says that it has it. */
export async function publish(peer: Peer, name: string, body: Buffer): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${peer.token}`,
    'npm-command': 'publish',
    'user-agent': 'npm/11.0.0 node/v24.0.0 linux x64 workspaces/false',
  }
  const answer = await send('PUT', `${peer.registry}/${name.replace('/', '%2f')}`, headers, body)
  if (answer.status >= 300)
    throw new Error(
      `${peer.name} refuses ${name}: ${answer.status} ${answer.body.toString('utf8').slice(0, 500)}`,
    )
}
