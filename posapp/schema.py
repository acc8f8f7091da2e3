"""Every table of every feature, for migrations and backups."""

from posapp.audit import models as audit
from posapp.auth import models as auth
from posapp.catalog import models as catalog
from posapp.database.base import Base
from posapp.idempotency import models as idempotency
from posapp.orders import models as orders
from posapp.payments import models as payments
from posapp.restaurant import models as restaurant
from posapp.tables import models as tables

FEATURES = (audit, auth, catalog, idempotency, orders, payments, restaurant, tables)
metadata = Base.metadata
