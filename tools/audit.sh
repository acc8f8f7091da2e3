#!/bin/sh
# Asks PyPI and npm for known faults (CVE, GHSA) of the pinned packages: exit 1 when there are some,
# 3 when a list cannot be had, so that no answer is not taken for a good one.
set -u
cd "$(dirname "$0")/.." || exit 2
PATH="$PATH:$PWD/.venv/bin"
found=0
unknown=0

report=$(pip-audit --require-hashes --disable-pip --progress-spinner off -f json -r requirements.lock 2>/dev/null)
if [ -n "$report" ] && echo "$report" | jq -e '.dependencies | length > 0' >/dev/null 2>&1; then
    echo "$report" | jq -r '.dependencies[] | .name as $n | .vulns[]? | "python: \($n): \(.id), mended in \(.fix_versions | join(", "))"'
    [ "$(echo "$report" | jq '[.dependencies[].vulns[]?] | length')" = 0 ] || found=1
    unknown=$(echo "$report" | jq '[.dependencies[] | select(.skip_reason)] | length')
    [ "$unknown" = 0 ] || echo "audit: PyPI's list says nothing of $unknown packages" >&2
else
    echo "audit: PyPI's list cannot be had" >&2
    unknown=1
fi

report=$(cd posapp/web && npm audit --omit=dev --json 2>/dev/null)
if [ -n "$report" ] && echo "$report" | jq -e '.auditReportVersion' >/dev/null 2>&1; then
    echo "$report" | jq -r '.vulnerabilities[] | "web: \(.name) \(.range): \(.severity)"'
    [ "$(echo "$report" | jq '.metadata.vulnerabilities.total')" = 0 ] || found=1
else
    echo "audit: npm's list cannot be had" >&2
    unknown=1
fi

[ "$found" = 0 ] || exit 1
[ "$unknown" = 0 ] || exit 3
