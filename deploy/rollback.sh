#!/bin/bash
# Returns to the version before the one that serves, whose images are still here. The database stays
# as it is: each version runs on the schema of the next.
#   sudo deploy/rollback.sh
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=lib.sh
. ./lib.sh

[ "$#" = 0 ] || fail "it takes no arguments: the version before is in .env"
need_engine
one_at_a_time
need_stack
now=$(setting POS_VERSION local) version=$(setting PREVIOUS_VERSION)
[ -n "$version" ] || fail "no version before $now is known; deploy one: deploy.sh VERSION"
for image in backend frontend; do
    has_image "$image:$version" || fail "the image $image:$version is gone; build it from its checkout: deploy.sh $version"
done
note "$version: roll back from $now"
serve_version "$version" || { note "$version failed; $now is not whole: docker compose ps"; exit 1; }
set_setting PREVIOUS_VERSION "$now" POS_VERSION "$version"
note "$version serves; forward to $now by: rollback.sh"
