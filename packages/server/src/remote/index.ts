// SPDX-License-Identifier: Apache-2.0
/** Services behind ports. */
export { openAdvisorySource } from './advisory-source.ts'
export { openAuditSink } from './audit-sink.ts'
export { openDomainLookup } from './domain-facts.ts'
export { openKeyFolder } from './key-folder.ts'
export { openLogKey } from './log-key.ts'
export { openMail } from './mail.ts'
export { openNameSource } from './name-source.ts'
export { openUpstream } from './npm/upstream.ts'
export { openOutbound } from './outbound.ts'
export { openReportKeys } from './report-keys.ts'
export { noWitnesses, openWitnesses, readWitnessPolicy } from './witness.ts'
export { openWitnessSizes } from './witness-sizes.ts'
