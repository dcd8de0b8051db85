from bridge.event import ORDER_KEY_LENGTH, Contact, Event


def of(email: str | None = None, subject: str | None = None) -> str:
    return Event(source="s", type="t", contact=Contact(email=email), subject=subject).order_key


def test_events_of_one_address_keep_their_order_whatever_its_case() -> None:
    assert of("Ana@Example.COM") == of("ana@example.com")


def test_without_an_address_the_subject_keeps_the_order() -> None:
    assert of(subject="T-1") == of(subject="t-1") != of(subject="t-2")


def test_nothing_known_means_no_order_to_keep() -> None:
    assert of() == ""


def test_the_order_key_is_short_enough_for_an_index() -> None:
    assert len(of("x" * 100_000)) == ORDER_KEY_LENGTH


def test_the_order_key_is_free_of_what_postgresql_refuses() -> None:
    assert of("a\0na@example.com") == "ana@example.com"
