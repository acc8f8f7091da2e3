from posapp.features.auth import passwords


def test_a_password_fits_its_hash_and_no_other():
    hashed = passwords.hash_password("kenangan-2026")
    assert passwords.verify_password("kenangan-2026", hashed)
    assert not passwords.verify_password("kenangan-2027", hashed)
    assert not passwords.verify_password("kenangan-2026", None)
    assert not passwords.verify_password("kenangan-2026", "no hash at all")
