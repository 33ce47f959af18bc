// SPDX-License-Identifier: Apache-2.0
import { auditLog } from '../../log/audit.ts'
import { verifyCheckpoint } from '../../log/checkpoint.ts'
import { openLog, readCheckpointNote } from '../../log/source.ts'
import { fetchTrust } from '../../log/trust.ts'
import { fail, type OutsideProbe, pass, unseen } from '../outside.ts'
import { jsonOf } from '../target.ts'

/** Beyond it an audit is a command of its own: `holdfast log audit`. */
const auditedAtMost = 20_000

const ignore = () => undefined

/** The whole log is read and computed again, as a stranger would. */
export const log: OutsideProbe = {
  capability: 'general-3-log',
  async look(target) {
    const reply = await target.ask('/log/checkpoint')
    if (reply.status !== 200)
      return (await target.ask('/log/trust')).status === 200
        ? unseen('a log is there, and nothing stands in it yet')
        : fail(`no log is there: /log/checkpoint answers ${reply.status}`)
    const registry = { url: target.origin, token: undefined }
    const source = openLog(registry)
    const checkpoint = await verifyCheckpoint(await fetchTrust(registry), await readCheckpointNote(source))
    if (checkpoint.size > auditedAtMost)
      return unseen(`a signed log of ${checkpoint.size} entries; audit it with holdfast log audit`)
    const { faults, faultCount } = await auditLog(source, checkpoint, ignore, ignore)
    if (faultCount > 0) return fail(`an audit of the log finds ${faultCount} faults: ${faults[0]}`)
    return pass(
      `an audit of all ${checkpoint.size} entries, by the keys that it names itself, finds nothing wrong`,
    )
  },
}

/** Advisories by the questions that tools for OSV ask. */
export const osv: OutsideProbe = {
  capability: 'general-3-osv',
  async look(target) {
    const asked = { version: '4.17.20', package: { ecosystem: 'npm', name: 'lodash' } }
    const reply = await target.ask('/osv/v1/query', asked)
    const { vulns } = Object(jsonOf(reply)) as { vulns?: unknown }
    if (reply.status !== 200) return unseen(`/osv/v1/query answers ${reply.status}; it may be somewhere else`)
    if (!Array.isArray(vulns) || vulns.length === 0)
      return unseen('questions of OSV tools are answered, and nothing is known against lodash@4.17.20')
    const ids = vulns.map(each => String(Object(each).id))
    return pass(`asked as OSV tools ask, it knows ${ids.slice(0, 5).join(', ')} of lodash@4.17.20`)
  },
}
