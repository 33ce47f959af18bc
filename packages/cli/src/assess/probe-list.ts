// SPDX-License-Identifier: Apache-2.0

import { throttling } from './probe/authn-1-bruteforce.ts'
import { provenEmail } from './probe/authn-1-email.ts'
import { notices } from './probe/authn-1-notify.ts'
import { recovery } from './probe/authn-1-recovery.ts'
import { authenticator } from './probe/authn-1-totp.ts'
import { criticalMfa } from './probe/authn-2-critical.ts'
import { abandonedDomains } from './probe/authn-2-domains.ts'
import { leakedPasswords } from './probe/authn-2-leaked.ts'
import { webauthn } from './probe/authn-2-webauthn.ts'
import { allMfa } from './probe/authn-3-all-mfa.ts'
import { criticalPhishing } from './probe/authn-3-critical-phishing.ts'
import { passkeys } from './probe/authn-3-passkeys.ts'
import { tokenPrefix } from './probe/authz-1-prefix.ts'
import { scopedKeys } from './probe/authz-1-scoped-keys.ts'
import { rbac } from './probe/authz-2-rbac.ts'
import { trustedPublishing } from './probe/authz-3-oidc.ts'
import { provenance } from './probe/authz-3-provenance.ts'
import { leakedTokens } from './probe/authz-3-scanning.ts'
import { airgap } from './probe/beyond-airgap.ts'
import { blast } from './probe/beyond-blast.ts'
import { confusion } from './probe/beyond-confusion.ts'
import { drill } from './probe/beyond-drill.ts'
import { explain } from './probe/beyond-explain.ts'
import { fixAwareAge } from './probe/beyond-fix-aware-age.ts'
import { freeze } from './probe/beyond-freeze.ts'
import { oneGate } from './probe/beyond-one-gate.ts'
import { publisherGate } from './probe/beyond-publisher-gate.ts'
import { signatures } from './probe/beyond-signatures.ts'
import { staged } from './probe/beyond-staged.ts'
import { takedown } from './probe/beyond-takedown.ts'
import { weightedReports } from './probe/beyond-weighted-reports.ts'
import { pinned } from './probe/cli-1-pin.ts'
import { warnings } from './probe/cli-2-warn.ts'
import { fix } from './probe/cli-3-fix.ts'
import { reachability } from './probe/cli-3-reachability.ts'
import { sbom } from './probe/cli-3-sbom.ts'
import { typosquats } from './probe/general-1-typosquat.ts'
import { disclosure } from './probe/general-1-vdp.ts'
import { malware } from './probe/general-2-malware.ts'
import { reports } from './probe/general-2-report.ts'
import { unpublish } from './probe/general-2-unpublish.ts'
import { pageWarnings } from './probe/general-2-warn.ts'
import { publicLog } from './probe/general-3-log.ts'
import { osvAdvisories } from './probe/general-3-osv.ts'
import { reviews } from './probe/general-3-review.ts'
import type { Probe } from './probe.ts'

/** Every probe that exists; a capability that none of them shows is `missing`. */
export const probes: readonly Probe[] = [
  throttling,
  provenEmail,
  notices,
  recovery,
  authenticator,
  abandonedDomains,
  leakedPasswords,
  criticalMfa,
  webauthn,
  allMfa,
  criticalPhishing,
  passkeys,
  rbac,
  trustedPublishing,
  leakedTokens,
  provenance,
  scopedKeys,
  tokenPrefix,
  disclosure,
  typosquats,
  malware,
  unpublish,
  publicLog,
  osvAdvisories,
  reviews,
  warnings,
  pageWarnings,
  oneGate,
  publisherGate,
  confusion,
  takedown,
  freeze,
  signatures,
  fixAwareAge,
  explain,
  staged,
  pinned,
  sbom,
  fix,
  reachability,
  reports,
  weightedReports,
  blast,
  drill,
  airgap,
]
