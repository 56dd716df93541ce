"""Which tasks may start now, as conditions of SQL over their rows; they take `now` and `most`."""

#: Those whose worker is gone. They hold a place already.
EXPIRED = "status = 'in_progress' AND lease_until <= :now"
#: Those that failed and may be tried again.
RETRYABLE = """status = 'failed' AND final = 0 AND failures < :most AND waiting_on = 0
    AND (not_before IS NULL OR not_before <= :now)"""
#: Those that nothing holds back.
READY = "status = 'pending' AND waiting_on = 0"

STARTABLE = f"(({READY}) OR ({RETRYABLE}) OR ({EXPIRED}))"
