"""Every table of every feature, for migrations and backups."""

from posapp.database.base import Base
from posapp.features.audit import models as audit
from posapp.features.auth import models as auth
from posapp.features.catalog import models as catalog
from posapp.features.floor import models as tables
from posapp.features.idempotency import models as idempotency
from posapp.features.orders import models as orders
from posapp.features.payments import models as payments
from posapp.features.restaurant import models as restaurant

FEATURES = (audit, auth, catalog, idempotency, orders, payments, restaurant, tables)
metadata = Base.metadata
